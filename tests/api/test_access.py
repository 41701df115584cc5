"""Every route × every role × {own, foreign}: exactly what `api/policy/` says, and nothing else.

Own: the answer is neither 401 nor 403 nor "not found" (it may well be 409 or 422: the rules of the domain are
tested elsewhere). Foreign: 404 for an object, an answer without a trace of it for a list. "Foreign" is the next
town for people of a town, another county for those of a county, and for people who see certain residents only
also the neighbour next door.
"""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from pydantic import SecretStr

from api.app import create_app
from api.house import House
from api.policy import POLICY, PUBLIC
from services.catalogue.service import seed_items
from services.catalogue.sheet import HEADINGS
from services.core.actor import Role
from services.core.settings import Settings
from services.core.sheets import XLSX, write_xlsx
from services.credit.rules import seed_rules
from tests.alerts import CHECKLIST
from tests.people import ALLERGY, CONDITION, MEDICINE
from tests.permits import ASSESSED, whole_form
from tests.rules import IDLE_RULE
from tests.staffing import staffing_bodies
from tests.world import FINDING, READING, START_CODE, Case, Place, World, build_world, open_case

HUMANS = [
    Role.RESIDENT,
    Role.FAMILY,
    Role.CAREGIVER,
    Role.DISPATCHER,
    Role.CENTRE_MANAGER,
    Role.CLINICIAN,
    Role.COUNTY_OFFICER,
    Role.AUDITOR,
]
ROLES = [*HUMANS, Role.TERMINAL]
OF_THE_COUNTY = frozenset({Role.COUNTY_OFFICER, Role.AUDITOR})
OF_ONE_PERSON = frozenset({Role.RESIDENT, Role.FAMILY, Role.CAREGIVER})

TELL_IT = frozenset({Role.RESIDENT, Role.FAMILY, Role.DISPATCHER})
"""Who knows an order's start code."""

REFERENCE = frozenset(
    {
        "get_centre",
        "change_package_template",
        "get_package_template",
        "get_item",
        "list_item_versions",
        "save_item_draft",
        "publish_item",
        "discard_item_draft",
        "recall_item",
        "get_terminal_profile",
        "get_profile_false_alarms",
        "change_terminal_profile",
        "renew_provision_secret",
    }
)
"""Operations whose object is public reference data: foreign ones are found too."""

STREAMS = frozenset({"follow_live", "follow_area"})
"""Operations whose answer does not end."""

OF_ONE_ACCOUNT = frozenset({"read_notification"})
"""Operations on what belongs to one account: a colleague of the same place finds nothing."""

KEEPS_STRAYS = frozenset({"sync_visits"})
"""Operations that keep what does not belong to the sender, for a person to look at, and tell nothing of it."""

STRAYS = KEEPS_STRAYS | {"list_visit_conflicts"}
"""And those that show what was kept."""

STAFF = frozenset({"clinician_account_id", "colleague_id", "vendor_key_id"})
"""Keys of a case that stand in bodies only: people of the place, not what is asked for."""

UNDOCUMENTED = frozenset({"/api/v1/openapi.json"})
"""The framework's own route, without an operation: the document of this API, for everybody."""


def shift_of(case: Case) -> dict[str, Any]:
    """A whole day's shift of the case's clinician."""
    turns = [[str(case.clinician_account_id)]]
    return {"name": "全天", "weekdays": [1, 2], "starts": "08:00", "ends": "08:00", "turns": turns}


def escalation_policy() -> dict[str, Any]:
    """A policy that is for no alert of a test."""
    people = {"who": "duty", "role": "dispatcher"}
    return {
        "name": "周一凌晨",
        "weekdays": [1],
        "from_time": "03:00",
        "until_time": "03:01",
        "document": {
            "steps": [{"after_seconds": 0, "recipients": [people], "channels": ["app"]}],
            "loop_seconds": 120,
            "acknowledged_lease_seconds": 600,
            "responding_lease_seconds": 2700,
            "on_scene_lease_seconds": 7200,
        },
    }


