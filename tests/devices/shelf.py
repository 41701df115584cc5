"""Both lanes of ingest without a broker, and one terminal that goes from hand to hand."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, cast
from uuid import UUID

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
        self.registry = TerminalRegistry(database)
        self.restart()

    def restart(self) -> None:
        """Lanes that remember nothing."""
        nobody = cast("MqttClient", None)  # nothing is answered here
        self._vitals = VitalsLane(
            self.database, nobody, self.registry, Judge(), batch_size=100, payload_limit=65_536
        )
        self._alarms = AlarmLane(self.database, nobody, self.registry, 16_384)

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

    async def measure(self, seq: int, *moments: datetime, kind: str = "heart_rate", value: float = 72) -> None:
        readings = [{"kind": kind, "value": value, "at": at.isoformat()} for at in moments]
        await self._vitals.store(
            await self._vitals.read([self._message(UpChannel.VITALS, {"seq": seq, "readings": readings})])
        )

    async def press(self, alarm_id: str, at: datetime, kind: str = "sos") -> None:
        alarm = {"id": alarm_id, "kind": kind, "at": at.isoformat()}
        await self._alarms.store(await self._alarms.read([self._message(UpChannel.ALARM, alarm)]))

    async def status(self, state: str, at: datetime | None = None) -> None:
        said = {"state": state} if at is None else {"state": state, "at": at.isoformat()}
        await self._vitals.store(await self._vitals.read([self._message(UpChannel.STATUS, said)]))

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


@asynccontextmanager
async def open_shelf(settings: Settings) -> AsyncIterator[Shelf]:
    """A provisioned pendant that nobody wears yet."""
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
