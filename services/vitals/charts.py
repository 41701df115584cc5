"""Charts of readings: the same answer whether a point comes from the raw readings, the hours or the days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any, Final
from uuid import UUID

import msgspec

from services.audit.service import record_read
from services.core.database import Work
from services.core.errors import InvalidInput
from services.vitals import queries, repository
from services.vitals.buckets import Bucket, Span, bucket_for, ceiling, floor, points_of, sources
from services.vitals.kinds import ReadingKind
from services.vitals.models import Reading
from services.vitals.queries import Gaps, Point
from services.vitals.service import may_read

_TAIL_MARGIN: Final = timedelta(minutes=10)
"""Readings of this age may still be in a note that is not taken in yet; their hour is read raw."""


@dataclass(frozen=True, slots=True)
class ChartDefaults:
    """How finely a chart is drawn when nobody says so, and what a gap is."""

    points: int
    most_points: int
    gap_factor: float
    shortest_gap: timedelta
    longest_gap_range: timedelta


def load_defaults() -> ChartDefaults:
    """From the data file, which says where the numbers come from."""
    raw: Any = msgspec.json.decode((files("services.vitals") / "data" / "charts.json").read_bytes())
    return ChartDefaults(
        points=raw["points"],
        most_points=raw["most_points"],
        gap_factor=raw["gap_factor"],
        shortest_gap=timedelta(minutes=raw["shortest_gap_minutes"]),
        longest_gap_range=timedelta(days=raw["longest_gap_range_days"]),
    )


DEFAULTS = load_defaults()


@dataclass(frozen=True, slots=True)
class Chart:
    """The points of some kinds over a range that is aligned to the bucket."""

    start: datetime
    end: datetime
    bucket: Bucket
    points: dict[ReadingKind, list[Point]]
    latest: dict[ReadingKind, Reading]


async def read_chart(
    work: Work,
    resident_id: UUID,
    kinds: Sequence[ReadingKind],
    start: datetime,
    end: datetime,
    bucket: Bucket | None,
    points: int,
) -> Chart:
    """Minimum, mean, maximum and count by bucket. ``NotFound`` outside the actor's reach. Audited.

    ``InvalidInput`` for a range that ends before it starts or has too many points of the wanted bucket.
    """
    _sensible(start, end)
    width = bucket or bucket_for(start, end, points)
    if points_of(width, start, end) > DEFAULTS.most_points:
        raise InvalidInput("too many points of that bucket", field="bucket")
    await may_read(work, resident_id)
    await record_read(work, [resident_id], "vitals.chart", [kind.value for kind in kinds])
    span = (floor(start, width), ceiling(end, width))
    drawn = await draw(work, resident_id, kinds, span, width)
    latest = {reading.kind: reading for reading in await repository.latest(work, resident_id, kinds)}
    return Chart(*span, width, {kind: [p for p in drawn if p.kind is kind] for kind in kinds}, latest)


async def draw(
    work: Work, resident_id: UUID, kinds: Sequence[ReadingKind], span: Span, bucket: Bucket
) -> list[Point]:
    """The points of an aligned range, up to date to the reading; the caller has checked and audited the read."""
    merged = await queries.merged_at(work)
    tail = span[0] if merged is None else floor(merged - _TAIL_MARGIN, Bucket.HOUR)
    dirty = await queries.dirty_hours(work, resident_id, span)
    return await queries.chart(work, resident_id, kinds, bucket, sources(span, bucket, tail, dirty))


async def read_gaps(
    work: Work,
    resident_id: UUID,
    kind: ReadingKind,
    start: datetime,
    end: datetime,
    longer_than: timedelta | None,
) -> Gaps:
    """Stretches without good data. ``NotFound`` outside the actor's reach. Audited.

    Longer than given, or than the usual distance of this sensor's readings times the default factor.
    """
    _sensible(start, end)
    if end - start > DEFAULTS.longest_gap_range:
        raise InvalidInput("too long a range to look for gaps in", field="start")
    await may_read(work, resident_id)
    await record_read(work, [resident_id], "vitals.gaps", [kind.value])
    span = (start, min(end, work.now))
    return await queries.gaps(
        work, resident_id, kind, span, longer_than, DEFAULTS.gap_factor, DEFAULTS.shortest_gap
    )


def _sensible(start: datetime, end: datetime) -> None:
    if start >= end:
        raise InvalidInput("the end is not after the start", field="end")
