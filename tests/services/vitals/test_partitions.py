"""Monthly partitions are there before the month is."""

from datetime import UTC, datetime

from sqlalchemy import text

from services.core.database import Database
from services.vitals.service import make_partitions_ahead
from tests.clock import ManualClock


async def partitions(database: Database) -> set[str]:
    async with database.engine.connect() as connection:
        rows = await connection.execute(
            text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'reading'::regclass")
        )
        return {row[0] for row in rows}


async def test_the_worker_makes_this_month_and_the_three_after_it_once(database: Database) -> None:
    clock = ManualClock(datetime(2031, 11, 30, 23, tzinfo=UTC))
    wanted = {"reading_203111", "reading_203112", "reading_203201", "reading_203202"}
    assert not wanted & await partitions(database)
    for _ in range(2):
        await make_partitions_ahead(database, clock)
        assert wanted <= await partitions(database)
