"""The built-in broker's memory of right passwords: it spares the database, and outlives no change."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from api.house import House, open_house
from devices import mqtt_packets as mqtt
from devices.broker_gate import DatabaseGate
from services.core.actor import SYSTEM
from services.core.database import asyncpg_url
from services.core.ids import new_id
from services.core.settings import Settings
from services.terminals import lifecycle
from services.terminals.models import TerminalKind, default_profile_id
from services.terminals.registry_models import TerminalCreate
from tests.world import build_world


class Door:
    """A gate that listens, and one terminal that has been let in through it."""

    def __init__(self, gate: DatabaseGate, house: House, terminal_id: UUID, password: str) -> None:
        self.gate, self.house, self.terminal_id, self.password = gate, house, terminal_id, password

    async def knock(self, password: str | None = None) -> int:
        name = str(self.terminal_id)
        shown = self.password if password is None else password
        connect = mqtt.Connect(name, clean=True, keep_alive=60, username=name, password=shown, will=None)
        return await self.gate.admit(connect)

    async def out(self) -> bool:
        return await self.gate.withdrawn([str(self.terminal_id)]) == {str(self.terminal_id)}


@pytest.fixture
async def door(settings: Settings) -> AsyncIterator[Door]:
    house = open_house(settings)
    world = await build_world(house.database, settings, house.vault)
    gate = DatabaseGate(asyncpg_url(str(settings.database_url)), "secret")
    listening = asyncio.create_task(gate.listen_forever())
    await gate.wait_for_change(5)  # it listens
    new = TerminalCreate(
        serial=f"G-{new_id()}",
        profile_id=default_profile_id(TerminalKind.PENDANT),
        centre_id=world.here.centre.id,
    )
    async with house.database.unit_of_work(SYSTEM) as work:
        terminal = await lifecycle.register(work, new)
        _, password = await lifecycle.provision(work, terminal.id)
    await gate.wait_for_change(5)  # and has heard of this
    yield Door(gate, house, terminal.id, password)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await gate.close()
    await house.close()


async def test_a_right_password_is_remembered_while_the_database_is_away(door: Door) -> None:
    assert await door.knock() == mqtt.ACCEPTED

    async def away(*_: object, **__: object) -> None:
        raise OSError

    door.gate._value = away  # type: ignore[method-assign]
    assert await door.knock() == mqtt.ACCEPTED
    assert await door.knock("wrong") == mqtt.UNAVAILABLE


async def test_a_rotated_password_is_forgotten_at_once(door: Door) -> None:
    assert await door.knock() == mqtt.ACCEPTED
    assert not await door.out()
    async with door.house.database.unit_of_work(SYSTEM) as work:
        _, new = await lifecycle.rotate(work, door.terminal_id)
    await door.gate.wait_for_change(5)
    assert await door.out()
    assert await door.knock() == mqtt.NOT_AUTHORIZED
    assert await door.knock(new) == mqtt.ACCEPTED
    assert not await door.out()


async def test_without_a_notification_the_next_look_finds_it(door: Door) -> None:
    """Let in from memory with a password that has been replaced, it is out again with the next look."""
    deaf = DatabaseGate(asyncpg_url(door.house.database.url), "secret")
    door.gate, listening = deaf, door.gate
    assert await door.knock() == mqtt.ACCEPTED
    async with door.house.database.unit_of_work(SYSTEM) as work:
        await lifecycle.rotate(work, door.terminal_id)
    assert await door.knock() == mqtt.ACCEPTED
    assert await door.out()
    assert await door.knock() == mqtt.NOT_AUTHORIZED
    await deaf.close()
    door.gate = listening


async def test_what_is_not_its_business_leaves_a_connection_alone(door: Door) -> None:
    assert await door.knock() == mqtt.ACCEPTED
    async with door.house.database.unit_of_work(SYSTEM) as work:
        terminal = await lifecycle.suspend(work, door.terminal_id, "送修")
    assert await door.out()
    async with door.house.database.unit_of_work(SYSTEM) as work:
        terminal = await lifecycle.resume(work, door.terminal_id)
    assert terminal.password_hash
    assert await door.knock() == mqtt.ACCEPTED
    assert not await door.out()