def item_draft() -> dict[str, Any]:
    """The first item of the default menu, as it stands."""
    return seed_items()[0].model_dump(mode="json", exclude={"version"})


def package_content(case: Case) -> dict[str, Any]:
    """A package of the case's item."""
    return {
        "name_zh": "测试包",
        "name_en": "Test package",
        "items": [{"item_code": case.item_code, "quantity": 4}],
        "validity_days": 365,
        "price_fen": 100,
        "source": "测试",
    }


def plan_content(case: Case) -> dict[str, Any]:
    """A plan of the case's item, every day."""
    return {
        "items": [{"item_code": case.item_code}],
        "rrule": "FREQ=DAILY",
        "starts_on": case.day,
        "times": [{"start": "08:00", "end": "18:00"}],
    }


def money_bodies(case: Case) -> dict[str, dict[str, Any]]:
    """Bodies of the operations on tariffs, payers and bills."""
    day = (case.now + timedelta(days=3)).date().isoformat()
    return {
        "publish_tariff": {
            "item_code": case.item_code,
            "centre_id": str(case.centre_id),
            "valid_from": day,
            "basis": "tender",
            "reason": "年度招标",
            "price_rule": seed_items()[0].price_rule.model_dump(mode="json"),
        },
        "publish_supply_price": {
            "code": f"s_{uuid4().hex[:12]}",
            "centre_id": str(case.centre_id),
            "kind": "consumable",
            "name_zh": "测试纱布",
            "name_en": "Test gauze",
            "unit": "pack",
            "unit_fen": 350,
            "valid_from": day,
            "source": "测试价目",
        },
        "publish_payer_programme": {
            "code": f"p_{uuid4().hex[:12]}",
            "kind": "collective",
            "name_zh": "测试资助",
            "name_en": "Test fund",
            "stacking_order": 90,
            "is_active": False,
            "valid_from": day,
            "source": "测试",
            "reason": "测试",
            "terms": {"share_basis_points": 1000},
        },
        "set_payer_budget": {"programme": "collective", "year": 2026, "budget_fen": 100000},
        "issue_resident_vouchers": {},
        "agree_beyond_quote": {"extra_minutes": 30, "note": "电话确认"},
        "propose_adjustment": {"lines": [{"line_no": 1, "amount_fen": 100}], "reason": "服务未完成"},
        "decide_adjustment": {"approve": True, "note": "已核对"},
    }


