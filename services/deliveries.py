"""Deliveries: each handler's turn at each event, in a transaction with the handler's own effect.

A failure is tried again with growing pauses, and after the last try it stays, marked, where `doctor` and
`/metrics` show it; it is never swallowed.
"""

import asyncio
import contextlib
from datetime import timedelta
from typing import Any, Final

import structlog
from msgspec import convert
from sqlalchemy import text

from services.core.actor import SYSTEM
from services.core.database import DATABASE_AWAY, Database, Work
from services.events import EVENTS
from services.handlers import handler_named

log = structlog.get_logger("deliveries")

MAX_ATTEMPTS: Final = 10
_LOOK_SECONDS: Final = 1.0
_NEXT: Final = text(
    "SELECT d.outbox_id, d.handler, d.attempts, o.name, o.payload FROM outbox_delivery d"
    " JOIN outbox o ON o.id = d.outbox_id"
    " WHERE d.done_at IS NULL AND d.failed_at IS NULL AND d.next_attempt_at <= :now"
    " ORDER BY d.next_attempt_at, d.outbox_id LIMIT 1 FOR UPDATE OF d SKIP LOCKED"
)
_DONE: Final = text("UPDATE outbox_delivery SET done_at = :now WHERE outbox_id = :id AND handler = :handler")
_AGAIN: Final = text(
    "UPDATE outbox_delivery SET attempts = :attempts, next_attempt_at = :next, last_error = :error,"
    " failed_at = CAST(:failed AS timestamptz) WHERE outbox_id = :id AND handler = :handler"
)


class Deliverer:
    """Runs what is due until cancelled. Several may run: each delivery is taken with SKIP LOCKED."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """There may be something to deliver."""
        self._rung.set()

    async def run(self) -> None:
        """Deliver whatever is due, then wait."""
        while True:
            self._rung.clear()
            try:
                while await self.deliver_one():
                    pass
            except DATABASE_AWAY as error:
                log.warning("deliveries_wait", error=type(error).__name__)
                await asyncio.sleep(0.5)
            # Not wait_for: it swallows a cancellation that comes with the ring.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_SECONDS):
                    await self._rung.wait()

    async def deliver_one(self) -> bool:
        """Take one due delivery; ``False`` when there is none."""
        async with self._database.unit_of_work(SYSTEM) as work:
            row = (await work.sql(_NEXT, {"now": work.now})).one_or_none()
            if row is None:
                return False
            key = {"id": row.outbox_id, "handler": row.handler}
            error = await _attempt(work, row.handler, row.name, row.payload)
            if error is None:
                await work.sql(_DONE, key | {"now": work.now})
            else:
                await work.sql(_AGAIN, key | _next_attempt(work, row.attempts + 1, error))
        return True


async def _attempt(work: Work, handler: str, name: str, payload: dict[str, Any]) -> Exception | None:
    try:
        async with work.session.begin_nested():
            await handler_named(handler)(work, convert(payload, EVENTS[name], strict=False))
            await work.session.flush()
    except Exception as error:
        log.error("handler_failed", handler=handler, event=name, error=type(error).__name__, exc_info=error)
        return error
    return None


def _next_attempt(work: Work, attempts: int, error: Exception) -> dict[str, Any]:
    pause = timedelta(seconds=min(2**attempts, 300))
    return {
        "attempts": attempts,
        "next": work.now + pause,
        "error": type(error).__name__,
        "failed": work.now if attempts >= MAX_ATTEMPTS else None,
    }
