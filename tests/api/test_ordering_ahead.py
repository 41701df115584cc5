"""Quotes, several items, packages and recurring plans over HTTP, as a resident's page and a desk use them."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from api.house import House
from services.core.actor import Role
from services.core.clock import BUSINESS_ZONE
from tests.world import World, build_world

CLIENTS = 64


@pytest.fixture
async def town(house: House) -> World:
    """A world that the test may use up."""
    return await build_world(house.database, house.settings, house.vault)


def windows(*in_hours: float) -> list[dict[str, str]]:
    now = datetime.now(UTC)
    return [
        {
            "start": (now + timedelta(hours=hours)).isoformat(),
            "end": (now + timedelta(hours=hours + 4)).isoformat(),
        }
        for hours in in_hours
    ]


def asked(world: World, **more: Any) -> dict[str, Any]:
    return {
        "resident_id": str(world.here.households[0].resident.id),
        "items": [{"item_code": "bathing"}, {"item_code": "meal_delivery", "quantity": 2}],
        "windows": windows(26, 50),
        **more,
    }


async def test_one_quote_many_clients_one_order(client: httpx.AsyncClient, town: World) -> None:
    headers = await town.headers(Role.RESIDENT)
    told = await client.post("/quotes", json=asked(town), headers=headers)
    assert told.status_code == 201, told.text
    quote = told.json()
    body = {"resident_id": quote["resident_id"], "quote_id": quote["id"]}
    answers = await asyncio.gather(*(client.post("/orders", json=body, headers=headers) for _ in range(CLIENTS)))
    assert Counter(answer.json().get("code", "placed") for answer in answers) == {
        "placed": 1,
        "quote_used": CLIENTS - 1,
    }
    placed = next(answer.json() for answer in answers if answer.status_code == 201)
    assert (placed["quote"], placed["quote_id"]) == (quote["price"], quote["id"])
    assert [item["item_code"] for item in placed["items"]] == ["bathing", "meal_delivery"]
    listed = await client.get("/orders", headers=headers)
    assert len(listed.json()["items"]) == 1
    kept = await client.get(f"/quotes/{quote['id']}", headers=headers)
    assert kept.json()["used_at"] is not None


async def test_a_double_tap_on_a_quote_is_one_quote(client: httpx.AsyncClient, town: World) -> None:
    headers = await town.headers(Role.RESIDENT) | {"Idempotency-Key": str(uuid4())}
    body = asked(town)
    answers = await asyncio.gather(*(client.post("/quotes", json=body, headers=headers) for _ in range(12)))
    assert len({answer.text for answer in answers}) == 1
    listed = await client.get("/quotes", headers=await town.headers(Role.DISPATCHER))
    assert [quote["id"] for quote in listed.json()["items"]] == [answers[0].json()["id"]]


async def test_problems_of_every_item_in_one_answer(client: httpx.AsyncClient, town: World) -> None:
    items = [{"item_code": "no_such_item"}, {"item_code": "bathing"}, {"item_code": "nor_this"}]
    for path in ("/quotes", "/orders"):
        answer = await client.post(path, json=asked(town, items=items), headers=await town.headers(Role.FAMILY))
        assert (answer.status_code, answer.json()["code"]) == (422, "items_refused")
        assert [(one["line_no"], one["item_code"]) for one in answer.json()["items"]] == [
            (1, "no_such_item"),
            (3, "nor_this"),
        ]
        assert answer.json()["items"][0]["problems"][0]["code"] == "not_on_the_menu"


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        ({"item_code": "bathing"}, {"exactly_one"}),
        ({"items": []}, {"what_is_missing"}),
        ({"windows": []}, {"when_is_missing"}),
        ({"windows": windows(26, 27)}, {"windows_overlap"}),
        ({"items": [{"item_code": "bathing"}] * 2}, {"same_item_twice"}),
    ],
)
async def test_bodies_that_do_not_fit_together(
    client: httpx.AsyncClient, town: World, change: dict[str, Any], codes: set[str]
) -> None:
    answer = await client.post("/quotes", json=asked(town, **change), headers=await town.headers(Role.RESIDENT))
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
    assert {error["code"] for error in answer.json()["errors"]} == codes


async def test_rescheduling_and_wishes_over_http(client: httpx.AsyncClient, town: World) -> None:
    headers = await town.headers(Role.RESIDENT)
    order = (await client.post("/orders", json=asked(town), headers=headers)).json()
    path = f"/orders/{order['id']}"
    moved = await client.post(f"{path}/reschedule", json={"windows": windows(74)}, headers=headers)
    assert (moved.status_code, len(moved.json()["windows"])) == (200, 1)
    stale = await client.patch(f"{path}/wishes", json={"note": "后门"}, headers=headers | {"If-Match": '"1"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "version_mismatch")
    said = await client.patch(
        f"{path}/wishes", json={"note": "后门"}, headers=headers | {"If-Match": moved.headers["etag"]}
    )
    assert (said.status_code, said.json()["note"]) == (200, "后门")
    changes = (await client.get(f"{path}/changes", headers=headers)).json()["items"]
    assert [change["kind"] for change in changes] == ["wishes", "rescheduled"]


async def test_a_package_over_http(client: httpx.AsyncClient, town: World) -> None:
    county, desk = await town.headers(Role.COUNTY_OFFICER), await town.headers(Role.DISPATCHER)
    template = {
        "code": f"p{uuid4().hex[:20]}",
        "name_zh": "测试包",
        "name_en": "Test package",
        "items": [{"item_code": "bathing", "quantity": 2}],
        "validity_days": 30,
        "price_fen": 100,
        "source": "测试",
    }
    made = await client.post("/package-templates", json=template, headers=county)
    assert (made.status_code, made.json()["verified"]) == (201, False)
    again = await client.post("/package-templates", json=template, headers=county)
    assert (again.status_code, again.json()["code"]) == (409, "template_exists")
    grant = {
        "resident_id": str(town.here.households[0].resident.id),
        "template_id": made.json()["id"],
        "valid_from": datetime.now(BUSINESS_ZONE).date().isoformat(),
        "contract_reference": "签约协议 测试-001",
    }
    key = {"Idempotency-Key": str(uuid4())}
    grants = await asyncio.gather(*(client.post("/packages", json=grant, headers=desk | key) for _ in range(8)))
    assert len({answer.json()["id"] for answer in grants}) == 1
    headers = await town.headers(Role.RESIDENT)
    wish = asked(town, items=[{"item_code": "bathing"}], packages="required")
    answers = await asyncio.gather(*(client.post("/orders", json=wish, headers=headers) for _ in range(CLIENTS)))
    told = Counter(answer.json().get("code", "placed") for answer in answers)
    assert told == {"placed": 2, "entitlement_exhausted": CLIENTS - 2}
    package = (await client.get(f"/packages/{grants[0].json()['id']}", headers=headers)).json()
    (entitlement,) = package["entitlements"]
    assert (entitlement["reserved"], entitlement["left"], len(package["draws"])) == (2, 0, 2)
    placed = next(answer.json() for answer in answers if answer.status_code == 201)
    done = await client.post(f"/orders/{placed['id']}/cancel", json={"reason": "不需要了"}, headers=headers)
    assert done.status_code == 200
    package = (await client.get(f"/packages/{grants[0].json()['id']}", headers=headers)).json()
    assert (package["entitlements"][0]["released"], package["entitlements"][0]["left"]) == (1, 1)


async def test_a_plan_over_http(client: httpx.AsyncClient, town: World) -> None:
    today = datetime.now(BUSINESS_ZONE).date()
    content = {
        "items": [{"item_code": "bathing"}],
        "rrule": "FREQ=DAILY;INTERVAL=2",
        "starts_on": (today + timedelta(days=1)).isoformat(),
        "times": [{"start": "09:00", "end": "11:30"}],
    }
    headers = await town.headers(Role.FAMILY)
    told = await client.post("/care-plans/preview", params={"limit": 3}, json=content, headers=headers)
    assert (told.status_code, len(told.json()["occurrences"])) == (200, 3)
    body = content | {"resident_id": str(town.here.households[0].resident.id)}
    made = await client.post("/care-plans", json=body, headers=headers)
    assert made.status_code == 201, made.text
    path = f"/care-plans/{made.json()['id']}"
    page = (await client.get(f"{path}/occurrences", params={"limit": 2}, headers=headers)).json()
    assert [day["state"] for day in page["items"]] == ["planned", "planned"]
    following = await client.get(f"{path}/occurrences", params={"cursor": page["next_cursor"]}, headers=headers)
    assert following.json()["items"][0]["day"] == page["next_cursor"]
    first = page["items"][0]["day"]
    gone = await client.post(f"{path}/occurrences/{first}/cancel", json={"reason": "女儿在家"}, headers=headers)
    assert gone.status_code == 200, gone.text
    page = (await client.get(f"{path}/occurrences", params={"limit": 1}, headers=headers)).json()
    assert page["items"][0]["state"] == "cancelled"
    stale = await client.post(
        f"{path}/pause", json={"from_day": first, "reason": "住院"}, headers=headers | {"If-Match": '"99"'}
    )
    assert (stale.status_code, stale.json()["code"]) == (412, "version_mismatch")
    bad = await client.post("/care-plans", json=body | {"rrule": "FREQ=HOURLY"}, headers=headers)
    assert (bad.status_code, bad.json()["code"], bad.json()["reason"]) == (422, "rule_invalid", "too_frequent")
    reads = await client.get("/me/access-log", headers=await town.headers(Role.RESIDENT))
    assert {"care_plan", "care_plan_days"} <= {line["resource"] for line in reads.json()["items"]}
