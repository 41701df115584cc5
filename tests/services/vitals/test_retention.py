"""What is old goes by policy, a month at a time, on record; nothing else goes. In a database of its own."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count

import asyncpg
import pytest
from sqlalchemy import text

from ops.migrate import migrate
from services.core.actor import SYSTEM
from services.core.crypto import Vault
from services.core.database import Database
from services.core.ids import new_id
from services.core.settings import Settings
from services.vitals.buckets import Bucket
from services.vitals.charts import draw
from services.vitals.kinds import ReadingKind
from services.vitals.models import DeadLetter, RetentionLog
from services.vitals.months.retention import Keeping, Policy, kept_since, load_policy, plan, retain
from services.vitals.months.service import make_partitions_ahead
from tests.clock import ManualClock
from tests.readings import Ward
from tests.world import build_world

POLICY = Policy(
    version="test",
    source="test",
    verified=False,
    items=(
        Keeping("reading", 15, hold=False),
        Keeping("reading_hourly", 3600, hold=False),
        Keeping("reading_daily", 3600, hold=False),
        Keeping("dead_letter", 6, hold=False),
    ),
    held_months=frozenset(),
)


@pytest.fixture(scope="module")
async def own_settings(settings: Settings) -> Settings:
    """An empty, migrated database: these tests let whole months of everybody's readings go."""
    assert settings.database_url is not None
    connection = await asyncpg.connect(settings.database_url)
    await connection.execute("CREATE DATABASE retention")
    await connection.close()
    base, _, query = settings.database_url.partition("?")
    url = f"{base.rpartition('/')[0]}/retention{'?' + query if query else ''}"
    await asyncio.to_thread(migrate, url)
    return settings.model_copy(update={"database_url": url})


@pytest.fixture(scope="module")
def years() -> Iterator[int]:
    """A decade for each test: what went in one is not there in the next."""
    return count(2040, 10)


@pytest.fixture
async def archive(own_settings: Settings, vault: Vault, years: Iterator[int]) -> AsyncIterator[Ward]:
    """30 readings each in March and April of a year, computed; it is 10 June, fifteen months after March."""
    year = next(years)
    clock = ManualClock(datetime(year, 3, 10, tzinfo=UTC))
    database = Database(str(own_settings.database_url), 6, clock)
    world = await build_world(database, own_settings, vault)
    resident = world.here.households[0].resident
    ward = Ward(database, clock, resident.id, resident.area_code, new_id())
    await deleted(ward)  # what is left of the test before
    await make_partitions_ahead(database, clock)
    months = datetime(year, 3, 10, tzinfo=UTC), datetime(year, 4, 10, tzinfo=UTC)
    await ward.store([ward.row(at + timedelta(minutes=n), 60.0 + n) for at in months for n in range(30)])
    clock.forward(days=60)
    await ward.settle()
    clock.forward(days=(datetime(year + 1, 7, 10, tzinfo=UTC) - clock.now()).days)
    yield ward
    await database.close()


async def deleted(ward: Ward, policy: Policy = POLICY) -> list[RetentionLog]:
    """Everything that goes, turn by turn; only lines with rows."""
    found: list[RetentionLog] = []
    while True:
        async with ward.database.unit_of_work(SYSTEM) as work:
            lines = await retain(work, policy)
        if not lines:
            return [line for line in found if line.rows]
        found += lines


async def months_left(ward: Ward) -> set[str]:
    async with ward.database.unit_of_work(SYSTEM) as work:
        rows = await work.sql(
            text("SELECT DISTINCT to_char(measured_at, 'MM') FROM reading WHERE terminal_id = :id"),
            {"id": ward.terminal_id},
        )
        return {row[0] for row in rows}


async def day_of(ward: Ward, month: int) -> list[tuple[int, float | None, float | None]]:
    """What the chart of the tenth of a month still says."""
    year = ward.clock.now().year - 1
    span = datetime(year, month, 9, 16, tzinfo=UTC), datetime(year, month, 10, 16, tzinfo=UTC)
    async with ward.database.unit_of_work(SYSTEM) as work:
        points = await draw(work, ward.resident_id, [ReadingKind.HEART_RATE], span, Bucket.DAY)
    return [(point.readings, point.minimum, point.maximum) for point in points]


