"""Monthly partitions of the readings, made ahead; what had no partition moves into its month once that is made."""

from datetime import date

from services.core.clock import Clock
from services.core.database import Database
from services.vitals.months import repository

AHEAD = 4
"""This month and the three after it."""


async def make_partitions_ahead(database: Database, clock: Clock) -> None:
    """Partitions of this month and the three after it, and of months whose readings came before them."""
    today = clock.now().date()
    months = today.year * 12 + today.month - 1
    wanted = [date(m // 12, m % 12 + 1, 1) for m in range(months, months + AHEAD)]
    async with database.engine.connect() as connection:
        wanted += await repository.months_astray(connection)
    for month in wanted:
        async with database.engine.begin() as connection:
            await repository.make_partition(connection, month)
