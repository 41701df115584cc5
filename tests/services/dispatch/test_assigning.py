"""The dispatcher decides, and what no override passes."""

from datetime import date, timedelta

import pytest
from sqlalchemy import text

from services.core.errors import NotFound
from services.dispatch.errors import (
    DoubleBooked,
    NotAssignable,
    NotReleasable,
    OrderNotOpen,
    StartInvalid,
    TooManyCaregivers,
)
from services.dispatch.models import ReleaseRequest
from services.dispatch.service import release, suggest
from services.orders.states import OrderStatus
from services.visits.service import set_out
from tests.ordering import HOME, Ordering, same_moment

OVERRIDE = {"reason": "长者电话同意"}


def codes(refused: pytest.ExceptionInfo[NotAssignable]) -> list[str]:
    """The reasons of the first caregiver."""
    return [reason["code"] for reason in refused.value.extra["caregivers"][0]["reasons"]]


async def test_assigning_books_and_schedules(ordering: Ordering) -> None:
    order, detail = await ordering.assigned("bathing_disabled")
    assert detail.status is OrderStatus.ASSIGNED
    assert len(detail.bookings) == len(detail.visits) == 2
    assert {booking.starts_at for booking in detail.bookings} == {visit.starts_at for visit in detail.visits}
    assert all(booking.override is None for booking in detail.bookings)
    again = [one for one in ordering.team if one.id in {b.caregiver_id for b in detail.bookings}]
    await ordering.assign(order.id, again)
    assert len((await ordering.read(order.id)).bookings) == 2, "repeating it changes nothing"
    with pytest.raises(OrderNotOpen):
        await ordering.assign(order.id, await ordering.add_caregivers(1))


async def test_offers_left_over_are_superseded(ordering: Ordering) -> None:
    order = await ordering.place()
    team = await ordering.add_caregivers(3)
    await ordering.offer(order.id, team)
    await ordering.assign(order.id, team[:1])
    detail = await ordering.read(order.id)
    assert {offer.status for offer in detail.offers} == {"superseded"}
    assert detail.status is OrderStatus.ASSIGNED


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"skills": ["cleaning"]}, "missing_skill"),
        ({"shift": None}, "not_on_shift"),
        ({"licences": []}, "licence_missing"),
        ({"valid_until": date(2021, 1, 1)}, "licence_expired"),
    ],
)
async def test_what_speaks_against_somebody_is_told(
    ordering: Ordering, facts: dict[str, object], code: str
) -> None:
    order = await ordering.place()
    poor = await ordering.add_caregivers(1, **facts)
    with pytest.raises(NotAssignable) as refused:
        await ordering.assign(order.id, poor)
    assert codes(refused) == [code]
    assert (await ordering.read(order.id)).status is OrderStatus.PLACED


@pytest.mark.parametrize("facts", [{"skills": ["cleaning"]}, {"shift": None}])
async def test_an_override_with_a_reason_passes_and_is_kept(ordering: Ordering, facts: dict[str, object]) -> None:
    order = await ordering.place()
    poor = await ordering.add_caregivers(1, **facts)
    await ordering.assign(order.id, poor, override=OVERRIDE)
    (booking,) = (await ordering.read(order.id)).bookings
    assert booking.override is not None
    assert booking.override["reason"] == OVERRIDE["reason"]
    assert len(booking.override["issues"]) == 1
    async with ordering.work() as work:
        rows = await work.sql(
            text("SELECT reason, account_id FROM status_change WHERE entity_id = :id AND to_status = 'assigned'"),
            {"id": order.id},
        )
        assert rows.one() == (OVERRIDE["reason"], ordering.dispatcher.account_id)


@pytest.mark.parametrize("facts", [{"licences": []}, {"valid_until": date(2021, 1, 1)}])
async def test_no_override_lets_the_unlicensed_in(ordering: Ordering, facts: dict[str, object]) -> None:
    order = await ordering.place()
    poor = await ordering.add_caregivers(1, **facts)
    with pytest.raises(NotAssignable):
        await ordering.assign(order.id, poor, override=OVERRIDE)


