"""A terminal that changes hands: what is old belongs to who wore it then, what is new to who wears it now."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

import pytest

from devices.registry import TerminalRegistry
from services.core.actor import SYSTEM
from services.terminals import lifecycle
from services.terminals.registry_models import BindRequest
from tests.devices.shelf import Shelf


async def test_late_readings_go_to_who_wore_it_then(shelf: Shelf) -> None:
    one, two = shelf.resident(0), shelf.resident(1)
    first = await shelf.bind(one)
    shelf.clock.forward(hours=2)
    unbound = await shelf.unbind()
    shelf.clock.forward(hours=2)
    second = await shelf.bind(two)
    shelf.clock.forward(hours=1)
    hour = timedelta(hours=1)
    await shelf.measure(1, first - hour, first + hour, unbound + hour, second, second + hour)
    assert await shelf.wearers() == {
        first - hour: None,
        first + hour: one,
        unbound + hour: None,
        second: two,
        second + hour: two,
    }


async def test_an_old_reading_stays_in_the_area_of_its_resident(shelf: Shelf) -> None:
    there = shelf.world.neighbour
    await shelf.bind(shelf.resident(0))
    shelf.clock.forward(hours=1)
    old = shelf.clock.now()
    shelf.clock.forward(hours=1)
    await shelf.unbind()
    await shelf.bind(shelf.resident(0, there))
    shelf.clock.forward(hours=1)
    await shelf.measure(1, old, shelf.clock.now())
    rows = await shelf.rows(
        "SELECT resident_id, area_code FROM reading WHERE terminal_id = :id ORDER BY measured_at"
    )
    homes = [shelf.world.here.households[0].resident, there.households[0].resident]
    assert [(row["resident_id"], row["area_code"]) for row in rows] == [(r.id, r.area_code) for r in homes]


async def test_an_old_press_is_the_former_wearers_and_the_present_one_is_called_too(shelf: Shelf) -> None:
    there = shelf.world.neighbour
    one, two = shelf.resident(0), shelf.resident(0, there)
    await shelf.bind(one)
    shelf.clock.forward(hours=1)
    pressed = shelf.clock.now()
    shelf.clock.forward(hours=1)
    await shelf.unbind()
    rebound = await shelf.bind(two)
    shelf.clock.forward(minutes=1)
    await shelf.press("p1", pressed)
    await shelf.press("p1", pressed)  # repeated, as every alarm is until its receipt
    alerts = await shelf.alerts()
    assert set(alerts) == {one, two}
    assert (alerts[one]["centre_id"], alerts[two]["centre_id"]) == (shelf.world.here.centre.id, there.centre.id)
    assert alerts[one]["alarm_id"] == "p1"
    assert all(alert["occurrences"] == 1 for alert in alerts.values())
    assert alerts[one]["detail"]["rebound_at"] == rebound.isoformat()


async def test_a_press_that_nobodys_time_covers_is_the_present_wearers(shelf: Shelf) -> None:
    before = shelf.clock.now()
    shelf.clock.forward(hours=3)
    await shelf.bind(shelf.resident(0))
    await shelf.press("p1", before)
    assert set(await shelf.alerts()) == {shelf.resident(0)}


async def test_an_old_press_of_a_terminal_on_the_shelf_reaches_its_last_wearers_centre(shelf: Shelf) -> None:
    await shelf.bind(shelf.resident(0))
    shelf.clock.forward(hours=1)
    pressed = shelf.clock.now()
    shelf.clock.forward(hours=1)
    await shelf.unbind()
    await shelf.press("p1", pressed)
    await shelf.press("p2", shelf.clock.now())
    alerts = await shelf.alerts()
    assert set(alerts) == {shelf.resident(0), None}
    assert {alert["centre_id"] for alert in alerts.values()} == {shelf.world.here.centre.id}


async def test_a_press_right_after_binding_is_the_wearers(shelf: Shelf) -> None:
    """The copy of ingest has not heard of the binding yet, and hears of nothing in this test."""
    await shelf.registry.reload()
    async with shelf.database.unit_of_work(SYSTEM) as work:
        await lifecycle.bind(work, shelf.terminal_id, BindRequest(resident_id=shelf.resident(0)))
    copy = shelf.registry.known(shelf.terminal_id)
    assert copy is not None
    assert copy.resident_id is None
    shelf.clock.forward(seconds=0.03)
    await shelf.press("p1", shelf.clock.now())
    await shelf.measure(1, shelf.clock.now())
    assert set(await shelf.alerts()) == {shelf.resident(0)}
    assert await shelf.wearers() == {shelf.clock.now(): shelf.resident(0)}


async def test_a_press_right_after_a_change_of_hands_is_the_new_wearers(shelf: Shelf) -> None:
    await shelf.bind(shelf.resident(0))
    shelf.clock.forward(hours=1)
    await shelf.unbind()
    async with shelf.database.unit_of_work(SYSTEM) as work:
        await lifecycle.bind(work, shelf.terminal_id, BindRequest(resident_id=shelf.resident(1)))
    shelf.clock.forward(seconds=0.03)
    await shelf.press("p1", shelf.clock.now())
    assert set(await shelf.alerts()) == {shelf.resident(1)}


async def test_the_first_press_of_a_terminal_that_was_not_in_service_is_heard(shelf: Shelf) -> None:
    await shelf.bind(shelf.resident(0))
    async with shelf.database.unit_of_work(SYSTEM) as work:
        await lifecycle.suspend(work, shelf.terminal_id, "送修")
    await shelf.registry.reload()
    assert await shelf.registry.find(shelf.terminal_id) is None  # and that is remembered for some seconds
    async with shelf.database.unit_of_work(SYSTEM) as work:
        await lifecycle.resume(work, shelf.terminal_id)
    await shelf.press("p1", shelf.clock.now())
    assert set(await shelf.alerts()) == {shelf.resident(0)}


@asynccontextmanager
async def refreshing(registry: TerminalRegistry) -> AsyncIterator[None]:
    task = asyncio.create_task(registry.refresh_forever())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_ingest_hears_at_once_of_a_change_of_hands(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devices.registry.REFRESH_SECONDS", 3_600.0)
    await shelf.bind(shelf.resident(0))

    async def until(resident_id: UUID | None) -> None:
        async with asyncio.timeout(3):
            while (found := shelf.registry.known(shelf.terminal_id)) is None or found.resident_id != resident_id:  # noqa: ASYNC110  the registry tells nobody
                await asyncio.sleep(0.01)

    async with refreshing(shelf.registry):
        await asyncio.sleep(0)
        async with shelf.database.unit_of_work(SYSTEM) as work:
            await lifecycle.unbind(work, shelf.terminal_id, "收回")
        await until(None)
        async with shelf.database.unit_of_work(SYSTEM) as work:
            await lifecycle.bind(work, shelf.terminal_id, BindRequest(resident_id=shelf.resident(1)))
        await until(shelf.resident(1))
        async with shelf.database.unit_of_work(SYSTEM) as work:
            await lifecycle.suspend(work, shelf.terminal_id, "送修")
        async with asyncio.timeout(3):
            while shelf.registry.known(shelf.terminal_id) is not None:  # noqa: ASYNC110  same
                await asyncio.sleep(0.01)
