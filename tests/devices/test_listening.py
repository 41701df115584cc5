"""Since when a lane has been listening: from this connection on, and not while it cannot keep up or write."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from devices.client import MqttAddress, MqttClient
from devices.heard import hear
from devices.listening import LaneEar
from devices.messages import CommandReport, StatusMessage
from devices.topics import UpChannel, up_filter
from services.core.database import Database
from services.core.settings import Settings
from services.terminals.repository import Bound, Heard
from tests.clock import ManualClock
from tests.devices.brokers import BrokerUnderTest

LANE = "test-lane"


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    assert settings.database_url is not None
    database = Database(settings.database_url, 2, ManualClock())
    yield database
    async with database.engine.begin() as connection:
        await connection.execute(text("DELETE FROM listening WHERE lane = :lane"), {"lane": LANE})
    await database.close()


async def stored(database: Database) -> list[object]:
    async with database.engine.connect() as connection:
        rows = await connection.execute(text("SELECT since FROM listening WHERE lane = :lane"), {"lane": LANE})
        return list(rows.scalars())


async def test_it_begins_with_each_connection_and_ends_with_it(
    broker: BrokerUnderTest, service_address: MqttAddress, database: Database
) -> None:
    clock = database.clock
    assert isinstance(clock, ManualClock)
    async with MqttClient(service_address, "guoyuan-ear", queue_size=10) as client:
        ear = LaneEar(database, client, LANE, "seat-1")
        assert ear.since() is None
        await client.subscribe(up_filter(UpChannel.STATUS))
        await client.wait_connected(10)
        first = clock.now()
        assert ear.since() == first
        clock.forward(minutes=5)
        assert ear.since() == first
        await broker.stop()
        async with asyncio.timeout(10):
            await client.wait_lost()
        assert ear.since() is None
        await broker.start()
        await client.wait_connected(20)
        clock.forward(minutes=5)
        assert ear.since() == clock.now(), "whoever was silent in between may just not have been heard"


async def test_a_lane_that_cannot_keep_up_does_not_judge(
    service_address: MqttAddress, terminal_address: MqttAddress, terminal_id: UUID, database: Database
) -> None:
    async with (
        MqttClient(service_address, "guoyuan-ear", queue_size=10) as client,
        MqttClient(terminal_address, str(terminal_id)) as terminal,
    ):
        await client.subscribe(up_filter(UpChannel.STATUS))
        await client.wait_connected(10)
        await terminal.wait_connected(10)
        ear = LaneEar(database, client, LANE, "seat-1")
        assert ear.since() is not None
        for _ in range(20):
            terminal.publish_soon(f"gy/v1/{terminal_id}/up/status", b'{"state":"heartbeat"}')
        async with asyncio.timeout(10):
            while not client.paused:  # noqa: ASYNC110  the client has no event for it
                await asyncio.sleep(0)
        assert ear.since() is None
        while client.paused:
            client.ack(await client.batch(100))
        assert ear.since() == database.clock.now()


async def test_it_is_written_down_when_it_changes(
    broker: BrokerUnderTest, service_address: MqttAddress, database: Database
) -> None:
    async with MqttClient(service_address, "guoyuan-ear") as client:
        telling = asyncio.create_task(LaneEar(database, client, LANE, "seat-1").tell_forever())
        try:
            await client.wait_connected(10)
            async with asyncio.timeout(4):  # sooner than the next beat
                while await stored(database) != [database.clock.now()]:  # noqa: ASYNC110  a row has no event
                    await asyncio.sleep(0.05)
            await broker.stop()
            async with asyncio.timeout(4):
                while await stored(database) != [None]:  # noqa: ASYNC110  same
                    await asyncio.sleep(0.05)
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)


def test_the_newest_status_of_a_batch_counts_and_nothing_of_the_older_is_lost() -> None:
    bound, heard = Bound(uuid4(), None, uuid4(), "430121107201", 1), dict[UUID, Heard]()
    at = ManualClock().now()
    command_id = uuid4()
    hear(heard, bound, StatusMessage("heartbeat", battery=50, signal_dbm=-70, tamper=True), at)
    hear(heard, bound, StatusMessage("offline"), at)
    hear(heard, bound, StatusMessage("online", battery=49, command=CommandReport(str(command_id), "received")), at)
    hear(heard, bound, StatusMessage("heartbeat", command=CommandReport(str(command_id), "done")), at)
    hear(heard, bound, StatusMessage("heartbeat", command=CommandReport("none of ours", "done")), at)
    [one] = heard.values()
    assert (one.is_online, one.went_away) == (True, True)
    assert (one.battery_percent, one.signal_dbm, one.tamper) == (49, -70, True)
    assert [(a.command_id, a.state) for a in one.answers] == [(command_id, "received"), (command_id, "done")]
