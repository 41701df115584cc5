"""Late, missed, too long, left early, impossible: seen once each, told, and cleared when it is put right."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from services.consents.models import Consent, ConsentMethod, ConsentPurpose, Giver
from services.core.actor import Role
from services.core.geo import Point
from services.dispatch.models import Override
from services.residents.models import Resident
from services.visits.models import ReviewRequest
from services.visits.service import review, set_out
from services.visits.watch.models import IssueKind, IssuePublic
from services.visits.watch.rules import (
    Stay,
    impossible_travel,
    late_at,
    left_early,
    overrun_at,
    watch_rules,
)
from services.visits.watch.service import clear_issue, list_issues, watch_visits
from services.visits.watch.states import IssueStatus
from tests.ordering import HOME, Ordering

RULES = watch_rules()
NINE = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


@pytest.mark.parametrize(
    ("window_minutes", "under_way", "late_after"),
    [
        (240, False, 10),  # planned at the window's beginning: some minutes after the plan
        (240, True, 10),
        (70, False, -5),  # ten minutes to spare: warned while it can still be helped
        (70, True, 10),
        (60, False, -15),  # not a minute to spare
        (60, True, 0),
    ],
)
def test_when_a_start_is_late(window_minutes: float, under_way: bool, late_after: float) -> None:
    """An hour's service that is planned for nine, in a window that begins at nine."""
    assert late_at(NINE, NINE + minutes(window_minutes), 60, under_way, RULES) == NINE + minutes(late_after)


def test_when_a_stay_is_too_long() -> None:
    end = NINE + minutes(60)
    assert overrun_at(end, NINE, 60, RULES) == end + minutes(30)
    assert overrun_at(end, NINE + minutes(20), 60, RULES) == end + minutes(50), "who began late may end late"
    assert overrun_at(end, None, 60, RULES) == end + minutes(30)


@pytest.mark.parametrize(("stay", "early"), [(60, False), (45, False), (44, True), (0, True)])
def test_when_somebody_left_early(stay: float, early: bool) -> None:
    assert left_early(NINE, NINE + minutes(stay), 60, RULES) is early


@pytest.mark.parametrize(
    ("kilometres", "gap", "impossible"),
    [(0.2, -30, False), (5, 10, False), (5, 1.5, False), (5, 1, True), (30, 10, True), (5, -20, True)],
)
def test_nobody_flies(kilometres: float, gap: float, impossible: bool) -> None:
    there = Point(28.3 + kilometres / 111.195, 113.2)
    before = Stay(Point(28.3, 113.2), NINE, NINE + minutes(60))
    after = Stay(there, NINE + minutes(60 + gap), NINE + minutes(120 + gap))
    assert (impossible_travel(before, after, RULES) is not None) is impossible


async def look(ordering: Ordering) -> None:
    """The worker's turn."""
    async with ordering.work() as work:
        await watch_visits(work)


async def seen(ordering: Ordering, visit_id: UUID, status: IssueStatus = IssueStatus.OPEN) -> list[IssueKind]:
    """Kinds of what is open at a visit."""
    return [one.kind for one in await issues(ordering, visit_id, status)]


async def issues(ordering: Ordering, visit_id: UUID, status: IssueStatus) -> list[IssuePublic]:
    async with ordering.work(ordering.dispatcher) as work:
        return await list_issues(work, 20, None, [status], visit_id)


async def until(ordering: Ordering, moment: datetime) -> None:
    """Stand at a moment."""
    ordering.clock.forward(seconds=(moment - ordering.clock.now()).total_seconds())


async def test_a_late_start_is_warned_of_once_and_cleared_by_the_check_in(ordering: Ordering) -> None:
    order, detail = await ordering.assigned("bathing", hours=4)
    (visit,) = detail.visits
    await until(ordering, visit.starts_at + minutes(9))
    await look(ordering)
    assert await seen(ordering, visit.id) == []
    ordering.clock.forward(minutes=1)
    await asyncio.gather(*(look(ordering) for _ in range(6)))
    (late,) = await issues(ordering, visit.id, IssueStatus.OPEN)
    assert (late.kind, late.detail["can_be_kept"]) == (IssueKind.LATE_START, True)
    await ordering.check_in(order, visit.id, visit.caregiver_id)
    await look(ordering)
    assert await seen(ordering, visit.id) == []
    assert await seen(ordering, visit.id, IssueStatus.CLEARED) == [IssueKind.LATE_START]
    async with ordering.work() as work:
        rows = await work.sql(
            text(
                "SELECT payload->>'status' FROM outbox WHERE name = 'visit.issue' AND payload->>'visit_id' = :v"
                " ORDER BY id"
            ),
            {"v": str(visit.id)},
        )
        assert rows.scalars().all() == ["open", "cleared"]


