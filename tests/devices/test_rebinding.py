"""A terminal that changes hands: what is old belongs to who wore it then, what is new to who wears it now."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

import pytest
from sqlalchemy import text

from api.house import open_house
from devices.alarm_lane import AlarmLane
from devices.client import MqttClient
from devices.registry import TerminalRegistry
from devices.topics import UpChannel, up_topic
from devices.transport import Published
from devices.vitals_lane import VitalsLane
from services.core.actor import SYSTEM
from services.core.database import Database
from services.core.ids import new_id
from services.core.settings import Settings
from services.rules.service import Judge
from services.terminals import lifecycle
from services.terminals.models import TerminalKind, default_profile_id
from services.terminals.registry_models import BindRequest, TerminalCreate
from tests.clock import ManualClock
from tests.world import Place, World, build_world


class Shelf:
    """Both lanes without a broker, one provisioned terminal, and the staff who hand it around."""

    def __init__(self, database: Database, clock: ManualClock, world: World, terminal_id: UUID) -> None:
        self.clock, self.world, self.terminal_id, self.database = clock, world, terminal_id, database
        nobody = cast("MqttClient", None)  # nothing is answered here
        self.registry = TerminalRegistry(database)
        self._vitals = VitalsLane(database, nobody, self.registry, Judge(), batch_size=100, payload_limit=65_536)
        self._alarms = AlarmLane(database, nobody, self.registry, 16_384)

    def resident(self, number: int, place: Place | None = None) -> UUID:
        return (place or self.world.here).households[number].resident.id

    async def bind(self, resident_id: UUID) -> datetime:
        async with self.database.unit_of_work(SYSTEM) as work:
            await lifecycle.bind(work, self.terminal_id, BindRequest(resident_id=resident_id))
        await self.registry.reload()
        return self.clock.now()

    async def unbind(self) -> datetime:
        async with self.database.unit_of_work(SYSTEM) as work:
            await lifecycle.unbind(work, self.terminal_id, "收回")
        await self.registry.reload()
        return self.clock.now()

    async def measure(self, seq: int, *moments: datetime) -> None:
        readings = [{"kind": "heart_rate", "value": 72, "at": at.isoformat()} for at in moments]
        await self._vitals.store(
            await self._vitals.read([self._message(UpChannel.VITALS, {"seq": seq, "readings": readings})])
        )

    async def press(self, alarm_id: str, at: datetime, kind: str = "sos") -> None:
        alarm = {"id": alarm_id, "kind": kind, "at": at.isoformat()}
        await self._alarms.store(await self._alarms.read([self._message(UpChannel.ALARM, alarm)]))

    async def rows(self, statement: str) -> list[Any]:
        async with self.database.engine.connect() as connection:
            return list((await connection.execute(text(statement), {"id": self.terminal_id})).mappings())

    async def wearers(self) -> dict[datetime, UUID | None]:
        rows = await self.rows("SELECT measured_at, resident_id FROM reading WHERE terminal_id = :id")
        return {row["measured_at"]: row["resident_id"] for row in rows}

    async def alerts(self) -> dict[UUID | None, Any]:
        rows = await self.rows(
            "SELECT a.*, o.alarm_id, o.detail FROM alert a JOIN alert_occurrence o ON o.alert_id = a.id"
            " WHERE o.terminal_id = :id"
        )
        return {row["resident_id"]: row for row in rows}

    def _message(self, channel: UpChannel, content: dict[str, Any]) -> Published:
        topic = up_topic(self.terminal_id, channel)
        return Published(topic, json.dumps(content).encode(), 1, 1, False, False, 1)


@pytest.fixture
async def shelf(settings: Settings) -> AsyncIterator[Shelf]:
    house = open_house(settings)
    world = await build_world(house.database, settings, house.vault)
    clock = ManualClock()
    database = Database(str(settings.database_url), clock=clock)
    new = TerminalCreate(
        serial=f"R-{new_id()}",
        profile_id=default_profile_id(TerminalKind.PENDANT),
        centre_id=world.here.centre.id,
    )
    async with database.unit_of_work(SYSTEM) as work:
        terminal = await lifecycle.register(work, new)
        await lifecycle.provision(work, terminal.id)
    yield Shelf(database, clock, world, terminal.id)
    await database.close()
    await house.close()


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
