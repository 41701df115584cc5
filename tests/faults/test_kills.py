"""``kill -9`` of every part, one after another, while terminals send, orders come in and a screen watches.

What was promised is kept: a receipt, a 201, an event that a screen has passed. Everything recovers by itself.
"""

import pytest

from tests.faults import ledger
from tests.faults.load import Load
from tests.faults.platform import LivingPlatform

pytestmark = pytest.mark.faults

PARTS = ("ingest-alarms", "ingest-vitals", "worker", "api", "broker", "redis", "postgres")


async def test_no_kill_loses_or_doubles_anything(platform: LivingPlatform) -> None:
    async with Load(platform) as load:
        await load.flows("before the first kill")
        import time
        t0 = time.time()
        for part in PARTS:
            await platform.kill(part)
            t1 = time.time()
            await platform.back(part)
            t2 = time.time()
            await load.flows(f"after the kill of {part}")
            print("TIMING", part, round(t2 - t1, 2), round(time.time() - t2, 2))
        t1 = time.time()
        connection = await load.finish()
        print("TIMING finish", time.time() - t1, "total", time.time() - t0)
        try:
            assert await ledger.check_readings(connection, load.wearers) > 0
            assert await ledger.check_alarms(connection, load.wearers) > 0
            assert await ledger.check_alerts(connection) > 0
            assert await ledger.check_orders(connection, load.households) > 0
            assert await ledger.check_events(connection, load.screen, load.world.here.centre.id) > 0
            await ledger.check_nothing_set_aside(connection)
        finally:
            await connection.close()
        assert load.screen.connections >= 2, "the API was killed: the screen must have reconnected"
