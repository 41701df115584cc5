"""Dispatch over HTTP: sixty-four phones at once, a neighbour that helps, and an order that dispatches itself."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import text

from services.core.actor import SYSTEM, Role
from services.core.ids import new_id
from services.identity.models import Account
from services.identity.service import open_session
from tests.ordering import Ordering
from tests.world import World

CROWD = 64
Client = Callable[[], httpx.AsyncClient]


async def crew(world: World, count: int) -> dict[str, dict[str, str]]:
    """Caregivers of the centre with a phone each: what their requests carry, by caregiver."""
    made = await Ordering(world, world.database, world.database.clock).add_caregivers(count)  # type: ignore[arg-type]
    carried = {}
    async with world.database.unit_of_work(SYSTEM) as work:
        for one in made:
            account = Account(
                role=Role.CAREGIVER,
                display_name=one.name,
                area_code=one.area_code,
                login=f"caregiver-{new_id()}",
                password_hash="-",
                person_id=one.id,
                centre_id=one.centre_id,
                created_at=work.now,
            )
            work.session.add(account)
            await work.session.flush()
            token = open_session(work, world.settings, account).access_token
            carried[str(one.id)] = {"Authorization": f"Bearer {token}"}
    return carried


async def place(client: httpx.AsyncClient, world: World, **wish: Any) -> dict[str, Any]:
    start = world.database.clock.now() + timedelta(hours=3)
    body = {
        "resident_id": str(world.here.households[0].resident.id),
        "item_code": "bathing",
        "window_start": start.isoformat(),
        "window_end": (start + timedelta(hours=4)).isoformat(),
        **wish,
    }
    answer = await client.post("/orders", json=body, headers=await world.headers(Role.RESIDENT))
    assert answer.status_code == 201, answer.text
    placed: dict[str, Any] = answer.json()
    return placed


async def test_sixty_four_phones_accept_one_order_at_once(api: Client, world: World) -> None:
    carried = await crew(world, CROWD)
    desk = await world.headers(Role.DISPATCHER)
    async with api() as client:
        order = await place(client, world)
        sent = await client.post(
            f"/orders/{order['id']}/offers", json={"caregiver_ids": list(carried)}, headers=desk, timeout=60
        )
        assert sent.status_code == 201, sent.text
        offers = sent.json()["items"]
        assert len(offers) == CROWD

        async def take(offer: dict[str, Any]) -> tuple[int, str]:
            async with api() as phone:
                answer = await phone.post(
                    f"/offers/{offer['id']}/accept", headers=carried[offer["caregiver_id"]], timeout=60
                )
            return answer.status_code, answer.json().get("code", answer.json().get("status"))

        outcomes = Counter(await asyncio.gather(*map(take, offers)))
        assert outcomes == {(200, "accepted"): 1, (409, "offer_closed"): CROWD - 1}
        detail = (await client.get(f"/orders/{order['id']}", headers=desk)).json()
    assert detail["status"] == "assigned"
    assert len(detail["bookings"]) == len(detail["visits"]) == 1
    assert Counter(offer["status"] for offer in detail["offers"]) == {"accepted": 1, "superseded": CROWD - 1}


async def test_an_order_dispatches_itself_and_its_caregiver_is_told(api: Client, world: World) -> None:
    manager, desk = await world.headers(Role.CENTRE_MANAGER), await world.headers(Role.DISPATCHER)
    policy = {"centre_id": str(world.here.centre.id), "mode": "assign_best", "reason": "试行自动派单"}
    async with api() as client:
        saved = await client.post("/dispatch-policies", json=policy, headers=manager)
        assert saved.status_code == 201, saved.text
        order = await place(client, world)
        async with asyncio.timeout(30):
            while (await client.get(f"/orders/{order['id']}", headers=desk)).json()["status"] != "assigned":  # noqa: ASYNC110  the worker does it
                await asyncio.sleep(0.2)
        told = (await client.get(f"/orders/{order['id']}/dispatch", headers=desk)).json()
        assert [act["kind"] for act in told["acts"]] == ["round_started", "assigned", "round_ended"]
        assert {act["role"] for act in told["acts"]} == {"system"}
        booking = (await client.get(f"/orders/{order['id']}", headers=desk)).json()["bookings"][0]
        off = {"centre_id": str(world.here.centre.id), "mode": "off", "reason": "试行结束"}
        assert (await client.post("/dispatch-policies", json=off, headers=manager)).json()["version"] == 2
    if any(str(one.id) == booking["caregiver_id"] for one in world.here.caregivers):
        await _is_told(world, UUID(booking["id"]))


async def _is_told(world: World, booking_id: UUID) -> None:
    async with asyncio.timeout(20):
        while True:
            async with world.database.unit_of_work(SYSTEM) as work:
                found = await work.sql(
                    text("SELECT template FROM notification WHERE key = :key"),
                    {"key": f"booking:{booking_id}:made"},
                )
                if found.scalars().all() == ["visit_assigned"]:
                    return
            await asyncio.sleep(0.2)
