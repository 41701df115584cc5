"""Real concurrency against the database."""

import asyncio

from services.core.database import Database


async def all_connected(database: Database, pool: int) -> None:
    """Open every connection of a pool: who must connect first would come after the others, not among them."""
    barrier = asyncio.Barrier(pool)

    async def hold() -> None:
        async with database.engine.connect():
            await barrier.wait()

    await asyncio.gather(*(hold() for _ in range(pool)))
