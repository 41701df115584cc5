"""Where each stretch of a chart comes from."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.vitals.buckets import DAY, HOUR, ORIGIN, Bucket, Span, bucket_for, ceiling, floor, sources

START = datetime(2026, 11, 1, 3, 17, tzinfo=UTC)


@pytest.mark.parametrize(
    ("length", "points", "bucket"),
    [
        (timedelta(hours=6), 400, Bucket.MINUTE),
        (timedelta(days=1), 400, Bucket.FIVE_MINUTES),
        (timedelta(days=4), 400, Bucket.QUARTER),
        (timedelta(days=16), 400, Bucket.HOUR),
        (timedelta(days=31), 400, Bucket.SIX_HOURS),
        (timedelta(days=366), 400, Bucket.DAY),
        (timedelta(days=366), 60, Bucket.WEEK),
        (timedelta(days=3650), 12, Bucket.MONTH),
    ],
)
def test_the_narrowest_bucket_that_gives_so_many_points(length: timedelta, points: int, bucket: Bucket) -> None:
    assert bucket_for(START, START + length, points) is bucket


@pytest.mark.parametrize(
    ("bucket", "begins", "ends"),
    [
        (Bucket.HOUR, "2026-11-01T03:00Z", "2026-11-01T04:00Z"),
        (Bucket.SIX_HOURS, "2026-10-31T22:00Z", "2026-11-01T04:00Z"),
        (Bucket.DAY, "2026-10-31T16:00Z", "2026-11-01T16:00Z"),
        (Bucket.WEEK, "2026-10-25T16:00Z", "2026-11-01T16:00Z"),
        (Bucket.MONTH, "2026-10-31T16:00Z", "2026-11-30T16:00Z"),
    ],
)
def test_buckets_are_those_of_the_business_calendar(bucket: Bucket, begins: str, ends: str) -> None:
    assert floor(START, bucket) == datetime.fromisoformat(begins)
    assert ceiling(START, bucket) == datetime.fromisoformat(ends)
    assert ceiling(floor(START, bucket), bucket) == floor(START, bucket)


def test_a_year_is_days_but_for_today_and_for_the_day_of_a_late_reading() -> None:
    day = datetime(2026, 10, 31, 16, tzinfo=UTC)
    late = day - DAY * 100 + HOUR * 3
    parts = sources((day - DAY * 365, day + DAY), Bucket.DAY, day + HOUR * 5, {late})
    assert parts.daily == ((day - DAY * 365, day - DAY * 100), (day - DAY * 99, day))
    assert parts.hourly == ((day - DAY * 100, late), (late + HOUR, day - DAY * 99), (day, day + HOUR * 5))
    assert parts.raw == ((late, late + HOUR), (day + HOUR * 5, day + DAY))


hours = st.integers(min_value=-200, max_value=200)


@given(
    first=hours,
    length=st.integers(min_value=1, max_value=300),
    tail=hours,
    dirty=st.sets(hours, max_size=20),
    bucket=st.sampled_from(list(Bucket)),
)
def test_the_three_sources_cover_the_range_once(
    first: int, length: int, tail: int, dirty: set[int], bucket: Bucket
) -> None:
    span = floor(ORIGIN + HOUR * first, bucket), ceiling(ORIGIN + HOUR * (first + length), bucket)
    changed = {ORIGIN + HOUR * hour for hour in dirty}
    fresh = ORIGIN + HOUR * tail
    parts = sources(span, bucket, fresh, changed)
    every: list[Span] = sorted((*parts.daily, *parts.hourly, *parts.raw))
    assert every[0][0] == span[0]
    assert every[-1][1] == span[1]
    assert all(before[1] == after[0] for before, after in pairwise(every))
    for start, end in (*parts.daily, *parts.hourly):
        assert end <= fresh
        assert not any(start <= hour < end for hour in changed)
    assert all(start == floor(start, Bucket.DAY) and end == floor(end, Bucket.DAY) for start, end in parts.daily)
