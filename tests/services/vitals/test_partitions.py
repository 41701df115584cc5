"""Monthly partitions are there before the month is, and take in what came before them."""

import asyncio
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from services.core.database import Database
from services.vitals.months.service import make_partitions_ahead
from tests.clock import ManualClock
from tests.readings import Ward


async def partitions(database: Database) -> set[str]:
    async with database.engine.connect() as connection:
        rows = await connection.execute(
            text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'reading'::regclass")
        )
        return {row[0] for row in rows}


async def places(ward: Ward) -> dict[datetime, str]:
    """In which partition each of the ward's readings lies."""
    async with ward.database.engine.connect() as connection:
        rows = await connection.execute(
            text("SELECT measured_at, tableoid::regclass::text FROM reading WHERE terminal_id = :id"),
            {"id": ward.terminal_id},
        )
        return {row[0]: row[1] for row in rows}


async def test_the_worker_makes_this_month_and_the_three_after_it_once(database: Database) -> None:
    clock = ManualClock(datetime(2031, 11, 30, 23, tzinfo=UTC))
    wanted = {"reading_203111", "reading_203112", "reading_203201", "reading_203202"}
    assert not wanted & await partitions(database)
    for _ in range(2):
        await make_partitions_ahead(database, clock)
        assert wanted <= await partitions(database)


async def test_readings_that_came_before_their_partition_move_into_it(ward: Ward) -> None:
    first, last = datetime(2033, 1, 31, 23, 59, 59, tzinfo=UTC), datetime(2033, 2, 28, 23, 59, 59, tzinfo=UTC)
    await ward.store([ward.row(at, 70.0) for at in (first, last, last + timedelta(seconds=1))])
    assert set((await places(ward)).values()) == {"reading_other"}
    for _ in range(2):
        await make_partitions_ahead(ward.database, ManualClock(datetime(2033, 2, 10, tzinfo=UTC)))
    assert await places(ward) == {
        first: "reading_203301",
        last: "reading_203302",
        last + timedelta(seconds=1): "reading_203303",
    }


async def test_an_old_month_that_nobody_made_is_made_for_a_late_reading(ward: Ward) -> None:
    late = datetime(2025, 12, 3, tzinfo=UTC)
    await ward.store([ward.row(late, 70.0)])
    await make_partitions_ahead(ward.database, ward.clock)
    assert await places(ward) == {late: "reading_202512"}


async def test_readings_go_on_arriving_while_their_month_is_made(ward: Ward) -> None:
    start = datetime(2035, 5, 1, tzinfo=UTC)
    rows = [ward.row(start + timedelta(minutes=n), 70.0) for n in range(600)]
    clock = ManualClock(datetime(2035, 4, 2, tzinfo=UTC))

    async def arrive() -> None:
        for n in range(0, len(rows), 20):
            await ward.store(rows[n : n + 20])

    await asyncio.gather(arrive(), *(make_partitions_ahead(ward.database, clock) for _ in range(2)))
    await make_partitions_ahead(ward.database, clock)
    found = await places(ward)
    assert len(found) == len(rows)
    assert set(found.values()) == {"reading_203505"}