def bodies(case: Case) -> dict[str, dict[str, Any]]:
    """A good body for every operation that takes one. Ids in it belong to the case, like those in the path."""
    window_start = case.now + timedelta(days=2)
    return {
        **staffing_bodies(case),
        "create_item": {**item_draft(), "code": f"item_{uuid4().hex}"},
        "save_item_draft": {**item_draft(), "code": case.item_code},
        "publish_item": {"reason": "年度调整"},
        "switch_centre_item": {"is_offered": True, "reason": "恢复服务"},
        "give_consent": {"purpose": "visit_photos", "how": "spoken", "text_version": "2026-11"},
        "revoke_consent": {"reason": "改变主意"},
        "record_ability_assessment": {
            "assessed_on": case.now.date().isoformat(),
            "reason": "routine",
            "scores": whole_form(),
            "assessors": [{"name": "测试评估员甲", "has_clinical_background": True}, {"name": "测试评估员乙"}],
        },
        "withdraw_ability_assessment": {"reason": "录错了长者"},
        "record_self_care_rating": {
            "rated_on": case.now.date().isoformat(),
            "answers": {"eating": 0, "washing": 1, "dressing": 0, "toilet": 0, "moving": 2},
        },
        "record_first_assessment": {
            "institution": "测试镇卫生院",
            "assessor": "测试护师",
            "assessed_on": case.now.date().isoformat(),
            "covers": ["nursing"],
            "is_suitable": True,
        },
        "withdraw_first_assessment": {"reason": "录错了长者"},
        "place_order": {
            "resident_id": str(case.resident_id),
            "item_code": case.item_code,
            "window_start": window_start.isoformat(),
            "window_end": (window_start + timedelta(hours=8)).isoformat(),
        },
        "cancel_order": {"reason": "不需要了"},
        "reschedule_order": {
            "windows": [
                {"start": window_start.isoformat(), "end": (window_start + timedelta(hours=4)).isoformat()}
            ],
            "reason": "那天要复查",
        },
        "change_order_wishes": {"note": "请走后门", "access": {"floor": 2, "has_dog": True}},
        "ask_price": {
            "resident_id": str(case.resident_id),
            "items": [{"item_code": case.item_code, "quantity": 2}],
            "windows": [
                {"start": window_start.isoformat(), "end": (window_start + timedelta(hours=8)).isoformat()}
            ],
        },
        "add_package_template": {"code": f"p_{uuid4().hex[:20]}", **package_content(case)},
        "change_package_template": package_content(case),
        "grant_package": {
            "resident_id": str(case.resident_id),
            "template_id": str(case.package_template_id),
            "valid_from": case.now.date().isoformat(),
            "contract_reference": "签约协议 测试-001",
        },
        "revoke_package": {"reason": "解约"},
        "make_care_plan": {"resident_id": str(case.resident_id), **plan_content(case)},
        "preview_care_plan": plan_content(case),
        "change_care_plan": plan_content(case),
        "pause_care_plan": {"from_day": case.day, "reason": "住院"},
        "resume_care_plan": {"on_day": case.day},
        "end_care_plan": {"last_day": case.day, "reason": "转入养老院"},
        "change_care_plan_day": {"note": "当天有人陪同"},
        "cancel_care_plan_day": {"reason": "女儿当天在家"},
        "rate_order": {"score": 5, "words": "很好"},
        "take_cash": {"amount_fen": 100, "receipt": "SJ-1"},
        "set_allowance_rate": {
            "kind": "home_visit",
            "unit_fen": 2000,
            "effective_from": (case.now + timedelta(days=next(_days))).date().isoformat(),
            "source": "测试",
        },
        "make_claim": {"payer": "government_purchase", "month": "2026-11", "centre_id": str(case.centre_id)},
        "decide_claim_line": {"is_held": True, "reason": "再核对"},
        "answer_claim": {"cuts": []},
        "pay_claim": {"amount_fen": 100, "reference": "测试到账"},
        "want_refund": {"reason": "多收"},
        "finish_refund": {"receipt": "TK-1"},
        "note_callback_result": {"face": "good", "words": "很好"},
        "open_complaint": {"resident_id": str(case.resident_id), "kind": "late", "words": "来晚了"},
        "add_complaint_entry": {"kind": "call", "words": "已电话了解"},
        "decide_complaint": {"outcome": "not_upheld", "findings": "查无此事", "measures": ["none"]},
        "appeal_complaint": {"words": "没有核实"},
        "withdraw_complaint": {"reason": "说清楚了"},
        "state_in_complaint": {"words": "路上车坏了"},
        "appeal_complaint_about_me": {"words": "没有核实"},
        "publish_credit_rules": {
            "effective_from": (case.now + timedelta(days=next(_days))).date().isoformat(),
            "reason": "县里公布",
            "document": seed_rules().model_dump(mode="json", by_alias=True),
        },
        "send_offers": {"caregiver_ids": [str(case.caregiver_id)]},
        "assign_order": {"caregiver_ids": [str(case.caregiver_id)]},
        "request_day_plan": {"centre_id": str(case.centre_id), "day": window_start.date().isoformat()},
        "commit_day_plan": {},
        "dismiss_day_plan": {"reason": "改由电话协调"},
        "pin_visit": {"reason": "家属已约好时间"},
        "unpin_visit": {"reason": "家属另有安排"},
        "set_planning_policy": {"repairs_commit_themselves": False},
        "release_caregiver": {"caregiver_id": str(case.caregiver_id), "reason": "临时请病假"},
        "reassign_order": {
            "from_caregiver_id": str(case.caregiver_id),
            "to_caregiver_id": str(case.caregiver_id),
            "reason": "临时请病假",
        },
        "start_waves": {"mode": "offer_waves"},
        "save_dispatch_policy": {"centre_id": str(case.centre_id), "mode": "suggest", "reason": "试行"},
        "set_neighbours": {"neighbour_ids": []},
        "ask_order_aid": {},
        "decline_offer": {"reason": "家里有事"},
        "check_in": {"device_at": case.now.isoformat(), "start_code": START_CODE},
        "check_out": {"device_at": case.now.isoformat()},
        "review_visit": {"accept": True, "note": "已电话核实"},
        "set_out": {"device_at": case.now.isoformat()},
        "sync_visits": {
            "device_id": "phone",
            "acts": [
                {
                    "id": str(uuid4()),
                    "seq": 1,
                    "visit_id": str(case.visit_id),
                    "do": "note",
                    "device_at": case.now.isoformat(),
                    "said": {"text": "一切正常"},
                }
            ],
        },
        "mark_task": {"code": "identity", "device_at": case.now.isoformat()},
        "add_visit_reading": {"kind": "heart_rate", "value": 72, "device_at": case.now.isoformat()},
        "add_visit_note": {"text": "一切正常", "device_at": case.now.isoformat()},
        "add_visit_supply": {
            "code": "gauze-10",
            "name": "无菌纱布",
            "kind": "consumable",
            "device_at": case.now.isoformat(),
        },
        "end_as_no_show": {"device_at": case.now.isoformat(), "waited_minutes": 15},
        "report_incident": {
            "kind": "fall",
            "severity": "minor",
            "words": "起身时滑倒",
            "device_at": case.now.isoformat(),
        },
        "close_incident": {"outcome": "村医已查看"},
        "clear_visit_issue": {"note": "已联系护理员"},
        "settle_visit_conflict": {"note": "已电话核实"},
        "request_correction": {
            "reason": "forgot_check_out",
            "words": "离开时忘记签退",
            "care_ended_at": case.now.isoformat(),
        },
        "approve_correction": {"note": "已与家属核实"},
        "reject_correction": {"note": "与记录不符"},
        "replace_door_card": {"reason": "卡片遗失"},
        "press_panic": {"id": str(uuid4())},
        "respond_to_alert": {"note": "村医已出发"},
        "resolve_alert": {"resolution": "true_emergency", "checklist": CHECKLIST},
        "classify_alert": {"classification": "emergency", "note": "长者诉胸痛"},
        "set_alert_severity": {"severity": 4, "reason": "电话中长者诉胸痛"},
        "cancel_alert": {"confirmed": "spoke_with_resident", "reason": "本人确认误碰"},
        "request_handover": {"to_account_id": str(case.clinician_account_id), "note": "交班"},
        "accept_handover": {"note": "已接手"},
        "decline_handover": {"note": "正在处理另一起"},
        "record_emergency_call": {"outcome": "ambulance_sent", "said": "老人跌倒"},
        "record_call_handed_over": {"handed_over_to": "县人民医院急诊科"},
        "add_escalation_policy": {"centre_id": str(case.centre_id), **escalation_policy()},
        "change_escalation_policy": escalation_policy(),
        "keep_key_box": {"key_box": "电表箱内"},
        "review_alert": {"note": "已回看"},
        "refer_resident": {"kind": "clinic", "institution": "镇卫生院", "reason": "复诊"},
        "refer_from_alert": {"kind": "ambulance_120", "institution": "县第一人民医院", "reason": "跌倒"},
        "move_referral": {"status": "received", "note": "已接诊"},
        "register_terminal": {
            "serial": f"T-{uuid4()}",
            "profile_id": str(case.profile_id),
            "centre_id": str(case.centre_id),
        },
        "bind_terminal": {"resident_id": str(case.resident_id), "room": "卧室"},
        "unbind_terminal": {"reason": "长者搬走"},
        "suspend_terminal": {"reason": "误报频繁，送修"},
        "restock_terminal": {"reason": "收回库存"},
        "retire_terminal": {"reason": "损坏"},
        "revoke_credential": {"reason": "密钥泄露"},
        "create_terminal_profile": {
            "code": f"m-{uuid4()}",
            "kind": "pendant",
            "name_zh": "新型吊坠",
            "name_en": "A new pendant",
            "capabilities": {"alarms": ["sos"]},
            "source": "厂家说明书",
        },
        "change_terminal_profile": {
            "name_zh": "测试吊坠",
            "name_en": "Test pendant",
            "capabilities": {"alarms": ["sos"]},
            "source": "厂家说明书",
        },
        "create_rota": {
            "centre_id": str(case.centre_id),
            "role": "clinician",
            "name": "医生值班",
            "shifts": [shift_of(case)],
            "valid_from": case.now.date().isoformat(),
        },
        "change_rota": {
            "name": "医生值班",
            "shifts": [shift_of(case)],
            "valid_from": case.now.date().isoformat(),
        },
        "add_override": {
            "absent_account_id": str(case.clinician_account_id),
            "starts_at": window_start.isoformat(),
            "ends_at": (window_start + timedelta(hours=8)).isoformat(),
            "reason": "临时请病假",
        },
        "request_swap": {
            "rota_id": str(case.rota_id),
            "to_account_id": str(case.clinician_account_id),
            "starts_at": window_start.isoformat(),
            "ends_at": (window_start + timedelta(hours=8)).isoformat(),
            "reason": "家里有事",
        },
        "set_my_staff_phone": {"phone": "13800001234"},
        **money_bodies(case),
        "assign_fault": {},
        "clear_fault": {"note": "长者住院，终端已断电"},
        "order_command": {"kind": "locate"},
        "reveal_resident_number": {"field": "phone", "purpose": "确认上门时间"},
        "save_county_rule": {"definition": IDLE_RULE, "is_off": True, "reason": "试用结束"},
        "save_centre_rule": {"definition": IDLE_RULE, "is_off": True, "reason": "试用结束"},
        "save_resident_rule": {"definition": IDLE_RULE, "is_off": True, "reason": "试用结束"},
        "preview_rule": {"definition": IDLE_RULE},
        "set_resident_attribute": {"name": "usual_heart_rate", "value": 64, "reason": "门诊测得"},
        "start_maintenance": {"terminal_id": str(case.terminal_id), "hours": 1, "reason": "更换传感器"},
        "end_maintenance": {"reason": "已更换"},
    }


