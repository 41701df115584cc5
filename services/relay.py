"""The relay: gives stored events their positions, in commit order, and pushes them to the live stream.

One relay leads at a time, by an advisory lock on the very connection that gives the positions: when that
connection dies the lock is free and the old leader can give no more. Adding to Redis is idempotent by the
position, so a crash between the two costs a repeat that Redis refuses.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import asyncpg
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from services.core.database import asyncpg_url
from services.core.livestream import STREAM_KEY, STREAM_LENGTH, LiveEvent
from services.core.outbox import NOTIFY_CHANNEL
from services.handlers import handlers_of

log = structlog.get_logger("relay")

_LOCK: Final = 4301210002
_BATCH: Final = 500
_LOOK_SECONDS: Final = 1.0
_STANDBY_SECONDS: Final = 3600.0
_POSITION: Final = f"""
    UPDATE outbox SET position = given.position
    FROM (SELECT id, nextval('outbox_position') AS position
          FROM (SELECT id FROM outbox WHERE position IS NULL ORDER BY id LIMIT {_BATCH}) waiting) given
    WHERE outbox.id = given.id
    RETURNING outbox.id, outbox.name
"""  # noqa: S608  only our own constant is put in
_DELIVERIES: Final = """
    INSERT INTO outbox_delivery (outbox_id, handler, attempts, next_attempt_at)
    SELECT id, handler, 0, now() FROM unnest($1::bigint[], $2::text[]) AS due(id, handler)
    ON CONFLICT DO NOTHING
"""
_UNRELAYED: Final = f"""
    SELECT position, name, centre_id::text, payload::text FROM outbox
    WHERE position IS NOT NULL AND relayed_at IS NULL ORDER BY position LIMIT {_BATCH}
"""  # noqa: S608  only our own constant is put in
_RELAYED: Final = "UPDATE outbox SET relayed_at = now() WHERE position = ANY ($1::bigint[])"


class Relay:
    """Runs until cancelled; a standby until it leads."""

    def __init__(self, database_url: str, redis: Redis, on_events: Callable[[], None]) -> None:
        self._url = asyncpg_url(database_url)
        self._redis = redis
        self._on_events = on_events
        self._rung = asyncio.Event()

    async def run(self) -> None:
        """Lead whenever nobody else does; make the connection again when it is lost."""
        while True:
            try:
                connection = await asyncpg.connect(
                    self._url,
                    timeout=5,
                    command_timeout=15,
                    server_settings={"application_name": "guoyuan-relay"},
                )
                try:
                    await self._lead(connection)
                finally:
                    connection.terminate()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
                log.warning("relay_away", error=type(error).__name__)
            await asyncio.sleep(0.5)

    async def _lead(self, connection: asyncpg.Connection) -> None:
        # Waits here as a standby. A blocking call, so that taking over takes no time; after an hour it asks again.
        await connection.execute(f"SELECT pg_advisory_lock({_LOCK})", timeout=_STANDBY_SECONDS)
        await connection.add_listener(NOTIFY_CHANNEL, self._ring)
        log.info("relay_leads")
        while True:
            self._rung.clear()
            given = await self._give_positions(connection)
            if given:
                self._on_events()
            pushed = await self._push(connection)
            if given < _BATCH and pushed < _BATCH:
                await self._wait()

    async def _wait(self) -> None:
        try:
            await asyncio.wait_for(self._rung.wait(), _LOOK_SECONDS)
        except TimeoutError:
            return

    def _ring(self, *_: Any) -> None:
        self._rung.set()

    async def _give_positions(self, connection: asyncpg.Connection) -> int:
        async with connection.transaction():
            rows = await connection.fetch(_POSITION)
            due = [(row["id"], handler) for row in rows for handler in handlers_of(row["name"])]
            if due:
                await connection.execute(_DELIVERIES, [d[0] for d in due], [d[1] for d in due])
        return len(rows)

    async def _push(self, connection: asyncpg.Connection) -> int:
        """Push what is positioned and not yet relayed; without Redis it waits, and screens read the table."""
        events = [LiveEvent(*row) for row in await connection.fetch(_UNRELAYED)]
        if not events:
            return 0
        try:
            await self._add(events)
        except (RedisError, OSError) as error:
            log.warning("relay_without_redis", waiting=len(events), error=type(error).__name__)
            return 0
        await connection.execute(_RELAYED, [event.position for event in events])
        return len(events)

    async def _add(self, events: list[LiveEvent]) -> None:
        async with self._redis.pipeline(transaction=False) as pipe:
            for event in events:
                fields: Any = event.fields()
                pipe.xadd(STREAM_KEY, fields, id=f"{event.position}-0", maxlen=STREAM_LENGTH, approximate=True)
            answers = await pipe.execute(raise_on_error=False)
        for answer in answers:
            # Added before a crash: the id is not greater than the last one. Anything else is a fault.
            if isinstance(answer, Exception) and "equal or smaller" not in str(answer):
                raise answer
