"""Times at the edges of the calendar are refused in words: no internal error, and nothing of them is stored."""

import httpx
import pytest

from services.core.actor import Role
from tests.world import World, open_case

EDGES = ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"]


@pytest.mark.parametrize("edge", EDGES)
async def test_a_query_at_the_edge_of_the_calendar(client: httpx.AsyncClient, world: World, edge: str) -> None:
    resident = world.here.households[0].resident.id
    desk = await world.headers(Role.CENTRE_MANAGER)
    vitals = f"/residents/{resident}/vitals"
    for path, query in [
        (vitals, {"kind": "spo2", "end": edge}),
        (f"{vitals}/gaps", {"kind": "spo2", "end": edge}),
        (f"{vitals}/gaps", {"kind": "spo2", "longer_than_minutes": 10**30}),
        (f"{vitals}/chart", {"kind": "spo2", "end": edge}),
        ("/reports/false-alarms", {"end": edge}),
        ("/visits", {"day": edge[:10]}),
        (f"/centres/{world.here.centre.id}/escalation-preview", {"at": edge, "kind": "sos"}),
    ]:
        answer = await client.get(path, params=query, headers=desk)
        assert answer.status_code == 422, f"{path} {query}: {answer.status_code} {answer.text}"


@pytest.mark.parametrize("edge", [*EDGES, "1999-01-01T00:00:00Z", "2100-01-01T00:00:00Z"])
async def test_a_call_of_120_happens_around_its_alert(client: httpx.AsyncClient, world: World, edge: str) -> None:
    case = await open_case(world, world.here)
    desk = await world.headers(Role.DISPATCHER)
    path = f"/alerts/{case.alert_id}/emergency-call"
    call = {"outcome": "ambulance_sent", "called_at": edge}
    answer = await client.post(path, json=call, headers=desk)
    assert answer.status_code == 422, answer.text
    assert (await client.post(path, json=call | {"called_at": None}, headers=desk)).status_code == 201
    hand_over = {"handed_over_to": "县人民医院急诊科", "handed_over_at": edge}
    answer = await client.post(f"{path}/handed-over", json=hand_over, headers=desk)
    assert answer.status_code == 422, answer.text
    screen = await client.get(f"/alerts/{case.alert_id}/screen", headers=desk)
    assert screen.status_code == 200, screen.text


async def test_a_second_hand_over_does_not_replace_the_first(client: httpx.AsyncClient, world: World) -> None:
    case = await open_case(world, world.here)
    desk = await world.headers(Role.DISPATCHER)
    path = f"/alerts/{case.alert_id}/emergency-call"
    await client.post(path, json={"outcome": "ambulance_sent"}, headers=desk)
    first = await client.post(f"{path}/handed-over", json={"handed_over_to": "急救车"}, headers=desk)
    assert first.status_code == 200, first.text
    second = await client.post(f"{path}/handed-over", json={"handed_over_to": "县医院"}, headers=desk)
    assert (second.status_code, second.json()["code"]) == (409, "already_handed_over")
