"""Terminals whose clock is far off: nothing they measured is lost, and nothing is stored twice."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

import pytest
from sqlalchemy import text

from api.house import open_house
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
from services.terminals.models import Terminal, TerminalKind
from services.terminals.states import TerminalStatus
from tests.clock import ManualClock
from tests.world import build_world

DEAD = datetime(1970, 1, 1, tzinfo=UTC)


class Bench:
    """A vitals lane on the tests' database, without a broker, and one terminal in service."""

    def __init__(self, database: Database, clock: ManualClock, terminal_id: UUID) -> None:
        self.clock = clock
        self._database = database
        self._terminal_id = terminal_id
        nobody = cast("MqttClient", None)  # nothing is answered here
        registry, judge = TerminalRegistry(database), Judge()
        self._lane = VitalsLane(database, nobody, registry, judge, batch_size=100, payload_limit=65_536)

    async def take(self, messages: Sequence[dict[str, Any]]) -> None:
        """One batch, as the lane would store it."""
        topic = up_topic(self._terminal_id, UpChannel.VITALS)
        batch = [Published(topic, json.dumps(m).encode(), 1, 1, False, False, 1) for m in messages]
        await self._lane.store(await self._lane.read(batch))

    async def stored(self) -> list[tuple[int, float, timedelta]]:
        """Sequence number, value, and how long before now."""
        async with self._database.engine.connect() as connection:
            rows = await connection.execute(
                text(
                    "SELECT seq, value, measured_at FROM reading WHERE terminal_id = :id ORDER BY measured_at, seq"
                ),
                {"id": self._terminal_id},
            )
            return [(row[0], row[1], self.clock.now() - row[2]) for row in rows]


@pytest.fixture
async def bench(settings: Settings) -> Any:
    house = open_house(settings)
    world = await build_world(house.database, settings, house.vault)
    terminal_id = new_id()
    async with house.database.unit_of_work(SYSTEM) as work:
        work.session.add(
            Terminal(
                id=terminal_id,
                serial=str(terminal_id),
                kind=TerminalKind.WRISTBAND,
                status=TerminalStatus.BOUND,
                area_code=world.here.town,
                centre_id=world.here.centre.id,
                resident_id=world.here.households[0].resident.id,
            )
        )
    clock = ManualClock()
    database = Database(str(settings.database_url), clock=clock)
    yield Bench(database, clock, terminal_id)
    await database.close()
    await house.close()


def message(seq: int, at: datetime, *values: float) -> dict[str, Any]:
    """Heart rates a second apart, the last one at the given time."""
    readings = [
        {"kind": "heart_rate", "value": value, "at": (at - timedelta(seconds=len(values) - 1 - place)).isoformat()}
        for place, value in enumerate(values)
    ]
    return {"seq": seq, "readings": readings}


async def test_messages_that_arrive_at_once_all_stay(bench: Bench) -> None:
    await bench.take([message(seq, DEAD, 70 + seq) for seq in range(1, 6)])
    stored = await bench.stored()
    assert [(seq, value) for seq, value, _ in stored] == [(1, 71), (2, 72), (3, 73), (4, 74), (5, 75)]
    assert all(abs(age) < timedelta(milliseconds=1) for _, _, age in stored)


async def test_the_spacing_of_a_message_stays(bench: Bench) -> None:
    await bench.take([message(1, DEAD, 71, 72, 73)])
    assert [(value, age) for _, value, age in await bench.stored()] == [
        (71, timedelta(seconds=2)),
        (72, timedelta(seconds=1)),
        (73, timedelta(0)),
    ]


async def test_a_repeated_message_is_stored_once(bench: Bench) -> None:
    await bench.take([message(1, DEAD, 71, 72), message(2, DEAD, 73)])
    before = await bench.stored()
    bench.clock.forward(seconds=30)
    await bench.take([message(2, DEAD, 73), message(1, DEAD, 71, 72), message(3, bench.clock.now(), 74)])
    after = await bench.stored()
    assert [(seq, value) for seq, value, _ in after] == [(1, 71), (1, 72), (2, 73), (3, 74)]
    assert [age - timedelta(seconds=30) for _, _, age in after[:3]] == [age for _, _, age in before]
