"""A Redis that has forgotten something: a screen gets it all the same, in order and once."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any, cast
from uuid import UUID

import pytest
from redis.asyncio import Redis
from sqlalchemy import text

from api.live import LiveHub
from ops.migrate import migrate
from ops.stack.embedded import EmbeddedStack
from services.core.database import Database
from services.core.ids import new_id
from services.core.livestream import STREAM_KEY, Audience

DATABASE = "live_gaps"


class ForgetfulRedis:
    """Gives the entries that a test puts in, and otherwise has nothing new."""

    def __init__(self) -> None:
        self.entries: asyncio.Queue[list[tuple[str, dict[str, str]]]] = asyncio.Queue()

    async def xread(self, _streams: dict[str, str], **_limits: int) -> Any:
        return {STREAM_KEY: [await self.entries.get()]}


@pytest.fixture(scope="module")
def url(stack: EmbeddedStack) -> Iterator[str]:
    made = stack.postgres.create_database(DATABASE)
    migrate(made)
    yield made
    stack.postgres.drop_database(DATABASE)


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    opened = Database(url)
    yield opened
    await opened.close()


async def store(database: Database, centre_id: UUID, *positions: int) -> None:
    """Events as the relay has positioned them."""
    async with database.engine.begin() as connection:
        for position in positions:
            await connection.execute(
                text(
                    "INSERT INTO outbox (event_id, name, area_code, centre_id, payload, created_at, position)"
                    " VALUES (:event, 'order.placed', '', :centre, '{}', now(), :position)"
                ),
                {"event": new_id(), "centre": centre_id, "position": position},
            )


async def test_what_redis_lost_comes_from_the_table(database: Database) -> None:
    centre_id, redis = new_id(), ForgetfulRedis()
    hub = LiveHub(database, cast("Redis", redis))

    async def welcome() -> bool:
        return True

    frames = hub.follow(Audience(str(centre_id), ""), 0, welcome)
    assert b"connected" in await anext(frames)
    entry = {"name": "order.placed", "centre": str(centre_id), "data": "{}"}

    async def see(position: int) -> None:
        frame = await asyncio.wait_for(anext(frames), 10)
        assert frame.startswith(b"id: %d\n" % position)

    redis.entries.put_nowait([("1-0", entry)])  # not in the table: who sees it listens to Redis by now
    await see(1)
    await store(database, centre_id, 2, 3, 4)
    redis.entries.put_nowait([("4-0", entry)])
    for position in (2, 3, 4):
        await see(position)
    await store(database, centre_id, 5)
    redis.entries.put_nowait([("5-0", entry)])
    await see(5)
    await hub.close()


async def test_what_happens_right_after_connecting_is_seen(database: Database) -> None:
    """Told that it is connected, the screen is to see everything from then on, whenever it reads on."""
    centre_id, redis = new_id(), ForgetfulRedis()
    hub = LiveHub(database, cast("Redis", redis))

    async def welcome() -> bool:
        return True

    frames = hub.follow(Audience(str(centre_id), ""), None, welcome)
    assert b"connected" in await anext(frames)
    await store(database, centre_id, 101)
    redis.entries.put_nowait([("101-0", {"name": "order.placed", "centre": str(centre_id), "data": "{}"})])
    assert (await asyncio.wait_for(anext(frames), 10)).startswith(b"id: 101\n")
    await hub.close()