_days = count(2)
"""Rules are published for one day once."""

QUERIES: dict[str, dict[str, str]] = {
    "list_vitals": {"kind": "heart_rate"},
    "get_vitals_chart": {"kind": "heart_rate"},
    "list_vitals_gaps": {"kind": "heart_rate"},
    "get_response_figures": {"month": "2026-11"},
    "get_quality_figures": {"month": "2026-11"},
    "list_workload": {"month": "2026-11"},
    "get_workload_xlsx": {"month": "2026-11"},
    "list_my_workload": {"month": "2026-11"},
    "get_response_figures_csv": {"month": "2026-11"},
}
"""Required query parameters."""

CONTENTS: dict[str, bytes] = {"import_catalogue": write_xlsx("x", list(HEADINGS.values()), [])}
"""Bodies that are no JSON: spreadsheets."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One route of the application."""

    name: str
    method: str
    path: str
    takes_body: bool

    def __str__(self) -> str:
        return self.name

    @property
    def parameters(self) -> list[str]:
        """Names of the ids in its path."""
        return [part.split("}")[0] for part in self.path.split("{")[1:]]

    def address(self, case: Case) -> str:
        """Its path with the case's ids."""
        path = self.path
        for name in self.parameters:
            assert hasattr(case, name), f"tests/world.py: give Case a `{name}` for {self.name} {self.path}"
            path = path.replace(f"{{{name}}}", str(getattr(case, name)))
        return path

    def body(self, case: Case) -> dict[str, Any] | None:
        """A good body, where it takes one."""
        if not self.takes_body:
            return None
        known = bodies(case)
        assert self.name in known, f"tests/api/test_access.py: give bodies() a good body for {self.name}"
        return known[self.name]


