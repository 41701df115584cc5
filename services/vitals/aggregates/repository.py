"""SQL that keeps hours and days right. Whole buckets are computed from the raw readings, nothing is added up."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BindParameter, DateTime, Interval, Text, Uuid, bindparam, text

from services.core.clock import BUSINESS_ZONE
from services.core.columns import UtcDateTime
from services.core.database import Work
from services.vitals.kinds import ReadingKind

_LEADER = text("SELECT pg_try_advisory_xact_lock(4301210014)")
_MERGE = text(
    """
    WITH taken AS (
        DELETE FROM reading_note WHERE id IN (SELECT id FROM reading_note ORDER BY id LIMIT :limit)
        RETURNING residents, hours
    ), touched AS (
        SELECT DISTINCT pair.resident_id, to_timestamp(pair.hour * 3600.0) AS hour
        FROM taken, unnest(taken.residents, taken.hours) AS pair(resident_id, hour)
    ), marked AS (
        INSERT INTO reading_dirty (resident_id, hour, area_code, due_at)
        SELECT t.resident_id, t.hour, r.area_code,
            greatest(t.hour + interval '1 hour' + :settle, CAST(:now AS timestamptz) + :debounce)
        FROM touched t JOIN resident r ON r.id = t.resident_id
        ON CONFLICT (resident_id, hour) DO NOTHING
    )
    SELECT count(*) FROM taken
    """
).bindparams(
    bindparam("settle", type_=Interval()),
    bindparam("debounce", type_=Interval()),
    bindparam("now", type_=UtcDateTime()),
)
_MERGED = text(
    "INSERT INTO aggregate_progress (id, merged_at) VALUES (1, :now)"
    " ON CONFLICT (id) DO UPDATE SET merged_at = excluded.merged_at"
).bindparams(bindparam("now", type_=UtcDateTime()))
# Hours of which the raw readings are gone must never be computed again: nothing would be left of them.
_FORGET = text(
    "DELETE FROM reading_dirty d USING retention_log l"
    " WHERE l.what = 'reading' AND d.hour >= l.range_start AND d.hour < l.range_end"
)
_DUE = text(
    "SELECT resident_id, hour FROM reading_dirty WHERE due_at <= :now ORDER BY due_at, resident_id LIMIT :limit"
).bindparams(bindparam("now", type_=UtcDateTime()))
_PAIRS = (
    bindparam("residents", type_=ARRAY(Uuid())),
    bindparam("hours", type_=ARRAY(DateTime(timezone=True))),
)
_KINDS = bindparam("kinds", type_=ARRAY(Text()))
_CLEAR_HOURS = text(
    """
    DELETE FROM reading_hourly h USING unnest(:residents, :hours) AS d(resident_id, hour)
    WHERE h.resident_id = d.resident_id AND h.kind = ANY(:kinds) AND h.hour = d.hour
    """
).bindparams(*_PAIRS, _KINDS)
_COUNT_HOURS = text(
    """
    INSERT INTO reading_hourly
        (resident_id, kind, hour, area_code, minimum, maximum, total, readings, no_data)
    SELECT d.resident_id, r.kind, d.hour, max(r.area_code),
        min(r.value) FILTER (WHERE r.quality = 'good'), max(r.value) FILTER (WHERE r.quality = 'good'),
        coalesce(sum(r.value) FILTER (WHERE r.quality = 'good'), 0),
        count(*) FILTER (WHERE r.quality = 'good'), count(*) FILTER (WHERE r.quality <> 'good')
    FROM unnest(:residents, :hours) AS d(resident_id, hour)
    JOIN LATERAL (
        SELECT kind, value, quality, area_code FROM reading
        WHERE resident_id = d.resident_id AND kind = ANY(:kinds)
            AND measured_at >= d.hour AND measured_at < d.hour + interval '1 hour'
        OFFSET 0 -- hour by hour, each in its own partition, whatever the planner thinks of it
    ) r ON true
    GROUP BY d.resident_id, r.kind, d.hour
    """
).bindparams(*_PAIRS, _KINDS)
_DAYS: tuple[BindParameter[Any], ...] = (bindparam("residents", type_=ARRAY(Uuid())), bindparam("days"))
_CLEAR_DAYS = text(
    """
    DELETE FROM reading_daily t USING unnest(:residents, CAST(:days AS date[])) AS d(resident_id, day)
    WHERE t.resident_id = d.resident_id AND t.kind = ANY(:kinds) AND t.day = d.day
    """
).bindparams(*_DAYS, _KINDS)
_COUNT_DAYS = text(
    """
    INSERT INTO reading_daily (resident_id, kind, day, area_code, minimum, maximum, total, readings, no_data)
    SELECT d.resident_id, h.kind, d.day, max(h.area_code), min(h.minimum), max(h.maximum), sum(h.total),
        sum(h.readings), sum(h.no_data)
    FROM unnest(:residents, CAST(:days AS date[])) AS d(resident_id, day)
    JOIN LATERAL (
        SELECT * FROM reading_hourly
        WHERE resident_id = d.resident_id AND kind = ANY(:kinds)
            AND hour >= d.day::timestamp AT TIME ZONE 'Asia/Shanghai'
            AND hour < (d.day + 1)::timestamp AT TIME ZONE 'Asia/Shanghai'
        OFFSET 0
    ) h ON true
    GROUP BY d.resident_id, h.kind, d.day
    """
).bindparams(*_DAYS, _KINDS)
_CLEAN = text(
    """
    DELETE FROM reading_dirty d USING unnest(:residents, :hours) AS done(resident_id, hour)
    WHERE d.resident_id = done.resident_id AND d.hour = done.hour
    """
).bindparams(*_PAIRS)
_MARK = text(
    """
    INSERT INTO reading_dirty (resident_id, hour, area_code, due_at)
    SELECT resident_id, date_trunc('hour', measured_at), max(area_code), CAST(:now AS timestamptz)
    FROM reading WHERE measured_at >= :start AND measured_at < :end AND resident_id IS NOT NULL
    GROUP BY 1, 2
    ON CONFLICT (resident_id, hour) DO NOTHING
    """
).bindparams(
    bindparam("now", type_=UtcDateTime()),
    bindparam("start", type_=UtcDateTime()),
    bindparam("end", type_=UtcDateTime()),
)
_ALL_KINDS = [kind.value for kind in ReadingKind]

Marked = tuple[UUID, datetime]
"""A resident and the beginning of an hour."""


async def lead(work: Work) -> bool:
    """Whether this transaction alone keeps the aggregates until it ends.

    Two at once could each compute a bucket from what they saw, and the one that saw less could write last.
    """
    return bool((await work.sql(_LEADER)).scalar_one())


async def merge_notes(work: Work, settle: timedelta, debounce: timedelta, limit: int) -> int:
    """Turn notes into marks: due once their hour is over and settled. Returns how many notes were taken."""
    values = {"settle": settle, "debounce": debounce, "now": work.now, "limit": limit}
    return int((await work.sql(_MERGE, values)).scalar_one())


async def note_progress(work: Work) -> None:
    """Every note that was there at this moment is a mark now."""
    await work.sql(_MERGED, {"now": work.now})


async def forget_deleted(work: Work) -> int:
    """Take away marks of hours whose raw readings have been deleted by policy."""
    return (await work.sql(_FORGET)).rowcount


async def mark(work: Work, start: datetime, end: datetime) -> None:
    """Mark every hour of a stretch that has readings."""
    await work.sql(_MARK, {"now": work.now, "start": start, "end": end})


async def due_hours(work: Work, limit: int) -> list[Marked]:
    """The marks that may be computed now, longest due first."""
    return [(row[0], row[1]) for row in await work.sql(_DUE, {"now": work.now, "limit": limit})]


async def compute(work: Work, marked: Sequence[Marked]) -> None:
    """Compute these hours, and the days that they lie in, from what is stored; take the marks away."""
    hours = {
        "residents": [resident_id for resident_id, _ in marked],
        "hours": [hour for _, hour in marked],
        "kinds": _ALL_KINDS,
    }
    await work.sql(_CLEAR_HOURS, hours)
    await work.sql(_COUNT_HOURS, hours)
    days: set[tuple[UUID, date]] = {(r, h.astimezone(BUSINESS_ZONE).date()) for r, h in marked}
    of_days = {"residents": [r for r, _ in days], "days": [d for _, d in days], "kinds": _ALL_KINDS}
    await work.sql(_CLEAR_DAYS, of_days)
    await work.sql(_COUNT_DAYS, of_days)
    await work.sql(_CLEAN, {"residents": hours["residents"], "hours": hours["hours"]})
