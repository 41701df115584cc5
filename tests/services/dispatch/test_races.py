"""Many at the same moment, on real parallel connections: the database has the last word."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Sequence
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from services.caregivers.models import Caregiver
from services.core.errors import DomainError
from services.core.ids import new_id
from services.dispatch.booking import OVERLAP, violates
from services.dispatch.models import Booking, busy_range
from services.dispatch.service import accept, cancel_order, expire_offers
from services.orders.repository import order_in_reach
from services.orders.states import OrderStatus
from tests.ordering import Ordering

CROWD = 32


async def all_at_once(calls: Sequence[Awaitable[object]]) -> Counter[str]:
    """What became of parallel calls: ``ok`` or the code of the refusal; anything else is a fault."""
    outcomes: Counter[str] = Counter()
    for outcome in await asyncio.gather(*calls, return_exceptions=True):
        if isinstance(outcome, DomainError):
            outcomes[outcome.code] += 1
        elif isinstance(outcome, BaseException):
            raise outcome
        else:
            outcomes["ok"] += 1
    return outcomes


async def active_bookings(ordering: Ordering, column: str, key: object) -> int:
    async with ordering.work() as work:
        rows = await work.sql(
            text(f"SELECT count(*) FROM booking WHERE is_active AND {column} = :key"),  # noqa: S608  our own column
            {"key": key},
        )
        return int(rows.scalar_one())


@pytest.mark.parametrize(("item", "places"), [("bathing", 1), ("bathing_disabled", 2)])
async def test_many_accept_one_order(ordering: Ordering, item: str, places: int) -> None:
    order = await ordering.place(item)
    offers = await ordering.offer(order.id, await ordering.add_caregivers(CROWD))
    outcomes = await all_at_once([ordering.accept(offer) for offer in offers])
    assert outcomes == {"ok": places, "offer_closed": CROWD - places}
    detail = await ordering.read(order.id)
    assert detail.status is OrderStatus.ASSIGNED
    assert len(detail.bookings) == len(detail.visits) == places
    assert len({visit.caregiver_id for visit in detail.visits}) == places
    assert Counter(offer.status for offer in detail.offers) == {
        "accepted": places,
        "superseded": CROWD - places,
    }


async def test_many_assign_overlapping_orders_to_one_caregiver(ordering: Ordering) -> None:
    (caregiver,) = await ordering.add_caregivers(1)
    placed = [await ordering.place(in_hours=2 + number / 100) for number in range(CROWD)]
    start = ordering.clock.now() + timedelta(hours=3)
    outcomes = await all_at_once([ordering.assign(order.id, [caregiver], starts_at=start) for order in placed])
    assert outcomes["ok"] == 1
    assert set(outcomes) <= {"ok", "not_assignable", "double_booked"}
    assert await active_bookings(ordering, "caregiver_id", caregiver.id) == 1


async def test_an_override_does_not_double_book_either(ordering: Ordering) -> None:
    (caregiver,) = await ordering.add_caregivers(1)
    placed = [await ordering.place(in_hours=2 + number / 100) for number in range(CROWD)]
    start = ordering.clock.now() + timedelta(hours=3)
    override = {"reason": "两家同院，电话确认"}
    outcomes = await all_at_once(
        [ordering.assign(order.id, [caregiver], starts_at=start, override=override) for order in placed]
    )
    assert outcomes == {"ok": 1, "double_booked": CROWD - 1}
    assert await active_bookings(ordering, "caregiver_id", caregiver.id) == 1


async def test_teams_assigned_crosswise_do_not_deadlock(ordering: Ordering) -> None:
    pair = await ordering.add_caregivers(2)
    placed = [await ordering.place("bathing_disabled", in_hours=2 + number / 100) for number in range(16)]
    start = ordering.clock.now() + timedelta(hours=3)
    outcomes = await all_at_once(
        [
            ordering.assign(order.id, pair if number % 2 else pair[::-1], starts_at=start)
            for number, order in enumerate(placed)
        ]
    )
    assert outcomes == {"ok": 1, "not_assignable": 15}


async def test_one_caregiver_accepts_two_overlapping_offers(ordering: Ordering) -> None:
    (caregiver,) = await ordering.add_caregivers(1)
    start = ordering.clock.now() + timedelta(hours=3)
    first, second = await ordering.place(), await ordering.place(in_hours=2.2)
    asked = [(await ordering.offer(order.id, [caregiver], starts_at=start))[0] for order in (first, second)]
    assert await all_at_once([ordering.accept(offer) for offer in asked]) == {"ok": 1, "double_booked": 1}
    statuses = sorted([(await ordering.read(order.id)).status for order in (first, second)])
    assert statuses == ["assigned", "offered"]
    async with ordering.work() as work:
        rows = await work.sql(
            text("SELECT status FROM offer WHERE caregiver_id = :id ORDER BY status"), {"id": caregiver.id}
        )
        assert rows.scalars().all() == ["accepted", "sent"], "the refused unit left nothing behind"


async def test_accepting_and_cancelling_at_once(ordering: Ordering) -> None:
    order = await ordering.place()
    offers = await ordering.offer(order.id, await ordering.add_caregivers(8))

    async def cancel() -> None:
        async with ordering.work(ordering.resident) as work:
            await cancel_order(work, order.id, "不需要了", None)

    outcomes = await all_at_once([*map(ordering.accept, offers[:4]), cancel(), *map(ordering.accept, offers[4:])])
    assert outcomes["ok"] in (1, 2)
    assert set(outcomes) <= {"ok", "offer_closed"}
    detail = await ordering.read(order.id)
    assert detail.status is OrderStatus.CANCELLED
    assert detail.bookings == []
    assert {visit.status for visit in detail.visits} <= {"cancelled"}


async def test_accepting_and_expiring_at_once(ordering: Ordering) -> None:
    """The worker's locks and the caregivers' are taken without ever waiting on each other in a circle."""
    order = await ordering.place("bathing_disabled")
    offers = await ordering.offer(order.id, await ordering.add_caregivers(16), seconds=60)
    ordering.clock.forward(seconds=61)

    async def expire() -> int:
        async with ordering.work() as work:
            return await expire_offers(work, 5)

    outcomes = await all_at_once([*map(ordering.accept, offers), *(expire() for _ in range(8))])
    assert outcomes == {"ok": 8, "offer_expired": 16}
    while await expire():
        pass
    detail = await ordering.read(order.id)
    assert detail.status is OrderStatus.PLACED
    assert {offer.status for offer in detail.offers} == {"expired"}


async def test_the_constraint_alone_refuses_overlaps(ordering: Ordering) -> None:
    """Even code that asks nobody cannot double book; another caregiver or the next second is free."""
    (one, other) = await ordering.add_caregivers(2)
    placed = await ordering.place()
    start = ordering.clock.now() + timedelta(hours=3)

    async def insert(caregiver: Caregiver, at: datetime, minutes: int = 60) -> None:
        async with ordering.work() as work:
            order = await order_in_reach(work, placed.id)
            work.session.add(
                Booking(
                    order_id=order.id,
                    caregiver_id=caregiver.id,
                    resident_id=order.resident_id,
                    centre_id=order.centre_id,
                    area_code=order.area_code,
                    starts_at=at,
                    ends_at=at + timedelta(minutes=minutes),
                    busy=busy_range(caregiver.number or 0, at, at + timedelta(minutes=minutes)),
                    is_active=True,
                    assigned_by=new_id(),
                    assigned_at=work.now,
                )
            )

    await insert(one, start)
    with pytest.raises(IntegrityError) as refused:
        await insert(one, start + timedelta(minutes=59, seconds=59))
    assert violates(refused.value, OVERLAP) or violates(refused.value, "booking_one_active")
    await insert(other, start)


async def test_accepting_twice_at_once_is_one_acceptance(ordering: Ordering) -> None:
    order = await ordering.place()
    (offer,) = await ordering.offer(order.id, await ordering.add_caregivers(1))
    answers = await asyncio.gather(*(ordering.accept(offer) for _ in range(8)))
    assert len({answer.visit_id for answer in answers}) == 1
    assert {answer.version for answer in answers} == {offer.version + 1}
    async with ordering.work(ordering.as_caregiver(offer.caregiver_id)) as work:
        assert (await accept(work, offer.id, None)).status == "accepted"
