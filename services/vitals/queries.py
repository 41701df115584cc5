"""What charts read. The caller has checked that the resident is in reach and the read is audited."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, DateTime, Interval, Text, Uuid, bindparam, text

from services.core.columns import UtcDateTime
from services.core.database import Work
from services.vitals.buckets import ORIGIN, WIDTHS, Bucket, Sources, Span
from services.vitals.kinds import ReadingKind

_PROGRESS = text("SELECT merged_at FROM aggregate_progress")
_DIRTY = text(
    "SELECT hour FROM reading_dirty WHERE resident_id = :resident_id AND hour >= :start AND hour < :end"
).bindparams(
    bindparam("resident_id", type_=Uuid()),
    bindparam("start", type_=UtcDateTime()),
    bindparam("end", type_=UtcDateTime()),
)
_SPANS = ARRAY(DateTime(timezone=True))
# The three sources never overlap (services.vitals.buckets.sources), so they may be counted together. The raw
# stretches come as parameters, and PostgreSQL opens the partitions of those months only: OFFSET 0 keeps it from
# reading every month first and comparing afterwards.
_CHART = text(
    """
    SELECT kind,
        CASE WHEN :months THEN date_trunc('month', at, 'Asia/Shanghai')
            ELSE date_bin(:width, at, :origin) END AS start,
        min(minimum), max(maximum), sum(total) / nullif(sum(readings), 0), sum(readings), sum(no_data)
    FROM (
        SELECT d.kind, d.day::timestamp AT TIME ZONE 'Asia/Shanghai' AS at, d.minimum, d.maximum, d.total,
            d.readings, d.no_data
        FROM unnest(:day_from, :day_to) AS span(since, until)
        JOIN LATERAL (
            SELECT * FROM reading_daily WHERE resident_id = :resident_id AND kind = ANY(:kinds)
                AND day >= (span.since AT TIME ZONE 'Asia/Shanghai')::date
                AND day < (span.until AT TIME ZONE 'Asia/Shanghai')::date OFFSET 0
        ) d ON true
        UNION ALL
        SELECT h.kind, h.hour, h.minimum, h.maximum, h.total, h.readings, h.no_data
        FROM unnest(:hour_from, :hour_to) AS span(since, until)
        JOIN LATERAL (
            SELECT * FROM reading_hourly WHERE resident_id = :resident_id AND kind = ANY(:kinds)
                AND hour >= span.since AND hour < span.until OFFSET 0
        ) h ON true
        UNION ALL
        SELECT r.kind, r.measured_at, r.good, r.good, coalesce(r.good, 0), (r.good IS NOT NULL)::int,
            (r.good IS NULL)::int
        FROM unnest(:raw_from, :raw_to) AS span(since, until)
        JOIN LATERAL (
            SELECT kind, measured_at, CASE WHEN quality = 'good' THEN value END AS good
            FROM reading WHERE resident_id = :resident_id AND kind = ANY(:kinds)
                AND measured_at >= span.since AND measured_at < span.until OFFSET 0
        ) r ON true
    ) values
    GROUP BY 1, 2 ORDER BY 1, 2
    """
).bindparams(
    bindparam("resident_id", type_=Uuid()),
    bindparam("kinds", type_=ARRAY(Text())),
    bindparam("width", type_=Interval()),
    bindparam("origin", type_=UtcDateTime()),
    *(bindparam(name, type_=_SPANS) for name in ("day_from", "day_to", "hour_from", "hour_to")),
    bindparam("raw_from", type_=_SPANS),
    bindparam("raw_to", type_=_SPANS),
)
# A gap is between two good readings, or from the last one to the end: what the sensor's own rhythm (the median
# distance) times a factor does not explain.
_GAPS = text(
    """
    WITH good AS (
        SELECT measured_at AS at, lead(measured_at) OVER (ORDER BY measured_at) AS following
        FROM reading
        WHERE resident_id = :resident_id AND kind = :kind AND quality = 'good'
            AND measured_at >= :start AND measured_at < :end
    ), rhythm AS (
        SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY following - at) AS usual FROM good
    ), limits AS (
        SELECT usual, coalesce(CAST(:longer_than AS interval), greatest(usual * :factor, :shortest), :shortest)
            AS longest FROM rhythm
    ), stretches AS (
        SELECT at AS since, coalesce(following, CAST(:end AS timestamptz)) AS until FROM good
        UNION ALL
        SELECT CAST(:start AS timestamptz), coalesce((SELECT min(at) FROM good), CAST(:end AS timestamptz))
    )
    SELECT usual, longest, since, until FROM limits LEFT JOIN stretches ON until - since > longest
    ORDER BY since
    """
).bindparams(
    bindparam("resident_id", type_=Uuid()),
    bindparam("start", type_=UtcDateTime()),
    bindparam("end", type_=UtcDateTime()),
    bindparam("longer_than", type_=Interval()),
    bindparam("shortest", type_=Interval()),
)


class Point(NamedTuple):
    """One bucket of one kind, of its good readings; ``None`` where there were none."""

    kind: ReadingKind
    start: datetime
    minimum: float | None
    maximum: float | None
    mean: float | None
    readings: int
    no_data: int


class Gaps(NamedTuple):
    """The sensor's usual distance, what counts as a gap, and the gaps."""

    usual: timedelta | None
    longer_than: timedelta
    spans: list[Span]


async def merged_at(work: Work) -> datetime | None:
    """Up to when the notes of ingest have become marks; ``None`` before the worker's first turn."""
    found: datetime | None = (await work.sql(_PROGRESS)).scalar_one_or_none()
    return found


async def dirty_hours(work: Work, resident_id: UUID, span: Span) -> set[datetime]:
    """Hours of a resident that have changed since they were computed."""
    values = {"resident_id": resident_id, "start": span[0], "end": span[1]}
    return {row[0] for row in await work.sql(_DIRTY, values)}


def chart_values(
    resident_id: UUID, kinds: Sequence[ReadingKind], bucket: Bucket, parts: Sources
) -> dict[str, object]:
    """The parameters of a chart."""
    values: dict[str, object] = {
        "resident_id": resident_id,
        "kinds": [kind.value for kind in kinds],
        "months": bucket is Bucket.MONTH,
        "width": WIDTHS[bucket],
        "origin": ORIGIN,
    }
    for name, spans in (("day", parts.daily), ("hour", parts.hourly), ("raw", parts.raw)):
        values |= {f"{name}_from": [span[0] for span in spans], f"{name}_to": [span[1] for span in spans]}
    return values


async def chart(
    work: Work, resident_id: UUID, kinds: Sequence[ReadingKind], bucket: Bucket, parts: Sources
) -> list[Point]:
    """The points of several kinds, by kind and time; buckets without a value are not there."""
    rows = await work.sql(_CHART, chart_values(resident_id, kinds, bucket, parts))
    return [Point(ReadingKind(row[0]), *row[1:]) for row in rows]


async def gaps(
    work: Work,
    resident_id: UUID,
    kind: ReadingKind,
    span: Span,
    longer_than: timedelta | None,
    factor: float,
    shortest: timedelta,
) -> Gaps:
    """Stretches without a good reading that are longer than given, or than the rhythm times the factor."""
    values = {
        "resident_id": resident_id,
        "kind": kind.value,
        "start": span[0],
        "end": span[1],
        "longer_than": longer_than,
        "factor": factor,
        "shortest": shortest,
    }
    rows = (await work.sql(_GAPS, values)).all()
    return Gaps(rows[0][0], rows[0][1], [(row[2], row[3]) for row in rows if row[2] is not None])
