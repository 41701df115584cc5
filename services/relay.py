"""The relay: gives stored events their positions, in commit order, and pushes them to the live stream.

One relay leads at a time, by an advisory lock on the very connection that gives the positions: when that
connection dies the lock is free and the old leader can give no more. Adding to Redis is idempotent by the
position, so a crash between the two costs a repeat that Redis refuses.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, Final

import asyncpg
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from services.core.database import asyncpg_url
from services.core.livestream import COLUMNS, STREAM_KEY, STREAM_LENGTH, LiveEvent
from services.core.outbox import NOTIFY_CHANNEL
from services.events import EVENTS
from services.handlers import handlers_of

log = structlog.get_logger("relay")

_LOCK: Final = 4301210002
_BATCH: Final = 500
_LOOK_SECONDS: Final = 1.0
_STANDBY_SECONDS: Final = 3600.0
_POSITION: Final = f"""
    WITH given AS (
        UPDATE outbox SET position = numbered.position
        FROM (SELECT id, nextval('outbox_position') AS position
              FROM (SELECT id FROM outbox WHERE position IS NULL ORDER BY id LIMIT {_BATCH}) waiting) numbered
        WHERE outbox.id = numbered.id
        RETURNING outbox.id, outbox.position, outbox.name, outbox.centre_id, outbox.payload, outbox.area_code,
            outbox.also_centre_ids
    ), due AS (
        INSERT INTO outbox_delivery (outbox_id, handler, attempts, next_attempt_at)
        SELECT given.id, following.handler, 0, now()
        FROM given JOIN unnest($1::text[], $2::text[]) AS following(name, handler) USING (name)
        ON CONFLICT DO NOTHING RETURNING outbox_id
    )
    SELECT {COLUMNS}, (SELECT count(*) FROM due) AS due
    FROM given ORDER BY position
"""  # noqa: S608  only our own constants are put in
"""One statement is one transaction and one round trip: a dispatcher's screen waits for it."""
_UNRELAYED: Final = f"""
    SELECT {COLUMNS} FROM outbox
    WHERE position IS NOT NULL AND relayed_at IS NULL ORDER BY position LIMIT {_BATCH}
"""  # noqa: S608  only our own constants are put in
_FOLLOWING: Final = [(name, handler) for name in EVENTS for handler in handlers_of(name)]
_RELAYED: Final = "UPDATE outbox SET relayed_at = now() WHERE position = ANY ($1::bigint[])"


class Relay:
    """Runs until cancelled; a standby until it leads."""

    def __init__(self, database_url: str, redis: Redis, on_events: Callable[[], None]) -> None:
        self._url = asyncpg_url(database_url)
        self._redis = redis
        self._on_events = on_events
        self._rung = asyncio.Event()
        self._is_behind = True

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
        self._is_behind = True
        while True:
            self._rung.clear()
            given, due = await self._give_positions(connection)
            pushed = await self._push(connection, given)
            if due:
                self._on_events()
            if max(len(given), pushed) < _BATCH:
                await self._wait()

    async def _wait(self) -> None:
        # Not wait_for: it swallows a cancellation that comes with the ring.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_SECONDS):
                await self._rung.wait()

    def _ring(self, *_: Any) -> None:
        self._rung.set()

    async def _give_positions(self, connection: asyncpg.Connection) -> tuple[list[LiveEvent], int]:
        """What has got its position now, and how many deliveries follow from it."""
        names, handlers = [name for name, _ in _FOLLOWING], [handler for _, handler in _FOLLOWING]
        rows = await connection.fetch(_POSITION, names, handlers)
        return [LiveEvent(*row[:-1]) for row in rows], rows[0]["due"] if rows else 0

    async def _push(self, connection: asyncpg.Connection, given: list[LiveEvent]) -> int:
        """Push what is positioned and not yet relayed; without Redis it waits, and screens read the table.

        That is what was given just now, unless an earlier push (of an earlier leader perhaps) has failed.
        """
        events = given
        if self._is_behind:
            events = [LiveEvent(*row) for row in await connection.fetch(_UNRELAYED)]
        if events:
            try:
                await self._add(events)
            except (RedisError, OSError) as error:
                self._is_behind = True
                log.warning("relay_without_redis", waiting=len(events), error=type(error).__name__)
                return 0
            await connection.execute(_RELAYED, [event.position for event in events])
        self._is_behind = self._is_behind and len(events) == _BATCH
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