def operations() -> Iterator[Operation]:
    """Every route, hidden ones included."""
    for route in iter_route_contexts(create_app(Settings(_env_file=None)).routes):
        path = route.path or ""
        if path in UNDOCUMENTED:
            continue
        name = getattr(route, "operation_id", None)
        assert name, f"{path} has no operation_id"
        for method in sorted(route.methods or ()):
            yield Operation(name, method, path, takes_body=route.body_field is not None)


OPERATIONS = list(operations())
GUARDED = [operation for operation in OPERATIONS if operation.name not in PUBLIC]
ALLOWED = [(o, role) for o in GUARDED for role in ROLES if role in POLICY.get(o.name, frozenset())]
READS = [(o, role) for o, role in ALLOWED if o.method == "GET"]


def test_every_operation_has_one_row_in_the_policy() -> None:
    names = [operation.name for operation in OPERATIONS]
    assert len(names) == len(set(names)), "two routes share an operation_id"
    missing = sorted(set(names) - set(POLICY) - PUBLIC)
    assert not missing, f"api/policy/ has no row for {missing}"
    stale = sorted((set(POLICY) | PUBLIC) - set(names))
    assert not stale, f"api/policy/ has rows for no route: {stale}"
    assert not set(POLICY) & PUBLIC


def test_no_row_names_terminals_or_the_system() -> None:
    assert {role for roles in POLICY.values() for role in roles} <= set(HUMANS)


