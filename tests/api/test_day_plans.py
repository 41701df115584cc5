"""A day planned over HTTP: asked for, made by the worker, read, committed; a repeat is harmless."""

from datetime import datetime, time, timedelta
from uuid import uuid4

import httpx

from api.house import House
from services.core.actor import Role
from services.core.clock import BUSINESS_ZONE
from services.dispatch.day_plans.computing import make_next
from tests.world import build_world


async def test_from_the_request_to_the_commit(client: httpx.AsyncClient, house: House) -> None:
    town = await build_world(house.database, house.settings, house.vault)
    day = datetime.now(BUSINESS_ZONE).date() + timedelta(days=1)
    begins = datetime.combine(day, time(9), BUSINESS_ZONE)
    wish = {
        "resident_id": str(town.here.households[0].resident.id),
        "item_code": "cleaning",
        "window_start": begins.isoformat(),
        "window_end": (begins + timedelta(hours=2)).isoformat(),
    }
    placed = await client.post("/orders", json=wish, headers=await town.headers(Role.RESIDENT))
    assert placed.status_code == 201, placed.text
    desk = await town.headers(Role.DISPATCHER)
    ask = {
        "centre_id": str(town.here.centre.id),
        "day": day.isoformat(),
        "options": {"engine": "greedy", "seconds": 1},
    }
    once = desk | {"Idempotency-Key": f"plan-{uuid4()}"}
    first = await client.post("/day-plans", json=ask, headers=once)
    assert first.status_code == 201, first.text
    again = await client.post("/day-plans", json=ask, headers=once)
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (first.json(), "true")
    plan_id = first.json()["id"]
    early = await client.post(f"/day-plans/{plan_id}/commit", json={}, headers=desk)
    assert (early.status_code, early.json()["code"]) == (409, "plan_not_ready")

    while await make_next(house.database):
        pass
    plan = (await client.get(f"/day-plans/{plan_id}", headers=desk)).json()
    assert (plan["status"], plan["engine"], plan["unassigned"]) == ("ready", "greedy", [])
    (visit,) = [one for caregiver in plan["caregivers"] for one in caregiver["visits"]]
    assert (visit["change"], visit["order_id"]) == ("added", placed.json()["id"])
    assert town.here.households[0].resident.name not in str(plan)
    listed = await client.get("/day-plans", params={"status": "ready"}, headers=desk)
    assert [one["id"] for one in listed.json()["items"]] == [plan_id]

    old = desk | {"If-Match": f'"{plan["version"] - 1}"'}
    refused = await client.post(f"/day-plans/{plan_id}/commit", json={}, headers=old)
    assert (refused.status_code, refused.json()["code"]) == (412, "version_mismatch")
    fresh = desk | {"If-Match": f'"{plan["version"]}"'}
    done = await client.post(f"/day-plans/{plan_id}/commit", json={"strict": True}, headers=fresh)
    assert done.status_code == 200, done.text
    assert [line["order_id"] for line in done.json()["done"]] == [visit["order_id"]]
    twice = await client.post(f"/day-plans/{plan_id}/commit", json={"strict": True}, headers=fresh)
    assert twice.json() == done.json()
    order = await client.get(f"/orders/{visit['order_id']}", headers=desk)
    assert order.json()["status"] == "assigned"


async def test_a_selection_that_is_not_in_the_plan(client: httpx.AsyncClient, house: House) -> None:
    town = await build_world(house.database, house.settings, house.vault)
    desk = await town.headers(Role.DISPATCHER)
    day = datetime.now(BUSINESS_ZONE).date() + timedelta(days=1)
    ask = {"centre_id": str(town.here.centre.id), "day": day.isoformat(), "options": {"engine": "greedy"}}
    plan_id = (await client.post("/day-plans", json=ask, headers=desk)).json()["id"]
    while await make_next(house.database):
        pass
    refused = await client.post(f"/day-plans/{plan_id}/commit", json={"order_ids": [str(uuid4())]}, headers=desk)
    assert (refused.status_code, refused.json()["code"]) == (422, "unknown_selection")
    far = {**ask, "day": (day + timedelta(days=60)).isoformat()}
    refused = await client.post("/day-plans", json=far, headers=desk)
    assert (refused.status_code, refused.json()["code"]) == (422, "day_invalid")