async def test_exactly_one_month_goes_with_a_line_and_its_days_stay(archive: Ward) -> None:
    year = archive.clock.now().year - 1
    assert await months_left(archive) == {"03", "04"}
    [line] = await deleted(archive)
    assert (line.what, line.rows, line.policy_version) == ("reading", 30, "test")
    assert (line.range_start, line.range_end) == (
        datetime(year, 3, 1, tzinfo=UTC),
        datetime(year, 4, 1, tzinfo=UTC),
    )
    assert await months_left(archive) == {"04"}
    assert await day_of(archive, 3) == [(30, 60.0, 89.0)]
    async with archive.database.unit_of_work(SYSTEM) as work:
        kept = await work.sql(text("SELECT rows FROM retention_log WHERE id = :id"), {"id": line.id})
        assert kept.scalar_one() == 30
    assert await deleted(archive) == []


async def test_a_reading_later_than_its_month_does_not_wipe_out_the_hours(archive: Ward) -> None:
    await deleted(archive)
    year = archive.clock.now().year - 1
    await archive.store([archive.row(datetime(year, 3, 10, 0, 5, tzinfo=UTC), 200.0)])
    await archive.settle()
    await make_partitions_ahead(archive.database, archive.clock)
    assert await day_of(archive, 3) == [(30, 60.0, 89.0)]


async def test_a_month_with_an_hour_that_is_not_counted_stays(archive: Ward) -> None:
    year = archive.clock.now().year - 1
    late = archive.row(datetime(year, 3, 20, tzinfo=UTC), 71.0)
    await archive.store([late])
    assert await deleted(archive) == []
    async with archive.database.unit_of_work(SYSTEM) as work:  # and also when nobody knows of it
        await work.sql(text("DELETE FROM reading_note"))
    assert await deleted(archive) == []
    assert await months_left(archive) == {"03", "04"}
    await archive.store([late])
    await archive.settle()
    assert [line.rows for line in await deleted(archive)] == [31]


async def test_what_is_held_stays_and_is_listed(archive: Ward) -> None:
    held = replace(POLICY, held_months=frozenset({f"{archive.clock.now().year - 1}-03"}))
    assert await deleted(archive, held) == []
    async with archive.database.unit_of_work(SYSTEM) as work:
        assert [d.held for d in await plan(work, held)] == [True]
    whole = replace(POLICY, items=(Keeping("reading", 15, hold=True), *POLICY.items[1:]))
    assert await deleted(archive, whole) == []
    assert await months_left(archive) == {"03", "04"}


async def test_a_plan_deletes_nothing(archive: Ward) -> None:
    for _ in range(2):
        async with archive.database.unit_of_work(SYSTEM) as work:
            assert "reading" in {doomed.what for doomed in await plan(work, POLICY)}
    assert await months_left(archive) == {"03", "04"}


async def test_two_workers_delete_a_month_once(archive: Ward) -> None:
    lines = await asyncio.gather(deleted(archive), deleted(archive))
    assert [line.rows for worker in lines for line in worker] == [30]


async def test_dead_letters_go_too_with_a_line(archive: Ward) -> None:
    await deleted(archive)
    async with archive.database.unit_of_work(SYSTEM) as work:
        for age in (100, 400):
            work.session.add(
                DeadLetter(
                    received_at=work.now - timedelta(days=age),
                    topic="t",
                    area_code="",
                    code="c",
                    detail="d",
                    payload_bytes=0,
                    payload_sha256="",
                    payload_head=b"",
                )
            )
    [line] = await deleted(archive)
    assert (line.what, line.rows) == ("dead_letter", 1)


@pytest.mark.parametrize(
    ("months", "first"), [(0, date(2026, 11, 1)), (11, date(2025, 12, 1)), (36, date(2023, 11, 1))]
)
def test_kept_are_this_month_and_so_many_before_it(months: int, first: date) -> None:
    assert kept_since(datetime(2026, 11, 22, tzinfo=UTC), months) == first


@pytest.mark.parametrize(
    ("readings", "hours", "days"), [(14, 60, 180), (36, 35, 180), (36, 60, 59)], ids=["too short", "hours", "days"]
)
def test_a_policy_that_would_lose_something_is_refused(readings: int, hours: int, days: int) -> None:
    given = zip(("reading", "reading_hourly", "reading_daily"), (readings, hours, days), strict=True)
    with pytest.raises(ValueError, match=r"months|as long as"):
        replace(POLICY, items=tuple(Keeping(what, months, hold=False) for what, months in given))


def test_the_projects_own_policy_says_that_it_is_a_default() -> None:
    policy = load_policy()
    assert not policy.verified
    assert policy.source
