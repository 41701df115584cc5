"""Hours and days equal what the raw readings say, whatever the order in which those came."""

import asyncio
import random
import re
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

import pytest
from sqlalchemy import text

from services.core.actor import SYSTEM, Role
from services.core.clock import BUSINESS_ZONE
from services.vitals import queries
from services.vitals.aggregates import repository as aggregates
from services.vitals.aggregates.service import aggregate_due, mark_stored
from services.vitals.buckets import DAY, HOUR, Bucket, Span, floor, sources
from services.vitals.charts import draw
from services.vitals.kinds import Quality, ReadingKind
from services.vitals.queries import Point
from services.vitals.repository import ReadingRow
from tests.readings import NOW, Ward
from tests.world import World

KINDS = [ReadingKind.HEART_RATE, ReadingKind.SPO2]


class Counted(NamedTuple):
    minimum: float | None
    maximum: float | None
    total: float
    readings: int
    no_data: int


def counted(rows: list[ReadingRow]) -> Counted:
    good = [row.value for row in rows if row.quality == Quality.GOOD]
    return Counted(
        min(good, default=None),
        max(good, default=None),
        pytest.approx(sum(good)),  # type: ignore[arg-type]
        len(good),
        len(rows) - len(good),
    )


def by_hour(rows: list[ReadingRow]) -> dict[tuple[str, datetime], Counted]:
    found: dict[tuple[str, datetime], list[ReadingRow]] = defaultdict(list)
    for row in rows:
        found[row.kind, floor(row.measured_at, Bucket.HOUR)].append(row)
    return {key: counted(of_hour) for key, of_hour in found.items()}


def by_day(rows: list[ReadingRow]) -> dict[tuple[str, date], Counted]:
    found: dict[tuple[str, date], list[ReadingRow]] = defaultdict(list)
    for row in rows:
        found[row.kind, row.measured_at.astimezone(BUSINESS_ZONE).date()].append(row)
    return {key: counted(of_day) for key, of_day in found.items()}


async def stored(ward: Ward, table: str, bucket: str) -> dict[tuple[str, datetime], Counted]:
    async with ward.database.unit_of_work(SYSTEM) as work:
        rows = await work.sql(
            text(
                f"SELECT kind, {bucket}, minimum, maximum, total, readings, no_data FROM {table}"  # noqa: S608  our own names
                " WHERE resident_id = :id"
            ),
            {"id": ward.resident_id},
        )
        return {(row[0], row[1]): Counted(*row[2:]) for row in rows}


async def chart(ward: Ward, span: Span, bucket: Bucket) -> list[Point]:
    async with ward.database.unit_of_work(SYSTEM) as work:
        return await draw(work, ward.resident_id, KINDS, span, bucket)


def some_readings(ward: Ward, dice: random.Random) -> list[ReadingRow]:
    """Three days of two kinds, some of them no measurement."""
    moments = [NOW - timedelta(seconds=dice.randrange(3 * 86_400)) for _ in range(400)]
    return [
        ward.row(at, dice.uniform(50, 99), dice.choice(KINDS), good=dice.random() > 0.1)
        for at in dict.fromkeys(moments)
    ]


