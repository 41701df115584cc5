"""Work that was done, once, and what it earns by the rate of its day."""

import asyncio
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import text

from services.caregivers.models import Shift, ShiftKind
from services.caregivers.states import ShiftStatus
from services.core.actor import Role
from services.core.clock import BUSINESS_ZONE
from services.core.ids import new_id
from services.workload.counting import Rate, on_call_amount, rate_on, stands
from services.workload.errors import RateExists, RateInThePast
from services.workload.models import RateCreate, WorkKind, WorkloadPublic
from services.workload.service import my_workload, set_rate, workload, write_on_call, write_visits
from tests.ordering import Ordering

RATES = (
    Rate("", 1_000, date(2026, 1, 1)),
    Rate("", 1_200, date(2026, 7, 1)),
    Rate("nurse", 3_000, date(2026, 3, 1)),
)


@pytest.mark.parametrize(
    ("profession", "day", "expected"),
    [
        ("care_worker", date(2025, 12, 31), None),
        ("care_worker", date(2026, 1, 1), 1_000),
        ("care_worker", date(2026, 7, 1), 1_200),
        ("nurse", date(2026, 2, 28), 1_000),
        ("nurse", date(2026, 12, 1), 3_000),  # her own, although the one for all is newer
    ],
)
def test_the_rate_of_the_day(profession: str, day: date, expected: int | None) -> None:
    assert rate_on(RATES, profession, day) == expected


@pytest.mark.parametrize(
    ("unit", "minutes", "expected"), [(500, 60, 500), (500, 90, 750), (1, 30, 1), (1, 29, 0), (None, 60, None)]
)
def test_on_call_is_paid_by_the_minute_and_rounded_once(
    unit: int | None, minutes: int, expected: int | None
) -> None:
    assert on_call_amount(unit, minutes) == expected


def test_what_stands_is_not_written_again() -> None:
    assert stands(60, [(1, 60)])
    assert not stands(60, [])
    assert not stands(60, [(1, 60), (-1, -60)])
    assert stands(45, [(1, 60), (-1, -60), (1, 45)])


def month_of(ordering: Ordering) -> str:
    return f"{ordering.clock.now().astimezone(BUSINESS_ZONE):%Y-%m}"


async def rate(ordering: Ordering, unit_fen: int, days: int = 0, kind: WorkKind = WorkKind.HOME_VISIT) -> None:
    day = ordering.clock.now().astimezone(BUSINESS_ZONE).date() + timedelta(days=days)
    said = RateCreate(kind=kind, unit_fen=unit_fen, effective_from=day, source="测试")
    async with ordering.work(ordering.actor(Role.COUNTY_OFFICER)) as work:
        await set_rate(work, said)


async def month(ordering: Ordering) -> list[WorkloadPublic]:
    async with ordering.work(ordering.actor(Role.CENTRE_MANAGER)) as work:
        return await workload(work, month_of(ordering))


async def write(ordering: Ordering, order_id: object) -> None:
    async with ordering.work() as work:
        await write_visits(work, order_id)  # type: ignore[arg-type]


async def test_a_visit_is_written_once_however_often_it_is_told(ordering: Ordering) -> None:
    await rate(ordering, 2_000)
    order = await ordering.completed("cleaning")
    await asyncio.gather(*(write(ordering, order.id) for _ in range(8)))
    (mine,) = await month(ordering)
    assert (mine.visits, mine.visit_minutes, mine.amount_fen) == (1, order.duration_minutes, 2_000)
    async with ordering.work(ordering.as_caregiver(mine.caregiver_id)) as work:
        assert await my_workload(work, month_of(ordering)) == [mine]
    async with ordering.work(ordering.as_caregiver(new_id())) as work:
        assert await my_workload(work, month_of(ordering)) == []


async def test_a_corrected_visit_is_reversed_and_written_anew(ordering: Ordering) -> None:
    await rate(ordering, 2_000)
    order = await ordering.completed("cleaning")
    await write(ordering, order.id)
    async with ordering.work() as work:
        await work.sql(
            text("UPDATE visit SET care_ended_at = care_ended_at - interval '10 minutes' WHERE order_id = :id"),
            {"id": order.id},
        )
    for _ in range(2):
        await write(ordering, order.id)
    (mine,) = await month(ordering)
    assert (mine.visits, mine.visit_minutes, mine.amount_fen) == (1, order.duration_minutes - 10, 2_000)
    async with ordering.work() as work:
        rows = await work.sql(
            text(
                "SELECT turn, units, amount_fen FROM work_entry e JOIN visit v ON v.id = e.source_id"
                " WHERE v.order_id = :id ORDER BY turn"
            ),
            {"id": order.id},
        )
        assert [tuple(row) for row in rows.all()] == [(0, 1, 2_000), (1, -1, -2_000), (2, 1, 2_000)]


async def test_a_flagged_visit_earns_nothing_before_somebody_has_looked(ordering: Ordering) -> None:
    order = await ordering.completed("cleaning", check_in={"start_code": "0000"})
    await write(ordering, order.id)
    assert await month(ordering) == []


async def test_work_without_a_rate_is_counted_and_shown_as_such(ordering: Ordering) -> None:
    order = await ordering.completed("cleaning")
    await write(ordering, order.id)
    (mine,) = await month(ordering)
    assert (mine.visits, mine.amount_fen, mine.parts[0].without_rate) == (1, 0, 1)


async def test_a_stretch_on_call_is_written_when_it_has_passed(ordering: Ordering) -> None:
    await rate(ordering, 600, kind=WorkKind.ON_CALL)
    (caregiver,) = await ordering.add_caregivers(1, shift=None)
    begin: datetime = ordering.clock.now()
    async with ordering.work() as work:
        work.session.add(
            Shift(
                caregiver_id=caregiver.id,
                area_code=caregiver.area_code,
                kind=ShiftKind.ON_CALL,
                status=ShiftStatus.PUBLISHED,
                starts_at=begin,
                ends_at=begin + timedelta(minutes=150),
            )
        )
    for minutes in (149, 1, 0):
        ordering.clock.forward(minutes=minutes)
        async with ordering.work() as work:
            await write_on_call(work)
    mine = [one for one in await month(ordering) if one.caregiver_id == caregiver.id]
    assert [(one.amount_fen, one.parts[0].minutes) for one in mine] == [(1_500, 150)]


async def test_a_rate_is_never_changed(ordering: Ordering) -> None:
    with pytest.raises(RateInThePast):
        await rate(ordering, 100, days=-1)
    await rate(ordering, 100, days=1)
    with pytest.raises(RateExists):
        await rate(ordering, 200, days=1)
