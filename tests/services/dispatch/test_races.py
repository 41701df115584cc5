"""Many at the same moment, on real parallel connections: the database has the last word."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from services.caregivers.models import Absence, AbsenceKind, Caregiver
from services.caregivers.repository import lock_caregivers
from services.caregivers.states import AbsenceStatus
from services.core.actor import Actor, Role
from services.core.constraints import violates
from services.core.errors import DomainError
from services.core.ids import new_id
from services.dispatch.aid.models import AidAsk
from services.dispatch.aid.service import ask_aid
from services.dispatch.booking import OVERLAP
from services.dispatch.models import Booking, OffersCreate, ReassignRequest, busy_range
from services.dispatch.policies.models import AutoMode
from services.dispatch.service import accept, cancel_order, expire_offers, reassign, send_offers
from services.dispatch.waves.models import WavesStart
from services.dispatch.waves.service import advance_one, dispatch_history, start_waves
from services.orders.repository import order_in_reach
from services.orders.states import OrderStatus
from tests.ordering import Ordering

CROWD = 64


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


LIES = {
    "two bookings of one caregiver at once": """
        SELECT count(*) FROM booking a JOIN booking b ON b.caregiver_id = a.caregiver_id AND b.id > a.id
        WHERE a.is_active AND b.is_active AND a.starts_at < b.ends_at AND b.starts_at < a.ends_at
            AND a.centre_id = :centre""",
    "more caregivers than the order takes": """
        SELECT count(*) FROM service_order o WHERE o.centre_id = :centre AND o.caregivers_required
            < (SELECT count(*) FROM booking b WHERE b.order_id = o.id AND b.is_active)""",
    "assigned without enough caregivers": """
        SELECT count(*) FROM service_order o WHERE o.centre_id = :centre AND o.status = 'assigned' AND
            o.caregivers_required > (SELECT count(*) FROM booking b WHERE b.order_id = o.id AND b.is_active)""",
    "a lost accept: accepted, and neither booked nor taken off": """
        SELECT count(*) FROM offer f WHERE f.centre_id = :centre AND f.status = 'accepted'
            AND NOT EXISTS (SELECT FROM booking b WHERE b.offer_id = f.id)""",
    "a phantom slot: booked without a visit to go to": """
        SELECT count(*) FROM booking b WHERE b.centre_id = :centre AND b.is_active
            AND NOT EXISTS (SELECT FROM visit v WHERE v.booking_id = b.id AND v.status <> 'cancelled')""",
    "a visit to go to without a booking": """
        SELECT count(*) FROM visit v JOIN booking b ON b.id = v.booking_id
        WHERE v.centre_id = :centre AND v.status = 'scheduled' AND NOT b.is_active""",
    "still asked for an order that looks for nobody": """
        SELECT count(*) FROM offer f JOIN service_order o ON o.id = f.order_id
        WHERE f.centre_id = :centre AND f.status IN ('sent', 'viewed')
            AND o.status NOT IN ('placed', 'offered')""",
}
"""What must never be, whoever came first; each counts rows of the tests' own centre."""


async def lies(ordering: Ordering) -> dict[str, int]:
    """Which of them are; empty when none is."""
    async with ordering.work() as work:
        values = {"centre": ordering.world.here.centre.id}
        found = {name: (await work.sql(text(sql), values)).scalar_one() for name, sql in LIES.items()}
    return {name: count for name, count in found.items() if count}


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
    assert await lies(ordering) == {}


async def test_many_assign_overlapping_orders_to_one_caregiver(ordering: Ordering) -> None:
    (caregiver,) = await ordering.add_caregivers(1)
    placed = [await ordering.place(in_hours=2 + number / 100) for number in range(CROWD)]
    start = ordering.clock.now() + timedelta(hours=3)
    outcomes = await all_at_once([ordering.assign(order.id, [caregiver], starts_at=start) for order in placed])
    assert outcomes["ok"] == 1
    assert set(outcomes) <= {"ok", "not_assignable", "double_booked"}
    assert await active_bookings(ordering, "caregiver_id", caregiver.id) == 1
    assert await lies(ordering) == {}


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


async def test_accept_cancel_expire_reassign_and_leave_at_once(ordering: Ordering) -> None:
    """Sixty-four at once, over sixteen orders and eight caregivers: whatever comes first, nothing is lost."""
    team = await ordering.add_caregivers(8)
    orders = [await ordering.place(in_hours=2 + number / 20) for number in range(16)]
    offers = [(await ordering.offer(order.id, team[number % 4 :][:4])) for number, order in enumerate(orders)]
    calls: list[Awaitable[object]] = []
    for number, order in enumerate(orders):
        calls.append(ordering.accept(offers[number][0]))
        calls.append(ordering.accept(offers[number][1]))
        calls.append(_cancel(ordering, order.id) if number % 4 == 0 else ordering.assign(order.id, [team[7]]))
        calls.append(_reassign(ordering, order.id, offers[number][0].caregiver_id, team[6].id))
    assert len(calls) == CROWD
    outcomes = await all_at_once([*calls, *(_expire(ordering) for _ in range(4)), _absence(ordering, team[0])])
    expected = {
        "ok",
        "offer_closed",
        "double_booked",
        "not_assignable",
        "order_not_open",
        "not_found",
        "not_reassignable",
        "not_cancellable",
        "start_invalid",
    }
    assert set(outcomes) <= expected
    assert outcomes["ok"] > 8
    assert await lies(ordering) == {}


async def _cancel(ordering: Ordering, order_id: UUID) -> None:
    async with ordering.work(ordering.resident) as work:
        await cancel_order(work, order_id, "不需要了", None)


