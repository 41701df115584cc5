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

COLUMNS = "position, name, centre_id::text, payload::text, area_code, array_to_string(also_centre_ids, ',')"
"""A ``LiveEvent``, as the table gives it."""

_BEYOND = f"SELECT {COLUMNS} FROM outbox WHERE position > :after"  # noqa: S608  only our own constant is put in
_IN_ORDER = " ORDER BY position LIMIT :limit"
_ALL = text(_BEYOND + _IN_ORDER)
_OF_CENTRE = text(
    f"{_BEYOND} AND centre_id = CAST(:centre AS uuid) UNION ALL"
    f" {_BEYOND} AND also_centre_ids <> '{{}}' AND CAST(:centre AS uuid) = ANY (also_centre_ids)" + _IN_ORDER
)
_OF_AREA = text(f"{_BEYOND} AND starts_with(area_code, :area)" + _IN_ORDER)
_LATEST = text("SELECT coalesce(max(position), 0) FROM outbox")


class LiveEvent(NamedTuple):
    """One event as a stream carries it; ``data`` is its JSON, ``also`` other centres' ids between commas."""

    position: int
    name: str
    centre_id: str | None
    data: str
    area_code: str = ""
    also: str = ""

    def fields(self) -> dict[str, str]:
        """As a Redis stream entry."""
        return {
            "name": self.name,
            "centre": self.centre_id or "",
            "data": self.data,
            "area": self.area_code,
            "also": self.also,
        }


class Audience(NamedTuple):
    """Whose screen it is: a centre's, or (without one) that of somebody who answers for a whole area."""

    centre_id: str | None
    area_code: str

    def hears(self, event: LiveEvent) -> bool:
        """Whether an event is for this screen; without centre and area, none is."""
        if self.centre_id is not None:
            return event.centre_id == self.centre_id or self.centre_id in event.also.split(",")
        return self.area_code != "" and event.area_code.startswith(self.area_code)


def from_entry(entry_id: str, fields: dict[str, str]) -> LiveEvent:
    """Read a Redis stream entry; one of an earlier version of ours says nothing of areas and other centres."""
    position = int(entry_id.partition("-")[0])
    area, also = fields.get("area", ""), fields.get("also", "")
    return LiveEvent(position, fields["name"], fields["centre"] or None, fields["data"], area, also)


async def events_after(
    connection: AsyncConnection, after: int, audience: Audience | None, limit: int = 500
) -> list[LiveEvent]:
    """What became visible after a position, in order; for one audience or all there is."""
    values: dict[str, Any] = {"after": after, "limit": limit}
    if audience is None:
        rows: Any = await connection.execute(_ALL, values)
    elif audience.centre_id is not None:
        rows = await connection.execute(_OF_CENTRE, values | {"centre": audience.centre_id})
    elif audience.area_code == "":
        return []
    else:
        rows = await connection.execute(_OF_AREA, values | {"area": audience.area_code})
    return [LiveEvent(*row) for row in rows]


async def latest_position(connection: AsyncConnection) -> int:
    """The newest position; 0 before the first event."""
    return int((await connection.execute(_LATEST)).scalar_one())
