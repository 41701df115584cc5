"""Stretches of time that values are counted together in, and where each stretch of a chart comes from. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from services.core.clock import BUSINESS_ZONE

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
ORIGIN = datetime(2000, 1, 3, tzinfo=BUSINESS_ZONE).astimezone(UTC)
"""A Monday's midnight: where buckets of a fixed width are counted from."""

Span = tuple[datetime, datetime]
"""A half-open stretch of time."""


class Bucket(StrEnum):
    """The widths of a chart's points; a month is a calendar month."""

    MINUTE = "1m"
    FIVE_MINUTES = "5m"
    QUARTER = "15m"
    HOUR = "1h"
    SIX_HOURS = "6h"
    DAY = "1d"
    WEEK = "7d"
    MONTH = "1mo"


WIDTHS: dict[Bucket, timedelta] = {
    Bucket.MINUTE: timedelta(minutes=1),
    Bucket.FIVE_MINUTES: timedelta(minutes=5),
    Bucket.QUARTER: timedelta(minutes=15),
    Bucket.HOUR: HOUR,
    Bucket.SIX_HOURS: timedelta(hours=6),
    Bucket.DAY: DAY,
    Bucket.WEEK: timedelta(days=7),
    Bucket.MONTH: timedelta(days=31),
}
"""Shortest first; a month's is its longest."""


def bucket_for(start: datetime, end: datetime, points: int) -> Bucket:
    """The narrowest bucket that gives at most so many points; the widest when none does."""
    for bucket, width in WIDTHS.items():
        if end - start <= width * points:
            return bucket
    return Bucket.MONTH


def points_of(bucket: Bucket, start: datetime, end: datetime) -> float:
    """How many points a stretch has at most."""
    return (end - start) / (timedelta(days=28) if bucket is Bucket.MONTH else WIDTHS[bucket])


def floor(moment: datetime, bucket: Bucket) -> datetime:
    """The beginning of the bucket that a moment lies in, in UTC."""
    if bucket is Bucket.MONTH:
        local = moment.astimezone(BUSINESS_ZONE)
        return local.replace(day=1, hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
    width = WIDTHS[bucket]
    return ORIGIN + (moment - ORIGIN) // width * width


def ceiling(moment: datetime, bucket: Bucket) -> datetime:
    """The end of the bucket that a moment lies in, or the moment itself where a bucket begins there."""
    below = floor(moment, bucket)
    if below == moment:
        return below
    return floor(below + WIDTHS[bucket] + HOUR, bucket) if bucket is Bucket.MONTH else below + WIDTHS[bucket]


def day_start(day: date) -> datetime:
    """Midnight of a day of the business calendar, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=BUSINESS_ZONE).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Sources:
    """What a chart is put together from; the three cover its range without overlapping."""

    daily: tuple[Span, ...]
    hourly: tuple[Span, ...]
    raw: tuple[Span, ...]


def sources(span: Span, bucket: Bucket, tail: datetime, dirty: Collection[datetime]) -> Sources:
    """Days where days will do, hours where those will, raw readings for everything that is not computed yet.

    ``span`` is aligned to the bucket. ``tail`` is the hour from which on nothing is surely computed; ``dirty`` are
    earlier hours that have changed since.
    """
    if WIDTHS[bucket] < HOUR:
        return Sources((), (), (span,))
    start, end = span
    fresh = min(max(tail, start), end)
    raw = _joined([*((h, h + HOUR) for h in sorted(dirty) if start <= h < fresh), (fresh, end)])
    computed = _without(span, raw)
    if WIDTHS[bucket] < DAY:
        return Sources((), tuple(computed), tuple(raw))
    daily = [whole for part in computed if (whole := _whole_days(part)) is not None]
    hourly = [rest for part in computed for rest in _without(part, [w for w in [_whole_days(part)] if w])]
    return Sources(tuple(daily), tuple(hourly), tuple(raw))


def _whole_days(span: Span) -> Span | None:
    """The whole days within a stretch."""
    start, end = ceiling(span[0], Bucket.DAY), floor(span[1], Bucket.DAY)
    return (start, end) if start < end else None


def _joined(spans: Sequence[Span]) -> list[Span]:
    """Sorted stretches, with those that touch made one and empty ones left out."""
    joined: list[Span] = []
    for start, end in spans:
        if start >= end:
            continue
        if joined and joined[-1][1] >= start:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def _without(span: Span, holes: Sequence[Span]) -> list[Span]:
    """What is left of a stretch without sorted holes in it."""
    left: list[Span] = []
    at = span[0]
    for start, end in holes:
        if at < start:
            left.append((at, start))
        at = max(at, end)
    if at < span[1]:
        left.append((at, span[1]))
    return left
