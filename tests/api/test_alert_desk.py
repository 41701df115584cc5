"""The desk over HTTP: one screen for an alert, 120, key box, handover, checklist, policies and their preview."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from services.alerts.emergency import PHONE_PURPOSE
from services.core.actor import SYSTEM, Role
from services.core.heartbeat import beat_once
from services.core.ids import new_id
from tests.alerts import CHECKLIST
from tests.people import ALLERGY, CONDITION, MEDICINE
from tests.world import Case, World, open_case


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://api/api/v1") as opened:
        yield opened


@pytest.fixture
async def case(world: World) -> Case:
    return await open_case(world)


@pytest.fixture
async def dispatcher(world: World) -> dict[str, str]:
    return await world.headers(Role.DISPATCHER)


async def accesses(world: World, resident_id: UUID) -> list[str]:
    async with world.database.unit_of_work(SYSTEM) as work:
        rows = await work.sql(
            text("SELECT resource FROM access_log WHERE resident_id = :id ORDER BY at"), {"id": resident_id}
        )
        return list(rows.scalars())


async def give_phone(world: World, caregiver_id: UUID) -> None:
    async with world.database.unit_of_work(SYSTEM) as work:
        await work.sql(
            text("UPDATE caregiver SET phone_encrypted = :sealed WHERE id = :id"),
            {"sealed": world.vault.encrypt("13800000001", PHONE_PURPOSE), "id": caregiver_id},
        )


async def test_one_screen_has_everything_for_the_call(
    client: httpx.AsyncClient, world: World, case: Case, dispatcher: dict[str, str]
) -> None:
    box = f"/residents/{case.resident_id}/key-box"
    kept = await client.put(box, json={"key_box": "电表箱内，密码 2580"}, headers=dispatcher)
    assert kept.status_code == 200, kept.text
    assert "2580" not in kept.text
    answer = await client.get(f"/alerts/{case.alert_id}/screen", headers=dispatcher)
    assert answer.status_code == 200, answer.text
    screen = answer.json()
    assert screen["statement"]["zh"].startswith("本平台不能代替120")
    card = screen["card"]
    assert (card["key_box"], card["conditions"]) == ("电表箱内，密码 2580", [CONDITION])
    assert card["contacts"][0]["call_order"] == 1
    said = "".join(screen["script_120"]["zh"])
    assert all(word in said for word in (card["name"], card["address"], CONDITION, ALLERGY, MEDICINE))
    assert screen["script_source"] == "project default"
    assert {one["caregiver_id"] for one in screen["responders"]} == {str(c.id) for c in world.here.caregivers}
    assert [one["distance_m"] for one in screen["responders"]] == sorted(
        one["distance_m"] for one in screen["responders"]
    )
    assert [item["code"] for item in screen["checklist"]] == list(CHECKLIST)
    assert screen["ladder"]["step"] == 0 or screen["ladder"]["step"] == -1
    assert {"emergency_card", "alert", "vitals.latest"} <= set(await accesses(world, case.resident_id))


async def test_without_a_resident_120_is_told_of_terminal_and_centre(
    client: httpx.AsyncClient, world: World, case: Case, dispatcher: dict[str, str]
) -> None:
    async with world.database.unit_of_work(SYSTEM) as work:
        changed = await work.sql(
            text("UPDATE alert SET resident_id = NULL WHERE id = :id RETURNING terminal_id"), {"id": case.alert_id}
        )
        kind = await work.sql(text("SELECT kind FROM terminal WHERE id = :id"), {"id": changed.scalar_one()})
        assert kind.scalar_one() == "pendant"
    answer = await client.get(f"/alerts/{case.alert_id}/screen", headers=dispatcher)
    assert answer.status_code == 200, answer.text
    said = answer.json()["script_120"]
    assert f"{world.here.centre.name_zh}的终端：无线呼叫吊坠" in said["zh"][1]
    assert f"{world.here.centre.name_en}: alarm pendant" in said["en"][1]
    assert "……" not in "".join(said["zh"] + said["en"])


async def test_the_key_box_is_sealed_and_on_the_card_only(
    client: httpx.AsyncClient, world: World, case: Case, dispatcher: dict[str, str]
) -> None:
    path = f"/residents/{case.resident_id}"
    await client.put(f"{path}/key-box", json={"key_box": "密码 1357"}, headers=dispatcher)
    assert "1357" not in (await client.get(path, headers=dispatcher)).text
    assert "1357" in (await client.get(f"{path}/emergency-card", headers=dispatcher)).text
    async with world.database.unit_of_work(SYSTEM) as work:
        stored = await work.sql(
            text("SELECT key_box_encrypted FROM resident WHERE id = :id"), {"id": case.resident_id}
        )
        assert "1357" not in stored.scalar_one()
    stale = await client.put(f"{path}/key-box", json={"key_box": "x"}, headers=dispatcher | {"If-Match": '"999"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "version_mismatch")


async def test_calls_of_120_and_the_hand_over_are_on_record(
    client: httpx.AsyncClient, case: Case, dispatcher: dict[str, str]
) -> None:
    path = f"/alerts/{case.alert_id}/emergency-call"
    early = await client.post(f"{path}/handed-over", json={"handed_over_to": "急诊科"}, headers=dispatcher)
    assert (early.status_code, early.json()["code"]) == (409, "no_emergency_call")
    once = dispatcher | {"Idempotency-Key": f"call-{new_id()}"}
    body = {"outcome": "ambulance_sent", "said": "跌倒，右髋疼痛"}
    first = await client.post(path, json=body, headers=once)
    again = await client.post(path, json=body, headers=once)
    assert (first.status_code, first.json()["id"]) == (201, again.json()["id"])
    handed = await client.post(
        f"{path}/handed-over", json={"handed_over_to": "县人民医院急诊科"}, headers=dispatcher
    )
    screen = (await client.get(f"/alerts/{case.alert_id}/screen", headers=dispatcher)).json()
    [call] = screen["emergency_calls"]
    assert (call["said"], call["outcome"]) == ("跌倒，右髋疼痛", "ambulance_sent")
    assert (call["handed_over_to"], call["handed_over_at"]) == (
        "县人民医院急诊科",
        handed.json()["handed_over_at"],
    )
    assert [line["what"] for line in screen["alert"]["log"]][-2:] == ["called_120", "handed_over"]


async def test_a_responders_number_is_revealed_on_record(
    client: httpx.AsyncClient, world: World, case: Case, dispatcher: dict[str, str]
) -> None:
    path = f"/alerts/{case.alert_id}/responders/{case.caregiver_id}/phone"
    await give_phone(world, case.caregiver_id)
    shown = await client.post(path, headers=dispatcher)
    assert shown.json() == {"caregiver_id": str(case.caregiver_id), "phone": "13800000001"}
    detail = (await client.get(f"/alerts/{case.alert_id}", headers=dispatcher)).json()
    assert (detail["log"][-1]["what"], detail["log"][-1]["detail"]) == (
        "phone_revealed",
        {"caregiver_id": str(case.caregiver_id)},
    )
    assert "13800000001" not in str(detail)


async def test_an_alert_from_take_to_review(
    client: httpx.AsyncClient, world: World, case: Case, dispatcher: dict[str, str]
) -> None:
    manager = await world.headers(Role.CENTRE_MANAGER)
    path = f"/alerts/{case.alert_id}"

    async def say(verb: str, headers: dict[str, str], **body: Any) -> dict[str, Any]:
        answer = await client.post(f"{path}/{verb}", json=body or None, headers=headers)
        assert answer.status_code < 300, answer.text
        said: dict[str, Any] = answer.json()
        return said

    await say("acknowledge", dispatcher)
    await say("page-seen", manager)
    assert (await say("classify", dispatcher, classification="needs_care"))["classified_at"]
    assert (await say("severity", dispatcher, severity=3, reason="电话确认意识清楚"))["severity"] == 3
    to = str(world.here.staff[Role.CENTRE_MANAGER].id)
    assert (await say("handover", dispatcher, to_account_id=to, note="交班"))["status"] == "requested"
    assert (await say("handover/accept", manager, note="收到"))["status"] == "accepted"
    late = await client.post(f"{path}/handover/decline", json={"note": ""}, headers=manager)
    assert (late.status_code, late.json()["code"]) == (409, "no_handover")
    refused = await client.post(f"{path}/respond", json={"note": ""}, headers=dispatcher)
    assert (refused.status_code, refused.json()["code"]) == (409, "alert_taken")
    await say("respond", manager, note="村医出发")
    await say("arrive", manager)
    missing = await client.post(f"{path}/resolve", json={"resolution": "needs_care"}, headers=manager)
    assert (missing.status_code, missing.json()["code"]) == (422, "checklist_incomplete")
    assert missing.json()["missing"] == list(CHECKLIST)
    cancel = {"confirmed": "spoke_with_resident", "reason": "误碰"}
    not_back = await client.post(f"{path}/cancel", json=cancel, headers=manager)
    assert (not_back.status_code, not_back.json()["code"]) == (409, "not_taken_back")
    done = await say("resolve", manager, resolution="needs_care", checklist=CHECKLIST)
    assert done["resolved_at"]
    assert (await say("review", manager, note="已回看"))["reviewed_at"]


POLICY: dict[str, Any] = {
    "name": "夜班",
    "min_severity": 4,
    "document": {
        "steps": [
            {"after_seconds": 0, "recipients": [{"who": "duty", "role": "centre_manager"}], "channels": ["app"]},
            {
                "after_seconds": 60,
                "recipients": [{"who": "neighbour", "role": "dispatcher"}],
                "channels": ["voice"],
            },
            {
                "after_seconds": 120,
                "recipients": [
                    {"who": "county", "role": "county_officer"},
                    {"who": "relation", "relation": "family"},
                ],
                "channels": ["voice"],
            },
        ],
        "loop_seconds": 120,
        "acknowledged_lease_seconds": 600,
        "responding_lease_seconds": 2700,
        "on_scene_lease_seconds": 7200,
    },
}


async def test_a_policy_is_laid_down_previewed_changed_and_ended(client: httpx.AsyncClient, world: World) -> None:
    manager = await world.headers(Role.CENTRE_MANAGER)
    centre = str(world.here.centre.id)
    made = await client.post("/escalation-policies", json={"centre_id": centre, **POLICY}, headers=manager)
    assert made.status_code == 201, made.text
    policy_id = made.json()["policy_id"]
    shown = (await client.get(f"/centres/{centre}/escalation-preview", headers=manager)).json()
    assert (shown["policy_id"], shown["version"]) == (policy_id, 1)
    people = [{person["account_id"] for person in step["people"]} for step in shown["steps"]]
    assert people[0] == {str(world.here.staff[Role.CENTRE_MANAGER].id)}
    assert people[1] == {str(world.neighbour.staff[Role.DISPATCHER].id)}
    assert str(world.here.staff[Role.COUNTY_OFFICER].id) in people[2]
    assert shown["steps"][2]["of_the_resident"] == ["family"]
    # Its steps ring managers, a neighbour, the county and the family: nothing to warn of.
    assert made.json()["warnings"] == shown["warnings"] == []
    lighter = await client.get(f"/centres/{centre}/escalation-preview", params={"severity": 2}, headers=manager)
    assert lighter.json()["policy_id"] is None, "the default holds below its severity"

    path = f"/escalation-policies/{policy_id}"
    wrong = POLICY | {"document": POLICY["document"] | {"loop_seconds": 1}}
    refused = await client.put(path, json=wrong, headers=manager)
    assert (refused.status_code, refused.json()["code"]) == (422, "policy_invalid")
    assert refused.json()["problems"] == [{"code": "seconds_out_of_range", "at": "loop_seconds"}]
    changed = await client.put(path, json=POLICY | {"name": "新"}, headers=manager | {"If-Match": '"1"'})
    assert changed.json()["version"] == 2
    stale = await client.put(path, json=POLICY, headers=manager | {"If-Match": '"1"'})
    assert stale.status_code == 412
    versions = (await client.get(f"{path}/versions", headers=manager)).json()
    assert [(row["version"], row["name"], row["ended_at"] is None) for row in versions] == [
        (2, "新", True),
        (1, "夜班", False),
    ]
    listed = (await client.get("/escalation-policies", headers=manager)).json()["items"]
    assert policy_id in {row["policy_id"] for row in listed}
    assert (await client.post(f"{path}/end", headers=manager)).json()["ended_at"]
    after = (await client.get(f"/centres/{centre}/escalation-preview", headers=manager)).json()
    assert after["policy_id"] is None


async def test_a_toothless_policy_is_taken_with_warnings(client: httpx.AsyncClient, world: World) -> None:
    manager = await world.headers(Role.CENTRE_MANAGER)
    centre = str(world.here.centre.id)
    only_step = {"after_seconds": 0, "recipients": [{"who": "duty", "role": "dispatcher"}], "channels": ["app"]}
    toothless = POLICY | {"document": POLICY["document"] | {"steps": [only_step]}}
    made = await client.post("/escalation-policies", json={"centre_id": centre, **toothless}, headers=manager)
    assert made.status_code == 201, made.text
    path = f"/escalation-policies/{made.json()['policy_id']}"
    try:
        shown = (await client.get(path, headers=manager)).json()
        preview = (await client.get(f"/centres/{centre}/escalation-preview", headers=manager)).json()
    finally:
        await client.post(f"{path}/end", headers=manager)
    codes = [warning["code"] for warning in made.json()["warnings"]]
    assert codes == ["no_phone_channel", "single_step", "no_manager", "nobody_above_the_centre", "family_not_told"]
    assert shown["warnings"] == preview["warnings"] == made.json()["warnings"]
    assert all(warning["zh"] and warning["en"] for warning in shown["warnings"])


async def test_another_centre_sees_neither_policy_nor_preview(
    client: httpx.AsyncClient, world: World, case: Case
) -> None:
    neighbour = await world.headers(Role.CENTRE_MANAGER, world.neighbour)
    for path in (f"/escalation-policies/{case.policy_id}", f"/centres/{case.centre_id}/escalation-preview"):
        assert (await client.get(path, headers=neighbour)).status_code == 404


async def test_metrics_show_what_nobody_looks_after(app: FastAPI, world: World, case: Case) -> None:
    async def figures() -> dict[str, float]:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
            lines = (await client.get("/metrics")).text.splitlines()
        return {line.split()[0]: float(line.split()[1]) for line in lines if line.startswith("guoyuan_")}

    before = await figures()
    late = text(
        "UPDATE escalation SET next_at = now() - interval '1 minute', failed_at = now(), nobody_since = now()"
        " WHERE alert_id = :id"
    )
    async with world.database.unit_of_work(SYSTEM) as work:
        await work.sql(late, {"id": case.alert_id})
    await beat_once(world.database, "auditor")
    after = await figures()
    for name in ("escalations_overdue", "ladders_broken", "alerts_with_nobody"):
        assert after[f"guoyuan_{name}"] == before[f"guoyuan_{name}"] + 1, name
    assert 0 <= after["guoyuan_auditor_silent_seconds"] < 60
    async with world.database.unit_of_work(SYSTEM) as work:
        await work.sql(text("DELETE FROM escalation WHERE alert_id = :id"), {"id": case.alert_id})
    gone = await figures()
    assert gone["guoyuan_alerts_without_ladder"] == before["guoyuan_alerts_without_ladder"] + 1
