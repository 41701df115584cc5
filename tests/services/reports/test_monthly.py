"""A month of home monitoring: pure sums, and one resident's page."""

from datetime import UTC, date, datetime, timedelta

import pytest

from services.core.actor import SYSTEM, Role
from services.core.database import Database
from services.core.errors import Forbidden, NotFound
from services.core.ids import new_id
from services.reports.monthly.service import monthly_vitals
from services.vitals.kinds import Quality, ReadingKind
from services.vitals.queries import Point
from services.vitals.repository import ReadingRow, save_readings
from services.vitals.summary import Stretch, days_so_far, summarise
from tests.world import World, open_case

FIRST = date(2025, 11, 1)
MIDNIGHT = datetime(2025, 10, 31, 16, tzinfo=UTC)
BP = ReadingKind.SYSTOLIC_BP


def point(day: int, hour: int, mean: float, readings: int = 1, no_data: int = 0) -> Point:
    """One hour of a day of the month, by the business calendar."""
    start = MIDNIGHT + timedelta(days=day - 1, hours=hour)
    low, high = (mean - 1, mean + 1) if readings else (None, None)
    return Point(BP, start, low, high, mean if readings else None, readings, no_data)


def test_a_month_in_numbers() -> None:
    hours = [
        point(1, 7, 140),
        point(1, 20, 120, 3),
        point(2, 12, 130),
        point(5, 7, 150, 1, 2),
        point(6, 7, 0, 0, 4),
    ]
    found = summarise(BP, hours, [point(-3, 7, 125, 10)], days_so_far(FIRST, date(2025, 11, 8)))
    assert (found.days, found.days_measured, found.adherence) == (8, 3, 0.375)
    assert (found.count, found.no_data) == (6, 6)
    assert found.mean == pytest.approx((140 + 3 * 120 + 130 + 150) / 6)
    assert (found.minimum, found.maximum) == (119, 151)
    assert (found.morning_mean, found.evening_mean) == (145, 120)
    assert found.gaps == (
        Stretch(date(2025, 11, 3), date(2025, 11, 4)),
        Stretch(date(2025, 11, 6), date(2025, 11, 8)),
    )
    assert found.mean_before == 125
    assert found.change == pytest.approx(130 - 125)
    assert not found.is_complete


def test_nothing_measured_is_nothing_and_not_nought() -> None:
    found = summarise(ReadingKind.SPO2, [], [], days_so_far(FIRST, date(2026, 1, 1)))
    assert (found.days, found.days_measured, found.mean, found.change, found.morning_mean) == (
        30,
        0,
        None,
        None,
        None,
    )
    assert found.gaps == (Stretch(date(2025, 11, 1), date(2025, 11, 30)),)


def test_a_month_that_has_not_begun_has_no_days() -> None:
    assert days_so_far(FIRST, date(2025, 10, 31)) == []
    assert summarise(BP, [], [], []).adherence == 0


def test_a_value_every_day_is_complete() -> None:
    days = days_so_far(FIRST, date(2025, 11, 3))
    found = summarise(BP, [point(n, 7, 120) for n in (1, 2, 3)], [], days)
    assert found.is_complete
    assert found.gaps == ()


async def test_the_clinician_reads_a_month_with_its_alerts(database: Database, fresh_world: World) -> None:
    case = await open_case(fresh_world)
    month = case.now.date().replace(day=1)
    rows = [
        ReadingRow(
            new_id(), kind, case.now - timedelta(minutes=n), value, Quality.GOOD, None, case.resident_id,
            fresh_world.here.households[0].resident.area_code, case.now, False,
        )
        for n, (kind, value) in enumerate(
            [(BP, 141.0), (ReadingKind.DIASTOLIC_BP, 88.0), (BP, 139.0), (BP, 260.0)]
        )
    ]  # fmt: skip
    async with database.unit_of_work(SYSTEM) as work:
        await save_readings(await work.session.connection(), rows)
    async with database.unit_of_work(await fresh_world.actor(Role.CLINICIAN)) as work:
        found = await monthly_vitals(work, case.resident_id, month)
    assert [(kind.kind, kind.count, kind.unit) for kind in found.kinds] == [
        (BP, 3, "mm[Hg]"),
        (ReadingKind.DIASTOLIC_BP, 1, "mm[Hg]"),
    ]
    assert found.kinds[0].mean == 180
    limits = found.kinds[0].beyond_limits
    assert limits is not None
    assert limits.high is not None
    assert limits.low is not None
    assert limits.low < 139 < 141 < limits.high
    assert (limits.beyond, limits.count, limits.share) == (1, 3, 0.3333)
    assert [(alert.kind, alert.outcome, alert.count) for alert in found.alerts] == [("sos", None, 1)]
    assert not found.is_over
    assert "不构成诊断" in found.note_zh
    async with database.unit_of_work(await fresh_world.actor(Role.CLINICIAN, fresh_world.neighbour)) as work:
        with pytest.raises(NotFound):
            await monthly_vitals(work, case.resident_id, month)
    async with database.unit_of_work(await fresh_world.actor(Role.COUNTY_OFFICER)) as work:
        with pytest.raises(Forbidden):
            await monthly_vitals(work, case.resident_id, month)
