"""The live stream: positioned outbox events, pushed through one Redis stream, backed by the table itself.

The relay adds each event under the explicit id ``{position}-0``, so adding twice is refused by Redis and a
reader's cursor means the same in Redis, in the table and in a browser's ``Last-Event-ID``.
"""

from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

STREAM_KEY = "gy:live"
STREAM_LENGTH = 10_000
"""Entries kept in Redis, about; older ones are read from the table."""

_AFTER = text(
    "SELECT position, name, centre_id::text, payload::text FROM outbox"
    " WHERE position > :after AND (CAST(:centre AS uuid) IS NULL OR centre_id = CAST(:centre AS uuid))"
    " ORDER BY position LIMIT :limit"
)
_LATEST = text("SELECT coalesce(max(position), 0) FROM outbox")


class LiveEvent(NamedTuple):
    """One event as a stream carries it; ``data`` is its JSON."""

    position: int
    name: str
    centre_id: str | None
    data: str

    def fields(self) -> dict[str, str]:
        """As a Redis stream entry."""
        return {"name": self.name, "centre": self.centre_id or "", "data": self.data}


def from_entry(entry_id: str, fields: dict[str, str]) -> LiveEvent:
    """Read a Redis stream entry."""
    position = int(entry_id.partition("-")[0])
    return LiveEvent(position, fields["name"], fields["centre"] or None, fields["data"])


async def events_after(
    connection: AsyncConnection, after: int, centre_id: str | None, limit: int = 500
) -> list[LiveEvent]:
    """What became visible after a position, in order; of one centre or of all."""
    rows: Any = await connection.execute(_AFTER, {"after": after, "centre": centre_id, "limit": limit})
    return [LiveEvent(*row) for row in rows]


async def latest_position(connection: AsyncConnection) -> int:
    """The newest position; 0 before the first event."""
    return int((await connection.execute(_LATEST)).scalar_one())
