"""Terminals under test: a real connection with a credential of their own, and what they have been told."""

import json
from asyncio import timeout
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from devices.address import MqttAddress
from devices.client import MqttClient
from devices.topics import DownChannel, UpChannel, down_topic, up_topic
from services.core.actor import SYSTEM
from services.core.ids import new_id
from services.core.settings import Settings
from services.terminals.credentials import hash_password, make_password
from tests.world import World

_RESIDENT = text(
    "INSERT INTO resident (id, area_code, name, gender, birth_date, address, latitude, longitude, access_note,"
    " conditions, allergies, medicines, categories, dialect, created_at, version)"
    " VALUES (:id, :area, '王青梅', 'female', '1940-01-01', '', 28.3, 113.2, '', '{}', '{}', '{}', '{}', '',"
    " now(), 1)"
)
_TERMINAL = text(
    "INSERT INTO terminal (id, serial, kind, profile_id, status, area_code, centre_id, resident_id, room,"
    " password_hash, version) SELECT :id, :serial, kind, id, 'bound', :area, :centre, :resident, '', :hash, 1"
    " FROM terminal_profile WHERE code = :profile"
)


def now(**ago: float) -> str:
    """A terminal's time, so long ago."""
    return (datetime.now(UTC) - timedelta(**ago)).isoformat()


@dataclass
class Pendant:
    """One connected terminal of a resident of its own."""

    id: UUID
    resident_id: UUID
    client: MqttClient
    told: list[dict[str, Any]] = field(default_factory=list)
    read: Callable[[bytes], dict[str, Any]] = json.loads

    async def send(self, channel: UpChannel, payload: object) -> None:
        """Publish, and wait for the broker's PUBACK."""
        raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        await self.client.publish(up_topic(self.id, channel), raw)

    async def press(self, alarm_id: str, kind: str = "sos") -> None:
        """Send an alarm of this moment."""
        await self.send(UpChannel.ALARM, {"id": alarm_id, "kind": kind, "at": now()})

    async def hears(self, seconds: float = 10, **wanted: object) -> dict[str, Any]:
        """Wait for a receipt with these fields."""
        async with timeout(seconds):
            while True:
                for receipt in self.told:
                    if all(receipt.get(name) == value for name, value in wanted.items()):
                        return receipt
                await self._listen()

    async def covered(self, seq: int, seconds: float = 10) -> None:
        """Wait until a receipt covers a sequence number."""
        async with timeout(seconds):
            while not any(first <= seq <= last for first, last in self._ranges()):
                await self._listen()

    def _ranges(self) -> list[tuple[int, int]]:
        return [(a, b) for receipt in self.told if receipt["type"] == "vitals" for a, b in receipt["ranges"]]

    async def _listen(self) -> None:
        for message in await self.client.batch(100):
            self.told.append(self.read(message.payload))
            self.client.ack([message])


async def new_pendant(world: World, profile: str = "pendant") -> tuple[UUID, str, UUID]:
    """Insert a terminal of a new resident of ``world.here``: (terminal, password, resident)."""
    password, terminal_id, resident_id, place = make_password(), new_id(), new_id(), world.here
    area = f"{place.town}201"
    async with world.database.unit_of_work(SYSTEM) as work:
        await work.sql(_RESIDENT, {"id": resident_id, "area": area})
        await work.sql(
            _TERMINAL,
            {
                "id": terminal_id,
                "serial": str(terminal_id),
                "area": area,
                "centre": place.centre.id,
                "resident": resident_id,
                "hash": hash_password(password),
                "profile": profile,
            },
        )
    return terminal_id, password, resident_id


@asynccontextmanager
async def connected_pendant(settings: Settings, world: World, profile: str = "pendant") -> AsyncIterator[Pendant]:
    """A bound terminal, connected and listening for receipts."""
    terminal_id, password, resident_id = await new_pendant(world, profile)
    broker = MqttAddress.parse(settings.mqtt_url or "")
    own = MqttAddress(broker.host, broker.port, str(terminal_id), password)
    async with MqttClient(own, str(terminal_id), clean=True) as client:
        await client.subscribe(down_topic(terminal_id, DownChannel.RECEIPT))
        await client.wait_connected(10)
        yield Pendant(terminal_id, resident_id, client)


async def ingest_hears(settings: Settings, world: World) -> None:
    """Repeat an alarm, as the protocol says, until ingest has subscribed and answers."""
    async with connected_pendant(settings, world) as pendant, timeout(20):
        while not pendant.told:
            await pendant.press("probe")
            with suppress(TimeoutError):
                await pendant.hears(seconds=0.3, id="probe")