@pytest.mark.parametrize("seed", range(4))
async def test_any_order_any_repeats_two_workers(ward: Ward, seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311  a test that repeats itself
    rows = some_readings(ward, dice)
    sent = [*rows, *dice.sample(rows, 80)]
    dice.shuffle(sent)
    batches = [sent[n : n + 16] for n in range(0, len(sent), 16)]
    done = asyncio.Event()

    async def ingest(mine: list[list[ReadingRow]]) -> None:
        for batch in mine:
            await ward.store(batch)
            ward.clock.forward(seconds=7)

    async def work() -> None:
        while not done.is_set():
            await ward.turn()

    workers = [asyncio.create_task(work()) for _ in range(2)]
    await asyncio.gather(ingest(batches[::2]), ingest(batches[1::2]))
    done.set()
    await asyncio.gather(*workers)
    # What the last hour holds is due only once it is over.
    ward.clock.forward(hours=2)
    await ward.settle()
    assert await stored(ward, "reading_hourly", "hour") == by_hour(rows)
    assert await stored(ward, "reading_daily", "day") == by_day(rows)


@pytest.mark.parametrize("bucket", [Bucket.QUARTER, Bucket.HOUR, Bucket.SIX_HOURS, Bucket.DAY, Bucket.WEEK])
async def test_a_chart_says_the_same_before_during_and_after_the_worker(ward: Ward, bucket: Bucket) -> None:
    dice = random.Random(bucket)  # noqa: S311  a test that repeats itself
    rows = some_readings(ward, dice)
    early, late = rows[:300], rows[300:]
    span = floor(NOW - DAY * 7, bucket), NOW
    await ward.store(early)
    before = await chart(ward, span, bucket)
    await ward.settle()
    assert await chart(ward, span, bucket) == approx(before)
    await ward.store(late)
    async with ward.database.unit_of_work(SYSTEM) as work:  # a worker that has taken in the notes, no more
        await aggregates.merge_notes(work, HOUR, HOUR, 1_000)
    during = await chart(ward, span, bucket)
    assert sum(point.readings + point.no_data for point in during) == len(rows)
    ward.clock.forward(hours=3)
    await ward.settle()
    assert await chart(ward, span, bucket) == approx(during)


def approx(points: list[Point]) -> list[Point]:
    """Sums of floats differ by their order."""
    return [point._replace(mean=pytest.approx(point.mean)) for point in points]  # type: ignore[arg-type]


async def test_a_chart_needs_no_worker(ward: Ward) -> None:
    async with ward.database.unit_of_work(SYSTEM) as work:
        await work.sql(text("DELETE FROM aggregate_progress"))
    await ward.store([ward.row(NOW - DAY * 3, 71.0)])
    [point] = await chart(ward, (floor(NOW - DAY * 365, Bucket.DAY), NOW), Bucket.DAY)
    assert point.readings == 1


async def test_a_reading_of_this_minute_is_on_the_chart_at_once(ward: Ward) -> None:
    await ward.store([ward.row(NOW - timedelta(seconds=5), 71.0)])
    [point] = await chart(ward, (floor(NOW - DAY * 365, Bucket.DAY), NOW), Bucket.DAY)
    assert (point.minimum, point.mean, point.readings) == (71.0, 71.0, 1)
    assert point.start == datetime(2026, 11, 19, 16, tzinfo=UTC)


async def test_a_worker_that_dies_half_way_leaves_everything_to_the_next_one(ward: Ward) -> None:
    rows = some_readings(ward, random.Random(7))  # noqa: S311  a test that repeats itself
    await ward.store(rows)
    ward.clock.forward(hours=2)

    async def die_half_way() -> None:
        async with ward.database.unit_of_work(SYSTEM) as work:
            assert await aggregate_due(work) > 0
            raise ZeroDivisionError

    await ward.turn()
    ward.clock.forward(minutes=1)
    with pytest.raises(ZeroDivisionError):
        await die_half_way()
    assert await stored(ward, "reading_hourly", "hour") == {}
    await ward.settle()
    assert await stored(ward, "reading_hourly", "hour") == by_hour(rows)


async def test_readings_that_came_past_ingest_are_counted_once_they_are_marked(ward: Ward) -> None:
    rows = some_readings(ward, random.Random(11))  # noqa: S311  a test that repeats itself
    await ward.store(rows)
    async with ward.database.unit_of_work(SYSTEM) as work:
        await work.sql(text("DELETE FROM reading_note"))
    await ward.settle()
    assert await stored(ward, "reading_hourly", "hour") == {}
    async with ward.database.unit_of_work(SYSTEM) as work:
        await mark_stored(work, NOW - DAY * 4, NOW)
    await ward.settle()
    assert await stored(ward, "reading_hourly", "hour") == by_hour(rows)


async def test_only_one_worker_computes_at_a_time(ward: Ward) -> None:
    await ward.store([ward.row(NOW - HOUR * 5, 70.0)])
    await ward.turn()
    ward.clock.forward(minutes=5)
    async with ward.database.unit_of_work(SYSTEM) as leading:
        assert await aggregates.lead(leading)
        assert await ward.turn() == 0
    assert await ward.turn() >= 1


async def test_a_year_opens_no_month_of_readings_but_the_last(ward: Ward, fresh_world: World) -> None:
    months = [datetime(2026, 8, 5, tzinfo=UTC), datetime(2026, 9, 5, tzinfo=UTC), NOW - HOUR]
    await ward.store([ward.row(at + timedelta(minutes=n), 70.0 + n) for at in months for n in range(30)])
    ward.clock.forward(hours=2)
    await ward.settle()
    span = floor(NOW - DAY * 365, Bucket.DAY), floor(NOW + DAY, Bucket.DAY)
    async with ward.database.unit_of_work(await fresh_world.actor(Role.CLINICIAN)) as work:
        merged = await queries.merged_at(work)
        assert merged is not None
        tail = floor(merged, Bucket.HOUR)
        parts = sources(span, Bucket.DAY, tail, await queries.dirty_hours(work, ward.resident_id, span))
        statement = queries._CHART
        explained = text(f"EXPLAIN (ANALYZE, COSTS OFF) {statement.text}").bindparams(
            *statement._bindparams.values()
        )
        values = queries.chart_values(ward.resident_id, KINDS, Bucket.DAY, parts)
        plan = [row[0] for row in await work.sql(explained, values)]
    scans = [line for line in plan if re.search(r"reading_\d{6}|reading_other", line)]
    opened = {re.search(r"on (reading_\w+)", s)[1] for s in scans if "never executed" not in s and " on " in s}  # type: ignore[index]
    assert opened <= {"reading_202611"}, "\n".join(plan)
    assert any("Index Scan using reading_daily_pkey" in line and "never" not in line for line in plan)
    points = await chart(ward, span, Bucket.DAY)
    assert [point.readings for point in points] == [30, 30, 30]


async def test_the_walls_hold_for_hours_and_days_too(ward: Ward, fresh_world: World) -> None:
    await ward.store([ward.row(NOW - DAY, 70.0)])
    await ward.settle()
    span = floor(NOW - DAY * 3, Bucket.DAY), floor(NOW, Bucket.DAY)
    seen = {}
    for place in (fresh_world.here, fresh_world.neighbour):
        for number, role in ((0, Role.CLINICIAN), (0, Role.FAMILY), (1, Role.FAMILY)):
            async with ward.database.unit_of_work(await fresh_world.actor(role, place, number)) as work:
                points = await draw(work, ward.resident_id, KINDS, span, Bucket.DAY)
                seen[place.town == fresh_world.here.town, role, number] = len(points)
    assert {who for who, points in seen.items() if points} == {
        (True, Role.CLINICIAN, 0),
        (True, Role.FAMILY, 0),
    }


async def test_the_answer_tells_good_from_no_data(ward: Ward) -> None:
    await ward.store([ward.row(NOW - HOUR, 0.0, good=False), ward.row(NOW - HOUR * 2, 64.0)])
    nothing, something = sorted(
        await chart(ward, (floor(NOW - DAY, Bucket.HOUR), NOW), Bucket.HOUR), key=lambda point: point.readings
    )
    assert (nothing.minimum, nothing.mean, nothing.readings, nothing.no_data) == (None, None, 0, 1)
    assert (something.minimum, something.maximum, something.readings, something.no_data) == (64.0, 64.0, 1, 0)


@pytest.mark.parametrize(
    ("longer_than", "expected"),
    [
        (None, [(10, 70), (100, 150)]),  # a minute's rhythm; the shortest gap that counts is ten minutes
        (timedelta(minutes=55), [(10, 70)]),
        (timedelta(minutes=90), []),
    ],
)
async def test_gaps_are_what_the_rhythm_does_not_explain(
    ward: Ward, longer_than: timedelta | None, expected: list[tuple[int, int]]
) -> None:
    start = NOW - timedelta(minutes=150)
    good = [*range(11), *range(70, 101)]
    rows = [ward.row(start + timedelta(minutes=n), 70.0) for n in good]
    await ward.store([*rows, ward.row(start + timedelta(minutes=40), 0.0, good=False)])
    async with ward.database.unit_of_work(SYSTEM) as work:
        found = await queries.gaps(
            work,
            ward.resident_id,
            ReadingKind.HEART_RATE,
            (start, NOW),
            longer_than,
            3.0,
            timedelta(minutes=10),
        )
    assert found.usual == timedelta(minutes=1)
    minutes = [
        ((since - start) / timedelta(minutes=1), (until - start) / timedelta(minutes=1))
        for since, until in found.spans
    ]
    assert minutes == expected


async def test_nothing_at_all_is_one_long_gap(ward: Ward) -> None:
    span = NOW - DAY, NOW
    async with ward.database.unit_of_work(SYSTEM) as work:
        found = await queries.gaps(
            work, ward.resident_id, ReadingKind.SPO2, span, None, 3.0, timedelta(minutes=10)
        )
    assert (found.usual, found.spans) == (None, [span])
