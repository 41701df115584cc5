"""Every route × every role × {own, foreign}: exactly what `api/policy.py` says, and nothing else.

Own: the answer is neither 401 nor 403 nor "not found" (it may well be 409 or 422: the rules of the domain are
tested elsewhere). Foreign: 404 for an object, an answer without a trace of it for a list. "Foreign" is the next
town for people of a town, another county for those of a county, and for people who see certain residents only
also the neighbour next door.
"""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
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
from services.core.actor import Role
from services.core.settings import Settings
from tests.alerts import CHECKLIST
from tests.people import ALLERGY, CONDITION, MEDICINE
from tests.rules import IDLE_RULE
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


def bodies(case: Case) -> dict[str, dict[str, Any]]:
    """A good body for every operation that takes one. Ids in it belong to the case, like those in the path."""
    window_start = case.now + timedelta(days=2)
    return {
        "place_order": {
            "resident_id": str(case.resident_id),
            "item_code": case.item_code,
            "window_start": window_start.isoformat(),
            "window_end": (window_start + timedelta(hours=8)).isoformat(),
        },
        "cancel_order": {"reason": "不需要了"},
        "rate_order": {"score": 5, "words": "很好"},
        "send_offers": {"caregiver_ids": [str(case.caregiver_id)]},
        "assign_order": {"caregiver_ids": [str(case.caregiver_id)]},
        "release_caregiver": {"caregiver_id": str(case.caregiver_id), "reason": "临时请病假"},
        "decline_offer": {"reason": "家里有事"},
        "check_in": {"device_at": case.now.isoformat(), "start_code": START_CODE},
        "check_out": {"device_at": case.now.isoformat()},
        "review_visit": {"accept": True, "note": "已电话核实"},
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


QUERIES: dict[str, dict[str, str]] = {
    "list_vitals": {"kind": "heart_rate"},
    "get_vitals_chart": {"kind": "heart_rate"},
    "list_vitals_gaps": {"kind": "heart_rate"},
    "get_response_figures": {"month": "2026-11"},
    "get_response_figures_csv": {"month": "2026-11"},
}
"""Required query parameters."""


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
    assert not missing, f"api/policy.py has no row for {missing}"
    stale = sorted((set(POLICY) | PUBLIC) - set(names))
    assert not stale, f"api/policy.py has rows for no route: {stale}"
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


async def ask(
    app: FastAPI, operation: Operation, case: Case, token: str | None, body: dict[str, Any] | None
) -> httpx.Response:
    """One request, without a socket; a stream is left as soon as it has begun."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    if operation.name in STREAMS:
        return await knock(app, operation.address(case), headers)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
        return await client.request(
            operation.method,
            operation.address(case),
            headers=headers,
            json=body,
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
    public = replace(operation, path=operation.path.replace("{name}", "alarm").replace("{channel}", "sms"))
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
    own = await open_case(world)
    answer = await ask(app, operation, own, await world.token(role), operation.body(own))
    assert answer.status_code not in (401, 403), answer.text
    assert answer.status_code < 500, answer.text
    if operation.name in OF_ONE_ACCOUNT and code_of(answer) == "not_found":
        return
    assert code_of(answer) not in ("not_found", "invalid_input"), answer.text


@pytest.mark.parametrize(("operation", "role"), ALLOWED, ids=str)
async def test_foreign(app: FastAPI, world: World, operation: Operation, role: Role) -> None:
    foreign = [await open_case(world, foreign_place(world, role))]
    if role in OF_ONE_PERSON:
        foreign.append(await open_case(world, world.here, 1))
    for case in foreign:
        await expect_nothing(app, world, operation, role, case)


async def expect_nothing(app: FastAPI, world: World, operation: Operation, role: Role, case: Case) -> None:
    """404 for an object, no trace of it in a list."""
    answer = await ask(app, operation, case, await world.token(role), operation.body(case))
    if operation.name in REFERENCE:
        assert answer.status_code == 200
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
    nothing = replace(
        case,
        order_id=uuid4(),
        offer_id=uuid4(),
        visit_id=uuid4(),
        centre_id=uuid4(),
        alert_id=uuid4(),
        resident_id=uuid4(),
        terminal_id=uuid4(),
        profile_id=uuid4(),
        policy_id=uuid4(),
        referral_id=uuid4(),
        rota_id=uuid4(),
        override_id=uuid4(),
        swap_id=uuid4(),
        notification_id=uuid4(),
        fault_id=uuid4(),
        command_id=uuid4(),
        rule_id=uuid4(),
        maintenance_id=uuid4(),
    )
    answer = await ask(app, operation, nothing, await world.token(role), operation.body(case))
    assert (answer.status_code, code_of(answer)) == (404, "not_found"), answer.text


@pytest.mark.parametrize(("operation", "role"), [pair for pair in READS if pair[1] in OF_THE_COUNTY], ids=str)
async def test_supervisors_read_nothing_of_health(
    app: FastAPI, world: World, case: Case, operation: Operation, role: Role
) -> None:
    answer = await ask(app, operation, case, await world.token(role), None)
    found = {word for word in (CONDITION, ALLERGY, MEDICINE, FINDING, str(READING)) if word in answer.text}
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
