"""An older resident's order from her phone to a verified, settled and rated visit.

Everything by HTTP, on a clock that the test moves, with the worker beside it: its relay, its handlers, its
due jobs.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest

from api.app import create_app
from services import worker
from services.core.actor import Role
from services.core.crypto import Vault, vault_from
from services.core.settings import Settings
from tests.clock import ManualClock
from tests.stopping import end
from tests.world import World, build_world


@dataclass(slots=True)
class Town:
    """The people of one world on their devices."""

    client: httpx.AsyncClient
    world: World
    clock: ManualClock

    async def call(self, role: Role, method: str, path: str, body: Any = None, expect: int = 200) -> Any:
        """One request of one role; signs in anew, for the clock jumps over access tokens."""
        headers = await self.world.headers(role)
        answer = await self.client.request(method, path, json=body, headers=headers)
        assert answer.status_code == expect, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()


@pytest.fixture
def vault(settings: Settings) -> Vault:
    return vault_from(settings)


@pytest.fixture
async def town(settings: Settings, vault: Vault) -> AsyncIterator[Town]:
    """API and worker on the tests' stack."""
    clock = ManualClock()
    app = create_app(settings, clock)
    async with app.router.lifespan_context(app):
        world = await build_world(app.state.house.database, settings, vault)
        before = asyncio.all_tasks()
        working = asyncio.create_task(worker.run(settings))
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://api/api/v1") as client:
            yield Town(client, world, clock)
        await end([working], before)


async def soon(read: Callable[[], Awaitable[Any]], done: Callable[[Any], bool], seconds: float = 20) -> Any:
    """What is read, once it is so; the worker needs a moment."""
    for _ in range(int(seconds * 20)):
        found = await read()
        if done(found):
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {found}")


async def test_from_the_phone_to_the_settled_visit(town: Town) -> None:
    call, world, clock = town.call, town.world, town.clock
    start = clock.now() + timedelta(hours=2)
    order = await call(
        Role.RESIDENT,
        "POST",
        "/orders",
        {
            "resident_id": str(world.here.households[0].resident.id),
            "item_code": "wound_dressing",
            "window_start": start.isoformat(),
            "window_end": (start + timedelta(hours=3)).isoformat(),
        },
        expect=201,
    )
    path = f"/orders/{order['id']}"
    board = await call(Role.DISPATCHER, "GET", f"/centres/{world.here.centre.id}/board")
    assert [one["id"] for one in board["columns"]["placed"]] == [order["id"]]

    found = await call(Role.DISPATCHER, "GET", f"{path}/suggestions")
    asked = [one["caregiver_id"] for one in found["suggestions"]]
    assert str(world.here.caregivers[0].id) in asked
    await call(Role.DISPATCHER, "POST", f"{path}/offers", {"caregiver_ids": asked}, expect=201)
    (offer,) = (await call(Role.CAREGIVER, "GET", "/offers"))["items"]
    taken = await call(Role.CAREGIVER, "POST", f"/offers/{offer['id']}/accept")
    detail = await call(Role.FAMILY, "GET", path)
    assert (detail["status"], len(detail["visits"])) == ("assigned", 1)

    visit = f"/visits/{taken['visit_id']}"
    clock.forward(hours=2)
    await call(Role.CAREGIVER, "POST", f"{visit}/en-route")
    clock.forward(minutes=15)
    evidence = {"latitude": 28.3, "longitude": 113.2, "accuracy_m": 12}
    inside = await call(
        Role.CAREGIVER,
        "POST",
        f"{visit}/check-in",
        evidence | {"device_at": clock.now().isoformat(), "start_code": order["start_code"]},
    )
    assert (inside["status"], inside["flags"]) == ("in_service", [])
    clock.forward(minutes=30)
    ended = await call(
        Role.CAREGIVER,
        "POST",
        f"{visit}/check-out",
        evidence
        | {
            "device_at": clock.now().isoformat(),
            "tasks_done": [task["code"] for task in inside["checklist"]],
            "readings": [{"kind": "blood_pressure", "systolic": 138, "diastolic": 82}],
            "note": "伤口愈合良好",
        },
    )
    assert (ended["status"], ended["flags"]) == ("verified", [])

    async def read() -> Any:
        headers = await world.headers(Role.RESIDENT)
        return (await town.client.get(f"{path}/settlement", headers=headers)).json()

    bill = await soon(read, lambda answer: "lines" in answer)
    assert (bill["status"], bill["total_fen"]) == ("due", order["quote"]["total_fen"])
    assert sum(line["amount_fen"] for line in bill["lines"]) == bill["total_fen"]
    assert [line["code"] for line in bill["lines"]] == ["medical_service", "home_visit_fee"]
    rating = {"score": 5, "words": "很细心"}
    await call(Role.RESIDENT, "POST", f"{path}/rating", rating, expect=201)
    detail = await call(Role.DISPATCHER, "GET", path)
    assert (detail["status"], detail["settlement_status"], detail["rating_score"]) == ("completed", "due", 5)


async def test_a_flagged_visit_is_held_until_somebody_has_looked(town: Town) -> None:
    call, world, clock = town.call, town.world, town.clock
    start = clock.now() + timedelta(hours=1)
    order = await call(
        Role.FAMILY,
        "POST",
        "/orders",
        {
            "resident_id": str(world.here.households[0].resident.id),
            "item_code": "companionship",
            "window_start": start.isoformat(),
            "window_end": (start + timedelta(hours=3)).isoformat(),
        },
        expect=201,
    )
    path = f"/orders/{order['id']}"
    body = {"caregiver_id": str(world.here.caregivers[0].id)}
    detail = await call(Role.DISPATCHER, "POST", f"{path}/assign", body)
    visit = f"/visits/{detail['visits'][0]['id']}"
    clock.forward(hours=1)
    said = {"device_at": clock.now().isoformat(), "latitude": 28.4, "longitude": 113.2, "start_code": "none"}
    await call(Role.CAREGIVER, "POST", f"{visit}/check-in", said)
    clock.forward(minutes=30)
    ended = await call(
        Role.CAREGIVER,
        "POST",
        f"{visit}/check-out",
        {"device_at": clock.now().isoformat(), "latitude": 28.3, "longitude": 113.2},
    )
    assert ended["status"] == "flagged"
    assert set(ended["flags"]) == {"wrong_start_code", "far_from_home", "tasks_missing"}

    async def bill() -> Any:
        headers = await world.headers(Role.FAMILY)
        return (await town.client.get(f"{path}/settlement", headers=headers)).json()

    await soon(bill, lambda answer: answer.get("status") == "held")
    board = await call(Role.DISPATCHER, "GET", f"/centres/{world.here.centre.id}/board")
    (hung,) = board["columns"]["flagged"]
    assert hung["visits"][0]["flags"] == ended["flags"]
    await call(Role.CENTRE_MANAGER, "POST", f"{visit}/review", {"accept": True, "note": "家属证实"})
    await soon(bill, lambda answer: answer.get("status") == "due")
    board = await call(Role.DISPATCHER, "GET", f"/centres/{world.here.centre.id}/board")
    assert board["columns"]["flagged"] == []
