"""``kill -9`` of every part, one after another and in a cascade, while terminals send, orders come in and a
screen watches.

What was promised is kept: a receipt, a 201, an event that a screen has passed. Everything recovers by itself.
"""

from collections.abc import Sequence
from pathlib import Path

import pytest

from ops.stack import mosquitto
from tests.faults import ledger
from tests.faults.load import Load
from tests.faults.platform import LivingPlatform

pytestmark = pytest.mark.faults

PARTS = ("ingest-alarms", "ingest-vitals", "worker", "api", "broker", "redis", "postgres")
# The database first: whoever promises before the commit is then killed with the promise given and nothing stored.
CASCADE = ("postgres", "ingest-vitals", "ingest-alarms", "redis", "worker", "api", "broker")


async def test_no_kill_loses_or_doubles_anything(fault_directory: Path) -> None:
    async with LivingPlatform(fault_directory) as platform, Load(platform) as load:
        await kill_and_recover(platform, load, [*((part,) for part in PARTS), CASCADE])
        await compare(load)
        assert load.screen.connections >= 3, "the API was killed twice: the screen must have reconnected"


@pytest.mark.skipif(mosquitto.find() is None, reason="mosquitto is not installed")
async def test_a_killed_mosquitto_loses_nothing_that_was_receipted(fault_directory: Path) -> None:
    """Its acknowledgement is no promise (it loses what it acknowledged): the terminals repeat."""
    async with LivingPlatform(fault_directory, "mosquitto") as platform, Load(platform) as load:
        await kill_and_recover(platform, load, [("broker",), ("broker", "ingest-vitals")])
        await compare(load)


async def kill_and_recover(platform: LivingPlatform, load: Load, kills: Sequence[Sequence[str]]) -> None:
    """Kill each group, one part at every press of a button, and go on when everything flows again."""
    await load.flows("before the first kill")
    for parts in kills:
        for part in parts:
            await load.next_press()
            await platform.kill(part)
        for part in parts:
            await platform.back(part)
        await load.flows(f"after the kill of {', '.join(parts)}")


async def compare(load: Load) -> None:
    """Let everybody finish, then hold what they remember against the database."""
    connection = await load.finish()
    try:
        assert await ledger.check_readings(connection, load.wearers) > 0
        assert await ledger.check_alarms(connection, load.wearers) > 0
        assert await ledger.check_alerts(connection) > 0
        assert await ledger.check_orders(connection, load.households) > 0
        assert await ledger.check_events(connection, load.screen, load.world.here.centre.id) > 0
        await ledger.check_nothing_set_aside(connection)
    finally:
        await connection.close()
