"""SQL of the monthly partitions: made, found, checked, dropped."""

from datetime import date, datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col, select

from services.core.database import Work
from services.vitals.models import RetentionLog

# A partition comes and goes under a strong lock. Who waits long for it makes ingest wait behind; so we wait
# briefly and try again at the next turn.
_BRIEFLY: Final = text("SET LOCAL lock_timeout = '2s'")
_SLOWLY: Final = text("SET LOCAL statement_timeout = '15min'")
_MAKE: Final = text("SELECT make_reading_partition(CAST(:month AS date))")
_ASTRAY: Final = text(
    """
    SELECT DISTINCT date_trunc('month', measured_at, 'UTC') AT TIME ZONE 'UTC' FROM reading_other
    WHERE NOT EXISTS (SELECT FROM retention_log WHERE what = 'reading'
        AND measured_at >= range_start AND measured_at < range_end)
    """
)
_LEADER: Final = text("SELECT pg_try_advisory_xact_lock(4301210015)")
_MONTHS: Final = text(
    """
    SELECT c.relname, to_date(right(c.relname, 6), 'YYYYMM'), greatest(c.reltuples, 0)::bigint
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'reading'::regclass AND c.relname ~ '^reading_[0-9]{6}$'
    ORDER BY 2
    """
)
_UNCOUNTED: Final = text(
    """
    SELECT EXISTS (SELECT FROM reading_dirty WHERE hour >= :start AND hour < :end)
        OR EXISTS (SELECT FROM reading_note, unnest(hours) AS noted(hour)
            WHERE to_timestamp(noted.hour * 3600.0) >= :start AND to_timestamp(noted.hour * 3600.0) < :end)
        OR (SELECT count(*) FROM reading WHERE measured_at >= :start AND measured_at < :end
                AND resident_id IS NOT NULL)
            <> (SELECT coalesce(sum(readings + no_data), 0) FROM reading_hourly
                WHERE hour >= :start AND hour < :end)
    """
)
_STRAYS: Final = text("DELETE FROM reading_other WHERE measured_at >= :start AND measured_at < :end")
_OLD: Final = {
    "reading_hourly": text("DELETE FROM reading_hourly WHERE hour < :end"),
    "reading_daily": text(
        "DELETE FROM reading_daily WHERE day < (CAST(:end AS timestamptz) AT TIME ZONE 'Asia/Shanghai')::date"
    ),
    "dead_letter": text("DELETE FROM dead_letter WHERE received_at < :end"),
}
_HOW_MANY: Final = {
    "reading_hourly": text("SELECT count(*), min(hour) FROM reading_hourly WHERE hour < :end"),
    "reading_daily": text(
        "SELECT count(*), min(day)::timestamp AT TIME ZONE 'Asia/Shanghai' FROM reading_daily"
        " WHERE day < (CAST(:end AS timestamptz) AT TIME ZONE 'Asia/Shanghai')::date"
    ),
    "dead_letter": text("SELECT count(*), min(received_at) FROM dead_letter WHERE received_at < :end"),
}


class Month(NamedTuple):
    """One month's partition. ``rows`` is the planner's estimate."""

    table: str
    first: date
    rows: int


async def make_partition(connection: AsyncConnection, month: date) -> None:
    """Make the partition of the month of a day unless it is there; what waited in the catch-all moves into it."""
    await connection.execute(_BRIEFLY)
    await connection.execute(_MAKE, {"month": month})


async def months_astray(connection: AsyncConnection) -> list[date]:
    """Months of readings that lie in the catch-all, as far as they are still kept."""
    return [row[0].date() for row in await connection.execute(_ASTRAY)]


async def lead(work: Work) -> bool:
    """Whether this transaction alone deletes by policy until it ends."""
    return bool((await work.sql(_LEADER)).scalar_one())


async def months(work: Work) -> list[Month]:
    """Every month's partition, oldest first."""
    return [Month(*row) for row in await work.sql(_MONTHS)]


async def is_counted(work: Work, start: datetime, end: datetime) -> bool:
    """Whether every reading of a stretch with a resident is in the hours, number by number. Slow on purpose."""
    await work.sql(_SLOWLY)
    values = {"start": start, "end": end}
    return not (await work.sql(_UNCOUNTED, values)).scalar_one()


async def drop_month(work: Work, month: Month, start: datetime, end: datetime) -> int:
    """Drop a month's partition and what of that time lies in the catch-all. Returns how many rows."""
    await work.sql(_BRIEFLY)
    await work.sql(text(f"ALTER TABLE reading DETACH PARTITION {month.table}"))  # from the catalogue
    rows = int((await work.sql(text(f"SELECT count(*) FROM {month.table}"))).scalar_one())  # noqa: S608  same
    await work.sql(text(f"DROP TABLE {month.table}"))
    return rows + (await work.sql(_STRAYS, {"start": start, "end": end})).rowcount


async def count_old(work: Work, what: str, end: datetime) -> tuple[int, datetime | None]:
    """How many rows of a table are older, and since when."""
    row = (await work.sql(_HOW_MANY[what], {"end": end})).one()
    return row[0], row[1]


async def delete_old(work: Work, what: str, end: datetime) -> int:
    """Delete the rows of a table that are older. Returns how many."""
    await work.sql(_SLOWLY)
    return (await work.sql(_OLD[what], {"end": end})).rowcount


async def retention_log(work: Work, limit: int, cursor: UUID | None) -> list[RetentionLog]:
    """What was deleted, newest first."""
    statement = select(RetentionLog).order_by(col(RetentionLog.id).desc()).limit(limit)
    if cursor is not None:
        statement = statement.where(col(RetentionLog.id) < cursor)
    return list((await work.session.exec(statement)).all())
