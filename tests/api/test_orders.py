"""The order path over HTTP: what the edge adds to the verbs."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from api.house import House
from services.core.actor import Role
from tests.world import World, build_world


@pytest.fixture
async def town(house: House) -> World:
    """A world that the test may use up."""
    return await build_world(house.database, house.settings, house.vault)


def wish(world: World, **more: Any) -> dict[str, Any]:
    """An order for tomorrow's work, an hour from now."""
    start = datetime.now(UTC) + timedelta(hours=1)
    return {
        "resident_id": str(world.here.households[0].resident.id),
        "item_code": "wound_dressing",
        "window_start": start.isoformat(),
        "window_end": (start + timedelta(hours=4)).isoformat(),
        "note": "大门在屋后",
        **more,
    }


async def place(client: httpx.AsyncClient, world: World, **more: Any) -> dict[str, Any]:
    """A placed order, as the resident's page gets it."""
    answer = await client.post("/orders", json=wish(world, **more), headers=await world.headers(Role.RESIDENT))
    assert answer.status_code == 201, answer.text
    placed: dict[str, Any] = answer.json()
    return placed


async def test_the_menu_shows_where_its_prices_come_from(client: httpx.AsyncClient, world: World) -> None:
    answer = await client.get("/catalogue", headers=await world.headers(Role.FAMILY))
    sections = answer.json()["sections"]
    assert sections[0]["category"] == "meal"
    (dressing,) = [i for s in sections for i in s["items"] if i["code"] == "wound_dressing"]
    rule = dressing["price_rule"]
    assert rule["verified"] is False
    assert rule["source"]
    assert rule["version"]
    assert rule["effective_date"]
    assert [part["code"] for part in rule["components"]] == ["medical_service", "home_visit_fee"]
    assert {"zh", "en", "code"} == set(dressing["checklist"][0])


