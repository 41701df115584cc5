"""Ending a terminal's connection with nothing but MQTT, on every broker, when its credential has ended."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import pytest

from api.house import open_house
from devices.address import ConnectionState, MqttAddress
from devices.client import MqttClient
from devices.takeover import end_connection, end_withdrawn_forever
from services.core.actor import SYSTEM
from services.core.database import Database
from services.core.settings import Settings
from services.terminals import lifecycle
from services.terminals.models import Terminal, TerminalKind
from services.terminals.states import TerminalStatus
from tests.world import build_world


class Watched:
    """A terminal's connection, and how often it was lost."""

    def __init__(self, address: MqttAddress, terminal_id: UUID) -> None:
        self.lost = asyncio.Event()
        self.client = MqttClient(address, str(terminal_id), clean=True, on_state=self._on_state)

    def _on_state(self, state: ConnectionState, _reason: str) -> None:
        if state is ConnectionState.DISCONNECTED:
            self.lost.set()


@asynccontextmanager
async def connected(address: MqttAddress, terminal_id: UUID) -> AsyncIterator[Watched]:
    watched = Watched(address, terminal_id)
    async with watched.client:
        await watched.client.wait_connected(10)
        watched.lost.clear()
        yield watched


async def test_its_connection_ends(
    service_address: MqttAddress, terminal_address: MqttAddress, terminal_id: UUID
) -> None:
    async with connected(terminal_address, terminal_id) as terminal:
        assert await end_connection(service_address, terminal_id)
        await asyncio.wait_for(terminal.lost.wait(), 5)


async def test_a_broker_that_is_away_is_asked_again(unused_port: int) -> None:
    nobody = MqttAddress("127.0.0.1", unused_port, "guoyuan-service", "x")
    assert not await end_connection(nobody, uuid4())


@pytest.fixture
async def stored(settings: Settings, terminal_id: UUID) -> AsyncIterator[Database]:
    """The terminal that the broker lets in, in the database too."""
    house = open_house(settings)
    world = await build_world(house.database, settings, house.vault)
    async with house.database.unit_of_work(SYSTEM) as work:
        work.session.add(
            Terminal(
                id=terminal_id,
                serial=str(terminal_id),
                kind=TerminalKind.PENDANT,
                status=TerminalStatus.PROVISIONED,
                area_code=world.here.town,
                centre_id=world.here.centre.id,
                password_hash="x",
            )
        )
    yield house.database
    await house.close()


async def test_a_rotation_ends_it_and_a_binding_does_not(
    stored: Database, service_address: MqttAddress, terminal_address: MqttAddress, terminal_id: UUID
) -> None:
    watching = asyncio.create_task(end_withdrawn_forever(stored, service_address))
    try:
        async with connected(terminal_address, terminal_id) as terminal:
            async with stored.unit_of_work(SYSTEM) as work:
                await lifecycle.suspend(work, terminal_id, "送修")
            await asyncio.wait_for(terminal.lost.wait(), 5)
            await terminal.client.wait_connected(10)  # this broker of the tests does not know that it may not
            terminal.lost.clear()
            async with stored.unit_of_work(SYSTEM) as work:
                await lifecycle.resume(work, terminal_id)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(terminal.lost.wait(), 1)
            async with stored.unit_of_work(SYSTEM) as work:
                await lifecycle.rotate(work, terminal_id)
            await asyncio.wait_for(terminal.lost.wait(), 5)
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
