"""Live streams: one reader a process follows Redis, and the table whenever Redis is away; many screens listen.

A screen's queue is bounded. One that does not keep up is closed; it reconnects with ``Last-Event-ID`` and
reads what it missed from the table, so slowness costs time and never an event.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from services.core.database import DATABASE_AWAY, Database
from services.core.livestream import STREAM_KEY, Audience, LiveEvent, events_after, from_entry, latest_position

log = structlog.get_logger("live")

QUEUE_LENGTH = 1_000
HEARTBEAT_SECONDS = 15.0
_POLL_SECONDS = 0.5
_BLOCK_MS = 1_000
_RECHECK_READS = 5
"""The table is asked after so many quiet reads of Redis: heals a stream that lost entries unnoticed."""


class Subscription:
    """One screen's place in line."""

    def __init__(self, audience: Audience) -> None:
        self.audience = audience
        self.queue: asyncio.Queue[LiveEvent | None] = asyncio.Queue(QUEUE_LENGTH)
        self.is_closed = False

    def offer(self, event: LiveEvent) -> None:
        """Put an event in line, or close a line that is full."""
        try:
            self.queue.put_nowait(event)
        except asyncio.QueueFull:
            self.close()

    def close(self) -> None:
        """End the stream; what stands in line is read from the table on reconnect."""
        self.is_closed = True
        while not self.queue.empty():
            self.queue.get_nowait()
        self.queue.put_nowait(None)


class LiveHub:
    """Follows the events once for the process and hands them to the screens that they are for."""

    def __init__(self, database: Database, redis: Redis) -> None:
        self._database = database
        self._redis = redis
        self._subscriptions: set[Subscription] = set()
        self._reader: asyncio.Task[None] | None = None
        self._position: int | None = None
        self._ready = asyncio.Event()

    async def follow(
        self,
        audience: Audience,
        last_event_id: int | None,
        still_welcome: Callable[[], Awaitable[bool]],
    ) -> AsyncIterator[bytes]:
        """Frames of one screen: what it missed from the table, then live, gap-free.

        ``still_welcome`` is asked at every heartbeat; a revoked session's stream ends.
        """
        subscription = Subscription(audience)
        self._subscriptions.add(subscription)
        self._start()
        try:
            await self._ready.wait()
            # Fixed before the screen is told that it is connected: what happens from then on is for it to see.
            position = last_event_id if last_event_id is not None else self._position or 0
            yield b"retry: 1000\n: connected\n\n"
            if last_event_id is not None:
                async for event in self._missed(audience, position):
                    position = event.position
                    yield frame(event)
            while not subscription.is_closed:
                try:
                    event_or_end = await asyncio.wait_for(subscription.queue.get(), HEARTBEAT_SECONDS)
                except TimeoutError:
                    if not await still_welcome():
                        return
                    yield b": heartbeat\n\n"
                    continue
                if event_or_end is None:
                    return
                if event_or_end.position > position:
                    position = event_or_end.position
                    yield frame(event_or_end)
        finally:
            self._subscriptions.discard(subscription)

    async def close(self) -> None:
        """End every stream and the reader."""
        for subscription in tuple(self._subscriptions):
            subscription.close()
        if self._reader is not None:
            self._reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reader

    async def _missed(self, audience: Audience, after: int) -> AsyncIterator[LiveEvent]:
        while True:
            async with self._database.engine.connect() as connection:
                events = await events_after(connection, after, audience)
            for event in events:
                yield event
            if not events:
                return
            after = events[-1].position

    def _start(self) -> None:
        if self._reader is None or self._reader.done():
            self._reader = asyncio.create_task(self._read_forever(), name="live-reader")

    async def _read_forever(self) -> None:
        quiet = 0
        while True:
            try:
                if self._position is None or quiet >= _RECHECK_READS:
                    await self._read_table()
                    quiet = 0
                quiet = 0 if await self._read_redis() else quiet + 1
            except RedisError as error:
                log.warning("live_without_redis", error=type(error).__name__)
                quiet = _RECHECK_READS
                await asyncio.sleep(_POLL_SECONDS)
            except DATABASE_AWAY as error:
                log.warning("live_without_table", error=type(error).__name__)
                await asyncio.sleep(_POLL_SECONDS)

    async def _read_table(self) -> None:
        async with self._database.engine.connect() as connection:
            if self._position is None:
                self._position = await latest_position(connection)
                self._ready.set()
                return
            while events := await events_after(connection, self._position, None):
                self._hand_out(events)

    async def _read_redis(self) -> bool:
        answer: Any = await self._redis.xread({STREAM_KEY: f"{self._position}-0"}, count=500, block=_BLOCK_MS)
        if not answer:
            return False
        entries = answer[STREAM_KEY][0] if isinstance(answer, dict) else answer[0][1]
        events = [from_entry(entry_id, fields) for entry_id, fields in entries]
        if events[-1].position == (self._position or 0) + len(events):
            self._hand_out(events)
        else:
            # A number is missing: Redis has restarted and forgotten, or trimmed what we had not read yet.
            await self._read_table()
        return True

    def _hand_out(self, events: list[LiveEvent]) -> None:
        for event in events:
            self._position = max(self._position or 0, event.position)
            for subscription in tuple(self._subscriptions):
                if subscription.audience.hears(event) and not subscription.is_closed:
                    subscription.offer(event)


def frame(event: LiveEvent) -> bytes:
    """One event in the text/event-stream format; its JSON has no line break."""
    return f"id: {event.position}\nevent: {event.name}\ndata: {event.data}\n\n".encode()