@pytest.fixture(scope="module")
async def world(house: House) -> World:
    """A world of its own: every verb of the house is tried on it."""
    return await build_world(house.database, house.settings, house.vault)


@pytest.fixture(scope="module")
async def case(world: World) -> Case:
    """Something to knock at, for those who are refused anyway."""
    return await open_case(world)


@dataclass(slots=True)
class Strangers:
    """Cases that nobody in these tests may touch: one a household is enough, for nothing changes them."""

    world: World
    made: dict[tuple[str, int], Case] = field(default_factory=dict)

    async def case(self, place: Place, number: int) -> Case:
        """The place's case, made when it is first asked for."""
        key = (place.town, number)
        if key not in self.made:
            self.made[key] = await open_case(self.world, place, number)
        return self.made[key]


@pytest.fixture(scope="module")
async def strangers(world: World) -> Strangers:
    """Kept for the whole module."""
    return Strangers(world)


async def ask(
    app: FastAPI, operation: Operation, case: Case, token: str | None, body: dict[str, Any] | None
) -> httpx.Response:
    """One request, without a socket; a stream is left as soon as it has begun."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    if operation.name in CONTENTS:
        headers["content-type"] = XLSX
    if operation.name in STREAMS:
        return await knock(app, operation.address(case), headers)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
        return await client.request(
            operation.method,
            operation.address(case),
            headers=headers,
            json=body,
            content=CONTENTS.get(operation.name),
            params=QUERIES.get(operation.name),
        )


async def knock(app: FastAPI, path: str, headers: dict[str, str]) -> httpx.Response:
    """The beginning of an answer that may not end."""
    began, left = asyncio.Event(), asyncio.Event()
    status, content = 0, b""
    asked = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> dict[str, Any]:
        if asked:
            return asked.pop()
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        nonlocal status, content
        if message["type"] == "http.response.start":
            status = message["status"]
        else:
            content += message.get("body", b"")
        if status == 200 or (message["type"] == "http.response.body" and not message.get("more_body")):
            began.set()

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("api", 80),
        "state": {},
    }
    answering = asyncio.create_task(app(scope, receive, send))
    await asyncio.wait_for(began.wait(), 10)
    left.set()
    _, pending = await asyncio.wait({answering}, timeout=2)
    for task in pending:
        task.cancel()
    await asyncio.gather(answering, return_exceptions=True)
    return httpx.Response(status, content=content)


def code_of(answer: httpx.Response) -> str | None:
    """The stable code of a refusal."""
    return answer.json().get("code") if answer.status_code >= 400 else None


def foreign_place(world: World, role: Role) -> Place:
    """The nearest place that a role does not reach."""
    return world.abroad if role in OF_THE_COUNTY else world.neighbour


def ids_of(case: Case) -> set[str]:
    """Everything by which a case could be recognised in an answer; its centre is public."""
    own = (case.order_id, case.offer_id, case.visit_id, case.alert_id, case.resident_id, case.terminal_id)
    return {str(key) for key in (*own, case.fault_id, case.command_id)}


@pytest.mark.parametrize("operation", GUARDED, ids=str)
@pytest.mark.parametrize("token", [None, "", "x.y.z"], ids=["no token", "an empty one", "a made-up one"])
async def test_without_a_good_token_401(app: FastAPI, case: Case, operation: Operation, token: str | None) -> None:
    answer = await ask(app, operation, case, token, operation.body(case))
    assert (answer.status_code, code_of(answer)) == (401, "not_signed_in"), answer.text


@pytest.mark.parametrize("operation", [o for o in OPERATIONS if o.name in PUBLIC], ids=str)
async def test_public_operations_ask_for_no_token(app: FastAPI, case: Case, operation: Operation) -> None:
    known = {"{name}": "alarm", "{channel}": "sms", "{provider}": "demo"}
    path = operation.path
    for name, value in known.items():
        path = path.replace(name, value)
    public = replace(operation, path=path)
    answer = await ask(app, public, case, None, {} if operation.takes_body else None)
    assert code_of(answer) not in ("not_signed_in", "forbidden")
    assert answer.status_code < 500


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("operation", GUARDED, ids=str)
async def test_own(app: FastAPI, world: World, case: Case, operation: Operation, role: Role) -> None:
    if role not in POLICY.get(operation.name, frozenset()):
        answer = await ask(app, operation, case, await world.token(role), operation.body(case))
        assert (answer.status_code, code_of(answer)) == (403, "forbidden"), answer.text
        return
    own = case if operation.method == "GET" else await open_case(world)
    answer = await ask(app, operation, own, await world.token(role), operation.body(own))
    assert answer.status_code not in (401, 403), answer.text
    assert answer.status_code < 500, answer.text
    if operation.name in OF_ONE_ACCOUNT and code_of(answer) == "not_found":
        return
    assert code_of(answer) not in ("not_found", "invalid_input"), answer.text


@pytest.mark.parametrize(("operation", "role"), ALLOWED, ids=str)
async def test_foreign(app: FastAPI, world: World, strangers: Strangers, operation: Operation, role: Role) -> None:
    # What was kept of a stray act names it; such a case must be new to those who look.
    make = partial(open_case, world) if operation.name in STRAYS else strangers.case
    foreign = [await make(foreign_place(world, role), 0)]
    if role in OF_ONE_PERSON:
        foreign.append(await make(world.here, 1))
    for case in foreign:
        await expect_nothing(app, world, operation, role, case)


async def expect_nothing(app: FastAPI, world: World, operation: Operation, role: Role, case: Case) -> None:
    """404 for an object, no trace of it in a list."""
    answer = await ask(app, operation, case, await world.token(role), operation.body(case))
    if operation.name in KEEPS_STRAYS:
        assert [item["code"] for item in answer.json()["items"]] == ["unknown_visit"], answer.text
        return
    if operation.name in REFERENCE:
        assert answer.status_code == 200 or code_of(answer) in ("no_draft", "nothing_upcoming")
    elif operation.parameters or "_id" in json.dumps(operation.body(case)):
        assert (answer.status_code, code_of(answer)) == (404, "not_found"), answer.text
    else:
        assert answer.status_code < 300, answer.text
    seen = {key for key in ids_of(case) if key in answer.text}
    assert not seen


@pytest.mark.parametrize(("operation", "role"), [pair for pair in ALLOWED if pair[0].parameters], ids=str)
async def test_what_does_not_exist_looks_like_what_is_foreign(
    app: FastAPI, world: World, case: Case, operation: Operation, role: Role
) -> None:
    known = [field.name for field in fields(case) if field.name.endswith("_id") and field.name not in STAFF]
    nothing = replace(case, item_code=f"item_{uuid4().hex}", **{name: uuid4() for name in known})
    answer = await ask(app, operation, nothing, await world.token(role), operation.body(case))
    assert (answer.status_code, code_of(answer)) == (404, "not_found"), answer.text


@pytest.mark.parametrize(("operation", "role"), [pair for pair in READS if pair[1] in OF_THE_COUNTY], ids=str)
async def test_supervisors_read_nothing_of_health(
    app: FastAPI, world: World, case: Case, operation: Operation, role: Role
) -> None:
    answer = await ask(app, operation, case, await world.token(role), None)
    found = {
        word for word in (CONDITION, ALLERGY, MEDICINE, FINDING, ASSESSED, str(READING)) if word in answer.text
    }
    assert not found, f"{operation.name} tells the {role} of {found}"


@pytest.mark.parametrize(("operation", "role"), [pair for pair in READS if pair[1] not in TELL_IT], ids=str)
async def test_only_those_who_tell_it_read_the_start_code(
    app: FastAPI, world: World, case: Case, operation: Operation, role: Role
) -> None:
    answer = await ask(app, operation, case, await world.token(role), None)
    assert START_CODE not in answer.text


@pytest.mark.parametrize("name", ["send_offers", "assign_order"])
async def test_nobody_sends_another_towns_caregiver(app: FastAPI, world: World, name: str) -> None:
    operation = next(o for o in GUARDED if o.name == name)
    own, foreign = await open_case(world), await open_case(world, world.neighbour)
    answer = await ask(app, operation, own, await world.token(Role.DISPATCHER), operation.body(foreign))
    assert 400 <= answer.status_code < 500, answer.text


async def test_filters_do_not_widen_the_scope(app: FastAPI, world: World) -> None:
    foreign = await open_case(world, world.neighbour)
    queries: dict[str, dict[str, UUID]] = {
        "list_orders": {"resident_id": foreign.resident_id},
        "list_offers": {"order_id": foreign.order_id},
        "list_visits": {"caregiver_id": foreign.caregiver_id},
        "list_alerts": {"centre_id": foreign.centre_id},
    }
    token = await world.token(Role.DISPATCHER)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
        for operation in GUARDED:
            if operation.name in queries:
                answer = await client.get(
                    operation.path,
                    headers={"authorization": f"Bearer {token}"},
                    params={name: str(value) for name, value in queries[operation.name].items()},
                )
                assert not {key for key in ids_of(foreign) if key in answer.text}, operation.name
                assert answer.status_code == 404 or answer.json()["items"] == [], operation.name


async def test_tokens_of_one_installation_do_not_open_another(
    app: FastAPI, house: House, world: World, case: Case
) -> None:
    elsewhere = house.settings.model_copy(update={"token_secret": SecretStr("o" * 40)})
    other = replace(world, settings=elsewhere)
    operation = next(o for o in GUARDED if o.name == "get_me")
    answer = await ask(app, operation, case, await other.token(Role.COUNTY_OFFICER), None)
    assert answer.status_code == 401