async def _reassign(ordering: Ordering, order_id: UUID, old: UUID, new: UUID) -> None:
    wish = ReassignRequest(from_caregiver_id=old, to_caregiver_id=new, reason="换人")
    async with ordering.work(ordering.dispatcher) as work:
        await reassign(work, order_id, wish, None)


async def _expire(ordering: Ordering) -> int:
    async with ordering.work() as work:
        return await expire_offers(work, 5)


async def _absence(ordering: Ordering, caregiver: Caregiver) -> None:
    """Approved leave, as the rota's own room writes it: under the caregiver's lock."""
    async with ordering.work() as work:
        await lock_caregivers(work, [caregiver.id])
        work.session.add(
            Absence(
                caregiver_id=caregiver.id,
                centre_id=caregiver.centre_id,
                area_code=caregiver.area_code,
                kind=AbsenceKind.SICK,
                status=AbsenceStatus.APPROVED,
                starts_at=work.now,
                ends_at=work.now + timedelta(days=1),
                requested_at=work.now,
            )
        )


@pytest.mark.parametrize("leave_first", [True, False])
async def test_nobody_accepts_once_her_leave_is_approved(ordering: Ordering, leave_first: bool) -> None:
    """Leave and acceptance wait for one another: an acceptance after leave is refused."""
    order = await ordering.place()
    caregivers = await ordering.add_caregivers(1)
    (offer,) = await ordering.offer(order.id, caregivers)
    if leave_first:
        await _absence(ordering, caregivers[0])
        assert await all_at_once([ordering.accept(offer)]) == {"not_assignable": 1}
    else:
        outcomes = await all_at_once(
            [*(ordering.accept(offer) for _ in range(8)), _absence(ordering, caregivers[0])]
        )
        assert set(outcomes) <= {"ok", "not_assignable"}
        assert outcomes["ok"] in (1, 9), "all acceptances agree"
    assert await lies(ordering) == {}


async def test_many_reassign_one_visit_at_once(ordering: Ordering) -> None:
    """The visit has one caregiver before, in between and afterwards."""
    order = await ordering.place()
    team = await ordering.add_caregivers(9)
    await ordering.assign(order.id, [team[0]])
    outcomes = await all_at_once(
        [_reassign(ordering, order.id, team[0].id, team[1 + number % 8].id) for number in range(CROWD)]
    )
    assert outcomes["ok"] == 8, "the first, and its seven repeats, which change nothing"
    assert outcomes["not_reassignable"] == CROWD - 8
    assert (await ordering.read(order.id)).status is OrderStatus.ASSIGNED
    assert await active_bookings(ordering, "order_id", order.id) == 1
    assert await lies(ordering) == {}


async def test_two_centres_take_one_order_at_once(ordering: Ordering) -> None:
    """The centre in charge and its helper offer it to their own; one person comes."""
    order = await ordering.place()
    async with ordering.work(ordering.dispatcher) as work:
        await ask_aid(work, order.id, AidAsk())
    mine = await ordering.offer(order.id, await ordering.add_caregivers(32))
    helping = await ordering.world.actor(Role.DISPATCHER, ordering.world.neighbour)
    lent = ordering.world.neighbour.caregivers
    async with ordering.work(helping) as work:
        theirs = (await send_offers(work, order.id, OffersCreate(caregiver_ids=[one.id for one in lent]))).items
    actors = [await ordering.world.actor(Role.CAREGIVER, ordering.world.neighbour, n) for n in range(len(lent))]
    by_caregiver = {offer.caregiver_id: offer for offer in theirs}

    async def take(actor: Actor) -> None:
        assert actor.person_id is not None
        async with ordering.work(actor) as work:
            await accept(work, by_caregiver[actor.person_id].id, None)

    outcomes = await all_at_once([*map(take, actors), *map(ordering.accept, mine)])
    assert outcomes == {"ok": 1, "offer_closed": len(mine) + len(theirs) - 1}
    assert await active_bookings(ordering, "order_id", order.id) == 1
    assert await lies(ordering) == {}


async def test_workers_advance_one_round_once(ordering: Ordering) -> None:
    """Several workers, killed or not, send one wave."""
    await ordering.add_caregivers(4)
    order = await ordering.place()
    async with ordering.work(ordering.dispatcher) as work:
        await start_waves(work, order.id, WavesStart())
    await all_at_once([advance_one(ordering.database) for _ in range(16)])
    async with ordering.work(ordering.dispatcher) as work:
        told = await dispatch_history(work, order.id)
    assert [act.kind for act in told.acts] == ["round_started", "wave_sent"]
    offers = (await ordering.read(order.id)).offers
    assert len(offers) == len({offer.caregiver_id for offer in offers}) == 5


async def test_orders_placed_at_once_are_assigned_without_an_overlap(ordering: Ordering) -> None:
    """Automatic assignment of many orders to few people, by several workers."""
    await ordering.add_caregivers(3)
    orders = [await ordering.place(in_hours=2, hours=4) for _ in range(24)]
    for order in orders:
        async with ordering.work(ordering.dispatcher) as work:
            await start_waves(work, order.id, WavesStart(mode=AutoMode.ASSIGN_BEST))

    async def advance() -> None:
        while await advance_one(ordering.database):
            pass

    await all_at_once([advance() for _ in range(8)])
    await advance()
    statuses = Counter([(await ordering.read(order.id)).status for order in orders])
    assert statuses[OrderStatus.ASSIGNED] >= 10
    assert set(statuses) <= {OrderStatus.ASSIGNED, OrderStatus.PLACED}
    assert await lies(ordering) == {}
