"""Rules over HTTP: saving with versions and refusals, trying, listing, residents' figures, maintenance."""

from typing import Any

import httpx
import pytest

from services.core.actor import Role
from tests.rules import IDLE_RULE
from tests.world import World

LIMITS = {
    "code": "heart_rate_limits",
    "kind": "heart_rate",
    "alert": "heart_rate",
    "condition": {"type": "n_of_m", "needed": 3, "of": 5},
    "levels": [
        {"severity": "warning", "limits": {"high": 110}},
        {"severity": "high", "limits": {"low": 40, "high": 131}},
    ],
    "margin": 5,
    "rearm_minutes": 30,
    "source": "主治医师意见",
}


def saving(**changes: Any) -> dict[str, Any]:
    return {"definition": {**LIMITS, **changes}, "reason": "门诊调整"}


@pytest.fixture
async def mine(world: World) -> tuple[str, dict[str, str]]:
    """The second resident of the first town, and her clinician."""
    resident = world.here.households[1].resident
    return f"/residents/{resident.id}", await world.headers(Role.CLINICIAN)


async def test_save_read_and_history(client: httpx.AsyncClient, mine: tuple[str, dict[str, str]]) -> None:
    path, headers = mine
    first = await client.post(f"{path}/rules", json=saving(), headers=headers)
    assert (first.status_code, first.json()["version"], first.json()["layer"]) == (201, 1, "resident")
    second = await client.post(
        f"{path}/rules", json={**saving(), "is_off": True}, headers={**headers, "if-match": '"1"'}
    )
    assert second.json()["version"] == 2
    stale = await client.post(f"{path}/rules", json=saving(), headers={**headers, "if-match": '"1"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "version_mismatch")
    history = await client.get(f"/rules/{first.json()['rule_id']}/versions", headers=headers)
    assert [(v["number"], v["is_off"], v["is_current"]) for v in history.json()["items"]] == [
        (2, True, True),
        (1, False, False),
    ]
    shown = (await client.get(f"{path}/rules", headers=headers)).json()
    rule = next(r for r in shown["effective"] if r["code"] == "heart_rate_limits")
    assert (rule["layer"], rule["is_off"], rule["reason"]) == ("resident", True, "门诊调整")
    assert {"kind", "code", "layer", "reason", "instead", "detail"} == set(shown["not_evaluable"][0])


async def test_a_rule_that_could_not_work_names_its_field(
    client: httpx.AsyncClient, mine: tuple[str, dict[str, str]]
) -> None:
    path, headers = mine
    body = saving(condition={"type": "n_of_m", "needed": 6, "of": 5})
    answer = await client.post(f"{path}/rules", json=body, headers=headers)
    assert answer.status_code == 422
    assert (answer.json()["code"], answer.json()["field"]) == ("invalid_rule", "condition.needed")
    answer = await client.post(f"{path}/rules", json=saving(condition={"type": "guess"}), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
    assert "condition" in answer.json()["errors"][0]["field"]


async def test_the_same_save_sent_twice_is_one_version(
    client: httpx.AsyncClient, mine: tuple[str, dict[str, str]]
) -> None:
    path, headers = mine
    twice = {**headers, "idempotency-key": "save-once-please"}
    answers = [await client.post(f"{path}/rules", json=saving(code="once_only"), headers=twice) for _ in range(2)]
    assert [answer.json()["version"] for answer in answers] == [1, 1]


async def test_preview_saves_nothing(client: httpx.AsyncClient, mine: tuple[str, dict[str, str]]) -> None:
    path, headers = mine
    body = {"definition": {**LIMITS, "code": "only_tried"}}
    answer = await client.post(f"{path}/rules/preview", json=body, headers=headers)
    assert answer.status_code == 200
    assert (answer.json()["proposed"], answer.json()["present"]) == ({"alarms": 0, "times": []}, None)
    shown = (await client.get(f"{path}/rules", headers=headers)).json()
    assert "only_tried" not in {rule["code"] for rule in shown["effective"]}


async def test_the_resident_reads_her_own_rules_and_may_not_write_them(
    client: httpx.AsyncClient, world: World
) -> None:
    headers = await world.headers(Role.RESIDENT, number=1)
    path = f"/residents/{world.here.households[1].resident.id}/rules"
    assert (await client.get(path, headers=headers)).status_code == 200
    assert (await client.post(path, json=saving(), headers=headers)).status_code == 403


async def test_a_figure_of_her_own_replaces_the_default(
    client: httpx.AsyncClient, mine: tuple[str, dict[str, str]]
) -> None:
    path, headers = mine
    body = {"name": "spo2_low", "value": 88, "reason": "慢阻肺"}
    assert (await client.post(f"{path}/attributes", json=body, headers=headers)).status_code == 201
    shown = (await client.get(f"{path}/rules", headers=headers)).json()
    rule = next(r for r in shown["effective"] if r["code"] == "spo2_limits")
    assert rule["levels"] == [{"severity": "high", "limits": {"low": 88}}]
    assert rule["fallbacks"] == []
    wrong = await client.post(f"{path}/attributes", json={**body, "value": 8}, headers=headers)
    assert (wrong.status_code, wrong.json()["code"], wrong.json()["field"]) == (422, "unknown_attribute", "value")


async def test_layers_above(client: httpx.AsyncClient, world: World) -> None:
    centre = f"/centres/{world.here.centre.id}"
    county, manager = await world.headers(Role.COUNTY_OFFICER), await world.headers(Role.CENTRE_MANAGER)
    body = {"definition": {**IDLE_RULE, "code": "above"}, "is_off": True, "reason": "试用"}
    assert (await client.post("/county/rules", json=body, headers=county)).json()["layer"] == "county"
    assert (await client.post(f"{centre}/rules", json=body, headers=manager)).json()["layer"] == "centre"
    assert (await client.post("/county/rules", json=body, headers=manager)).status_code == 403
    listed = (await client.get("/county/rules", headers=manager)).json()
    assert "above" in {rule["code"] for rule in listed}
    listed = (await client.get(f"{centre}/rules", headers=county)).json()
    assert "above" in {rule["code"] for rule in listed}


async def test_the_default_set_with_its_source(client: httpx.AsyncClient, world: World) -> None:
    shown = (await client.get("/rules/defaults", headers=await world.headers(Role.AUDITOR))).json()
    assert shown["protocol"] == ["confirm", "call", "dispatch"]
    assert (shown["verified"], bool(shown["source"])) == (False, True)
    assert {"partial_news2", "glucose_limits"} <= {rule["code"] for rule in shown["rules"]}
    assert "usual_spo2_low" in {attribute["name"] for attribute in shown["attributes"]}


async def test_maintenance(client: httpx.AsyncClient, world: World) -> None:
    headers = await world.headers(Role.DISPATCHER)
    body = {"resident_id": str(world.here.households[1].resident.id), "hours": 2, "reason": "住院"}
    started = await client.post("/maintenance", json=body, headers=headers)
    assert (started.status_code, started.json()["is_running"], started.json()["silenced"]) == (201, True, 0)
    listed = await client.get(f"/centres/{world.here.centre.id}/maintenance", headers=headers)
    assert started.json()["id"] in {row["id"] for row in listed.json()["items"]}
    end = f"/maintenance/{started.json()['id']}/end"
    ended = await client.post(end, json={"reason": "已出院"}, headers=headers)
    assert (ended.json()["is_running"], ended.json()["end_reason"]) == (False, "已出院")
    again = await client.post(end, json={"reason": "已出院"}, headers=headers)
    assert (again.status_code, again.json()["code"]) == (409, "maintenance_ended")
    long = await client.post("/maintenance", json={**body, "hours": 1000}, headers=headers)
    assert (long.status_code, long.json()["code"]) == (422, "maintenance_too_long")
    neither = await client.post("/maintenance", json={"hours": 1, "reason": "住院"}, headers=headers)
    assert neither.status_code == 422


async def test_the_list_of_what_cannot_be_judged(client: httpx.AsyncClient, world: World) -> None:
    headers = await world.headers(Role.CLINICIAN)
    resident = world.here.households[0].resident
    own = [{"severity": "high", "limits": {"high": {"attribute": "usual_heart_rate", "plus": 30}}}]
    body = saving(code="own_only", levels=own)
    assert (await client.post(f"/residents/{resident.id}/rules", json=body, headers=headers)).status_code == 201
    path = f"/centres/{world.here.centre.id}/rules/not-evaluable"
    listed = (await client.get(path, headers=headers)).json()["items"]
    hers = next(item for item in listed if item["resident_id"] == str(resident.id))
    told = next(item for item in hers["not_evaluable"] if item["code"] == "own_only")
    assert (told["reason"], told["detail"], told["instead"]) == ("missing_attribute", "usual_heart_rate", None)