async def test_nor_who_has_left(ordering: Ordering) -> None:
    order = await ordering.place()
    gone = await ordering.add_caregivers(1, left_at=ordering.clock.now() - timedelta(days=1))
    with pytest.raises(NotAssignable) as refused:
        await ordering.assign(order.id, gone, override=OVERRIDE)
    assert "left" in codes(refused)


async def test_busy_is_told_and_an_override_meets_the_database(ordering: Ordering) -> None:
    (caregiver,) = await ordering.add_caregivers(1)
    start = ordering.clock.now() + timedelta(hours=3)
    first, second = await ordering.place(), await ordering.place(in_hours=2.1)
    await ordering.assign(first.id, [caregiver], starts_at=start)
    with pytest.raises(NotAssignable) as refused:
        await ordering.assign(second.id, [caregiver], starts_at=start + timedelta(minutes=10))
    assert codes(refused) == ["busy"]
    with pytest.raises(DoubleBooked):
        await ordering.assign(second.id, [caregiver], starts_at=start + timedelta(minutes=10), override=OVERRIDE)
    detail = await ordering.read(second.id)
    assert (detail.status, detail.bookings, detail.visits) == (OrderStatus.PLACED, [], [])


async def test_the_way_between_two_homes_counts(ordering: Ordering) -> None:
    """Free on paper, but twelve kilometres apart with five minutes between."""
    (caregiver,) = await ordering.add_caregivers(1)
    start = ordering.clock.now() + timedelta(hours=3)
    first, second = await ordering.place(), await ordering.place(in_hours=2.1, hours=6)
    async with ordering.work() as work:
        await work.sql(
            text("UPDATE service_order SET latitude = :lat WHERE id = :id"),
            {"lat": HOME[0] + 0.11, "id": second.id},
        )
    await ordering.assign(first.id, [caregiver], starts_at=start)
    after = start + timedelta(minutes=first.duration_minutes + 5)
    with pytest.raises(NotAssignable) as refused:
        await ordering.assign(second.id, [caregiver], starts_at=after)
    assert codes(refused) == ["travel_too_long"]
    await ordering.assign(second.id, [caregiver])
    (booking,) = (await ordering.read(second.id)).bookings
    gap = booking.starts_at - (start + timedelta(minutes=first.duration_minutes))
    assert gap > timedelta(minutes=30) or booking.ends_at + timedelta(minutes=30) < start


async def test_starts_outside_the_window_and_in_the_past(ordering: Ordering) -> None:
    order = await ordering.place(in_hours=2, hours=2)
    caregiver = await ordering.add_caregivers(1)
    late = ordering.clock.now() + timedelta(hours=6)
    with pytest.raises(NotAssignable) as refused:
        await ordering.assign(order.id, caregiver, starts_at=late)
    assert codes(refused) == ["outside_window"]
    with pytest.raises(NotAssignable) as refused:
        await ordering.assign(
            order.id, caregiver, starts_at=ordering.clock.now() - timedelta(minutes=1), override=OVERRIDE
        )
    assert "in_the_past" in codes(refused)
    await ordering.assign(order.id, caregiver, starts_at=late, override=OVERRIDE)
    (booking,) = (await ordering.read(order.id)).bookings
    assert same_moment(booking.starts_at, late)