async def test_a_double_tap_is_one_order(client: httpx.AsyncClient, town: World) -> None:
    headers = await town.headers(Role.RESIDENT) | {"Idempotency-Key": str(uuid4())}
    body = wish(town)
    answers = await asyncio.gather(*(client.post("/orders", json=body, headers=headers) for _ in range(12)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    listed = await client.get("/orders", headers=await town.headers(Role.DISPATCHER))
    assert [order["id"] for order in listed.json()["items"]] == [answers[0].json()["id"]]
    other = await client.post("/orders", json=body | {"note": "另一单"}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"item_code": "no_such_item"}, "items_refused", None),
        ({"window_start": "2026-11-24T09:00:00"}, "invalid_input", "window_start"),
        ({"window_end": "2020-01-01T00:00:00Z"}, "window_invalid", None),
        ({"quantity": 0}, "invalid_input", "quantity"),
        ({"quantity": 13}, "invalid_input", "quantity"),
        ({"note": "长" * 501}, "invalid_input", "note"),
        ({"start_code": "1234"}, "invalid_input", "start_code"),
        ({"centre_id": str(uuid4())}, "invalid_input", "centre_id"),
        ({"channel": "phone"}, "invalid_input", "channel"),
        ({"resident_id": "me"}, "invalid_input", "resident_id"),
        ({"window_start": "9999-12-31T23:59:59-12:00"}, "invalid_input", "window_start"),
        ({"note": "空字符\u0000"}, "invalid_input", None),
        ({"note": "半个字\ud83d"}, "invalid_input", "note"),
    ],
)
async def test_what_is_no_order(
    client: httpx.AsyncClient, world: World, change: dict[str, Any], code: str, field: str | None
) -> None:
    headers = await world.headers(Role.RESIDENT) | {"Content-Type": "application/json"}
    answer = await client.post("/orders", content=json.dumps(wish(world, **change)), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    if field is not None:
        assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_versions_travel_as_etags(client: httpx.AsyncClient, town: World) -> None:
    order = await place(client, town)
    headers = await town.headers(Role.RESIDENT)
    read = await client.get(f"/orders/{order['id']}", headers=headers)
    assert read.headers["etag"] == f'"{order["version"]}"'
    path, body = f"/orders/{order['id']}/cancel", {"reason": "改天"}
    stale = await client.post(path, json=body, headers=headers | {"If-Match": '"99"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "version_mismatch")
    done = await client.post(path, json=body, headers=headers | {"If-Match": read.headers["etag"]})
    assert (done.status_code, done.json()["status"]) == (200, "cancelled")
    again = await client.post(path, json=body, headers=headers)
    assert (again.status_code, again.json()["version"]) == (200, done.json()["version"])


async def test_pages_end_and_do_not_overlap(client: httpx.AsyncClient, town: World) -> None:
    placed = [(await place(client, town))["id"] for _ in range(5)]
    headers, seen, cursor = await town.headers(Role.DISPATCHER), [], None
    while True:
        params: dict[str, Any] = {"limit": 2, "status": ["placed", "offered"]} | (
            {"cursor": cursor} if cursor else {}
        )
        page = (await client.get("/orders", params=params, headers=headers)).json()
        seen += [order["id"] for order in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == placed[::-1]
    none = await client.get("/orders", params={"status": "completed"}, headers=headers)
    assert none.json() == {"items": [], "next_cursor": None}


async def test_from_suggestion_to_rating(client: httpx.AsyncClient, town: World, house: House) -> None:
    order = await place(client, town)
    desk, nurse = await town.headers(Role.DISPATCHER), await town.headers(Role.CAREGIVER)
    path = f"/orders/{order['id']}"
    found = (await client.get(f"{path}/suggestions", headers=desk)).json()
    caregiver = str(town.here.caregivers[0].id)
    assert caregiver in {one["caregiver_id"] for one in found["suggestions"]}
    assert {reason["code"] for reason in found["suggestions"][0]["reasons"]} >= {"travel", "continuity", "load"}

    asked = await client.post(f"{path}/offers", json={"caregiver_ids": [caregiver]}, headers=desk)
    assert asked.status_code == 201, asked.text
    mine = (await client.get("/offers", headers=nurse)).json()["items"]
    assert [offer["id"] for offer in mine] == [asked.json()["items"][0]["id"]]
    taken = await client.post(f"/offers/{mine[0]['id']}/accept", headers=nurse)
    assert taken.status_code == 200, taken.text
    repeated = await client.post(f"/offers/{mine[0]['id']}/accept", headers=nurse)
    assert (repeated.status_code, repeated.json()) == (200, taken.json())

    visit = f"/visits/{taken.json()['visit_id']}"
    shown = await client.get(visit, headers=nurse)
    assert shown.json()["address"] == order["address"]
    said = {"device_at": datetime.now(UTC).isoformat(), "latitude": 28.3, "longitude": 113.2, "accuracy_m": 9}
    for step, body in (
        ("en-route", None),
        ("check-in", said | {"start_code": order["start_code"]}),
        ("check-out", said | {"tasks_done": [task["code"] for task in shown.json()["checklist"]]}),
    ):
        answer = await client.post(f"{visit}/{step}", json=body, headers=nurse)
        assert answer.status_code == 200, answer.text
    assert (answer.json()["status"], answer.json()["flags"]) == ("flagged", ["too_short"])
    assert (await client.get(f"{path}/settlement", headers=desk)).json()["code"] == "not_settled"

    home = await town.headers(Role.RESIDENT) | {"Idempotency-Key": str(uuid4())}
    taps = [
        await client.post(f"{path}/rating", json={"score": 5, "words": "细心"}, headers=home) for _ in range(2)
    ]
    assert [tap.status_code for tap in taps] == [201, 201]
    assert taps[0].json() == taps[1].json()
    twice = await client.post(f"{path}/rating", json={"score": 1}, headers=await town.headers(Role.FAMILY))
    assert (twice.status_code, twice.json()["code"]) == (409, "already_rated")

    detail = (await client.get(path, headers=desk)).json()
    assert (detail["status"], detail["rating_score"], len(detail["visits"])) == ("completed", 5, 1)
    history = (await client.get(f"{path}/history", headers=desk)).json()["items"]
    assert [line["to_status"] for line in history if line["entity"] == "order"] == [
        "placed",
        "offered",
        "assigned",
        "in_progress",
        "completed",
    ]
    family = (await client.get(path, headers=await town.headers(Role.FAMILY))).json()
    assert family["offers"] == []
    assert len(family["visits"]) == 1


async def test_no_answer_to_a_caregiver_carries_the_start_code(client: httpx.AsyncClient, town: World) -> None:
    order = await place(client, town)
    desk, nurse = await town.headers(Role.DISPATCHER), await town.headers(Role.CAREGIVER)
    wanted = {"caregiver_ids": [str(town.here.caregivers[0].id)]}
    offer = (await client.post(f"/orders/{order['id']}/offers", json=wanted, headers=desk)).json()["items"][0]
    answers = [
        await client.get("/offers", headers=nurse),
        await client.post(f"/offers/{offer['id']}/accept", headers=nurse),
    ]
    visit = f"/visits/{answers[1].json()['visit_id']}"
    said = {"device_at": datetime.now(UTC).isoformat(), "start_code": "x"}
    answers += [
        await client.get("/visits", headers=nurse),
        await client.get(visit, headers=nurse),
        await client.post(f"{visit}/check-in", json=said, headers=nurse),
    ]
    assert all(answer.status_code == 200 for answer in answers)
    for answer in answers:
        assert '"start_code"' not in answer.text
        assert f'"{order["start_code"]}"' not in answer.text
    assert (await client.get(f"/orders/{order['id']}", headers=nurse)).status_code == 403


async def test_refusals_list_every_reason(client: httpx.AsyncClient, town: World) -> None:
    order = await place(client, town)
    desk = await town.headers(Role.DISPATCHER)
    late = datetime.now(UTC) + timedelta(hours=60)
    body: dict[str, Any] = {
        "caregiver_id": str(town.here.caregivers[0].id),
        "starts_at": late.isoformat(),
    }
    path = f"/orders/{order['id']}/assign"
    refused = await client.post(path, json=body, headers=desk)
    assert (refused.status_code, refused.json()["code"]) == (409, "not_assignable")
    (listed,) = refused.json()["caregivers"]
    assert {reason["code"] for reason in listed["reasons"]} == {"outside_window", "not_on_shift"}
    assert all(reason["zh"] and reason["en"] for reason in listed["reasons"])
    done = await client.post(path, json=body | {"override": {"reason": "长者改期，电话确认"}}, headers=desk)
    assert (done.status_code, done.json()["status"]) == (200, "assigned")
    assert done.json()["bookings"][0]["override"]["issues"] == ["outside_window", "not_on_shift"]
    nobody = await client.post(path, json={"caregiver_ids": []}, headers=desk)
    assert nobody.status_code == 422


async def test_an_expired_offer_is_refused_over_http(client: httpx.AsyncClient, town: World, house: House) -> None:
    order = await place(client, town)
    wanted = {"caregiver_ids": [str(town.here.caregivers[0].id)], "seconds": 5}
    desk, nurse = await town.headers(Role.DISPATCHER), await town.headers(Role.CAREGIVER)
    offer = (await client.post(f"/orders/{order['id']}/offers", json=wanted, headers=desk)).json()["items"][0]
    await asyncio.sleep(5.1)
    answer = await client.post(f"/offers/{offer['id']}/accept", headers=nurse)
    assert (answer.status_code, answer.json()["code"]) == (409, "offer_expired")


async def test_the_board(client: httpx.AsyncClient, town: World) -> None:
    waiting, asked = await place(client, town, is_urgent=True), await place(client, town)
    desk = await town.headers(Role.DISPATCHER)
    wanted = {"caregiver_ids": [str(town.here.caregivers[0].id)]}
    await client.post(f"/orders/{asked['id']}/offers", json=wanted, headers=desk)
    path = f"/centres/{town.here.centre.id}/board"
    board = (await client.get(path, headers=desk)).json()
    assert [order["id"] for order in board["columns"]["placed"]] == [waiting["id"]]
    (offered,) = board["columns"]["offered"]
    assert offered["offers"][0]["expires_at"]
    assert offered["resident_name"] == town.here.households[0].resident.name
    assert offered["area_code"] == town.here.households[0].resident.area_code
    assert board["truncated"] is False
    for role, place_ in ((Role.CENTRE_MANAGER, town.here), (Role.COUNTY_OFFICER, town.here)):
        seen = await client.get(path, headers=await town.headers(role, place_))
        assert seen.status_code == 200
        is_masked = seen.json()["columns"]["offered"][0]["resident_name"].endswith("**")
        assert is_masked is (role is Role.COUNTY_OFFICER)
    foreign = await client.get(path, headers=await town.headers(Role.DISPATCHER, town.neighbour))
    assert (foreign.status_code, foreign.json()["code"]) == (404, "not_found")
    reads = await client.get("/me/access-log", headers=await town.headers(Role.RESIDENT))
    assert "board" in {line["resource"] for line in reads.json()["items"]}


async def test_centres_are_public_to_the_signed_in(client: httpx.AsyncClient, town: World) -> None:
    headers = await town.headers(Role.RESIDENT)
    listed = (await client.get("/centres", headers=headers)).json()["items"]
    one = await client.get(f"/centres/{town.here.centre.id}", headers=headers)
    assert one.json() in listed
    assert (await client.get(f"/centres/{uuid4()}", headers=headers)).status_code == 404


async def test_parallel_requests_never_double_book(client: httpx.AsyncClient, town: World) -> None:
    placed = [await place(client, town) for _ in range(12)]
    desk = await town.headers(Role.DISPATCHER)
    body = {
        "caregiver_id": str(town.here.caregivers[0].id),
        "starts_at": (datetime.now(UTC) + timedelta(hours=2)).isoformat(),
        "override": {"reason": "看谁先到"},
    }
    answers = await asyncio.gather(
        *(client.post(f"/orders/{order['id']}/assign", json=body, headers=desk) for order in placed)
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 11
    assert {answer.json().get("code") for answer in answers} == {None, "double_booked"}
    board = (await client.get(f"/centres/{town.here.centre.id}/board", headers=desk)).json()["columns"]
    assert (len(board["assigned"]), len(board["placed"])) == (1, 11)