async def test_nobody_came(ordering: Ordering) -> None:
    order, detail = await ordering.assigned("bathing")
    (visit,) = detail.visits
    await until(ordering, visit.ends_at)
    await look(ordering)
    assert set(await seen(ordering, visit.id)) == {IssueKind.LATE_START, IssueKind.MISSED}
    async with ordering.work(ordering.as_caregiver(visit.caregiver_id)) as work:
        await set_out(work, visit.id, None)
    await look(ordering)
    assert len(await seen(ordering, visit.id)) == 2, "on the way is not there"
    await ordering.check_in(order, visit.id, visit.caregiver_id)
    await look(ordering)
    assert await seen(ordering, visit.id) == []


async def test_too_long_and_too_short(ordering: Ordering) -> None:
    order, detail = await ordering.assigned("bathing")
    (visit,) = detail.visits
    await until(ordering, visit.starts_at)
    await ordering.check_in(order, visit.id, visit.caregiver_id)
    await until(ordering, visit.ends_at + minutes(29))
    await look(ordering)
    assert await seen(ordering, visit.id) == []
    ordering.clock.forward(minutes=2)
    await look(ordering)
    assert await seen(ordering, visit.id) == [IssueKind.OVERRUN]
    await ordering.check_out(order, visit.id, visit.caregiver_id)
    await look(ordering)
    assert await seen(ordering, visit.id) == []

    short = await ordering.completed("bathing", minutes=5)
    (brief,) = (await ordering.read(short.id)).visits
    await look(ordering)
    assert await seen(ordering, brief.id) == [IssueKind.LEFT_EARLY]
    async with ordering.work(ordering.dispatcher) as work:
        await review(work, brief.id, ReviewRequest(note="长者要求提前结束"), None)
    await look(ordering)
    assert await seen(ordering, brief.id) == [], "a person has looked"


async def test_from_one_end_of_the_county_to_the_other_in_no_time(ordering: Ordering) -> None:
    (one,) = await ordering.add_caregivers(1)
    near = await ordering.place("meal_delivery", in_hours=1)
    await ordering.assign(near.id, [one])
    async with ordering.work() as work:
        resident = await work.session.get_one(Resident, near.resident_id)
        resident.latitude = HOME[0] + 0.5
    far = await ordering.place("meal_delivery", in_hours=5)
    await ordering.assign(far.id, [one], override=Override(reason="测试距离"))
    for order, latitude in ((near, HOME[0]), (far, HOME[0] + 0.5)):
        (visit,) = (await ordering.read(order.id)).visits
        await ordering.check_in(order, visit.id, one.id, latitude=latitude)
        ordering.clock.forward(minutes=order.duration_minutes)
        await ordering.check_out(order, visit.id, one.id, latitude=latitude)
        ordering.clock.forward(minutes=2)
    await look(ordering)
    (found,) = await issues(ordering, visit.id, IssueStatus.OPEN)
    assert found.kind is IssueKind.IMPOSSIBLE_TRAVEL
    assert found.detail["metres"] == pytest.approx(55_600, rel=0.01)
    async with ordering.work(ordering.dispatcher) as work:
        cleared = await clear_issue(work, found.id, "位置误差，已核实", found.version)
        assert await clear_issue(work, found.id, "x", None) == cleared
    await look(ordering)
    assert await seen(ordering, visit.id) == [], "what a person has cleared stays cleared"


async def test_the_family_hears_of_it_as_far_as_she_agrees(ordering: Ordering) -> None:
    household = ordering.world.here.households[0]

    async def told() -> list[Any]:
        async with ordering.work() as work:
            rows = await work.sql(
                text("SELECT parameters FROM notification WHERE account_id = :a AND template LIKE 'visit_issue%'"),
                {"a": household.family.id},
            )
            return list(rows.scalars().all())

    _, detail = await ordering.assigned("bathing")
    await until(ordering, detail.visits[0].starts_at + minutes(11))
    await look(ordering)
    assert await told() == []
    async with ordering.work() as work:
        work.session.add(
            Consent(
                resident_id=household.resident.id,
                area_code=household.resident.area_code,
                purpose=ConsentPurpose.FAMILY_FEED,
                scope=str(household.family.id),
                giver=Giver.RESIDENT,
                how=ConsentMethod.IN_APP,
                text_version="test",
                given_at=work.now,
                recorded_role=str(Role.RESIDENT),
            )
        )
    _, detail = await ordering.assigned("bathing")
    await until(ordering, detail.visits[0].starts_at + minutes(11))
    await look(ordering)
    heard = await told()
    assert {"issue": "late_start"} in heard
    assert heard.count({"issue": "missed"}) == 1, "the visit before, which nobody came to"