async def test_teams_are_neither_too_large_nor_out_of_step(ordering: Ordering) -> None:
    order = await ordering.place("bathing_disabled")
    team = await ordering.add_caregivers(3)
    with pytest.raises(TooManyCaregivers):
        await ordering.assign(order.id, team)
    await ordering.assign(order.id, team[:1])
    assert (await ordering.read(order.id)).status is OrderStatus.PLACED
    fixed = (await ordering.read(order.id)).bookings[0].starts_at
    with pytest.raises(StartInvalid):
        await ordering.assign(order.id, team[1:2], starts_at=fixed + timedelta(minutes=20))
    await ordering.assign(order.id, team[1:2])
    detail = await ordering.read(order.id)
    assert {booking.starts_at for booking in detail.bookings} == {fixed}
    assert detail.status is OrderStatus.ASSIGNED


async def test_suggestions_rank_and_rule_out(ordering: Ordering) -> None:
    order = await ordering.place()
    (near,) = await ordering.add_caregivers(1, name="近")
    (far,) = await ordering.add_caregivers(1, name="远", home_latitude=HOME[0] + 0.1)
    (off,) = await ordering.add_caregivers(1, name="休", shift=None)
    async with ordering.work(ordering.dispatcher) as work:
        found = await suggest(work, order.id)
    ranked = [one.caregiver_id for one in found.suggestions]
    assert ranked.index(near.id) < ranked.index(far.id)
    assert {one.caregiver_id: [r.code for r in one.reasons] for one in found.ruled_out}[off.id] == ["not_on_shift"]
    best = found.suggestions[0]
    assert order.window_start <= best.starts_at <= best.ends_at <= order.window_end
    assert round(sum(reason.points or 0 for reason in best.reasons), 1) == pytest.approx(best.score, abs=0.3)
    assert all(reason.zh and reason.en for reason in best.reasons)
    await ordering.assign(order.id, [near], starts_at=best.starts_at)
    with pytest.raises(OrderNotOpen):
        async with ordering.work(ordering.dispatcher) as work:
            await suggest(work, order.id)


async def test_who_knows_the_resident_ranks_higher(ordering: Ordering) -> None:
    order = await ordering.completed()
    known = (await ordering.read(order.id)).bookings[0].caregiver_id
    await ordering.add_caregivers(2)
    again = await ordering.place()
    async with ordering.work(ordering.dispatcher) as work:
        found = await suggest(work, again.id)
    assert found.suggestions[0].caregiver_id == known


async def test_a_caregiver_who_falls_ill_is_released_and_replaced(ordering: Ordering) -> None:
    order, detail = await ordering.assigned("bathing_disabled")
    ill, well = (booking.caregiver_id for booking in detail.bookings)
    start = detail.bookings[0].starts_at
    for _ in range(2):
        async with ordering.work(ordering.dispatcher) as work:
            await release(work, order.id, ReleaseRequest(caregiver_id=ill, reason="病假"), None)
    halved = await ordering.read(order.id)
    assert halved.status is OrderStatus.PLACED
    assert [booking.caregiver_id for booking in halved.bookings] == [well]
    assert {visit.caregiver_id: visit.status for visit in halved.visits} == {ill: "cancelled", well: "scheduled"}
    (other,) = await ordering.add_caregivers(1)
    await ordering.assign(order.id, [other])
    whole = await ordering.read(order.id)
    assert whole.status is OrderStatus.ASSIGNED
    assert {booking.starts_at for booking in whole.bookings} == {start}


async def test_nobody_is_released_once_somebody_has_set_out(ordering: Ordering) -> None:
    order, detail = await ordering.assigned("bathing_disabled")
    first, second = detail.visits
    async with ordering.work(ordering.as_caregiver(first.caregiver_id)) as work:
        await set_out(work, first.id, None)
    with pytest.raises(NotReleasable):
        async with ordering.work(ordering.dispatcher) as work:
            await release(work, order.id, ReleaseRequest(caregiver_id=second.caregiver_id, reason="x"), None)
    (stranger,) = await ordering.add_caregivers(1)
    with pytest.raises(NotFound):
        async with ordering.work(ordering.dispatcher) as work:
            await release(work, order.id, ReleaseRequest(caregiver_id=stranger.id, reason="x"), None)
