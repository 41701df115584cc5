"""The dispatcher decides: direct assignment, with an audited override; and taking everything back."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.caregivers.repository import caregivers_of_centre, lock_caregivers
from services.core.database import Work
from services.core.errors import NotFound
from services.core.versions import expect_version
from services.dispatch import repository
from services.dispatch.acts import ActKind, write_act
from services.dispatch.booking import answer, book, close_when_full, let_go, note_booked, unbook
from services.dispatch.criteria.blocking import NEVER_OVERRIDDEN
from services.dispatch.errors import (
    DoubleBooked,
    NotReassignable,
    NotReleasable,
    OrderNotOpen,
    StartInvalid,
    TooManyCaregivers,
)
from services.dispatch.facts import Candidate, Need
from services.dispatch.matching import issues_at
from services.dispatch.models import AssignRequest, Booking, Override, ReassignRequest, ReleaseRequest
from services.dispatch.needs import OPEN
from services.dispatch.offering import found_candidates, refuse
from services.dispatch.reasons import Reason
from services.dispatch.states import EndCode, OfferStatus
from services.dispatch.suggesting import needed, places_of, starts_for
from services.dispatch.travel import Ways, known_ways
from services.events import CaregiverReleased, OrderReassigned
from services.orders import service as orders
from services.orders.models import Order
from services.orders.repository import lock_order
from services.orders.states import ORDER, OrderStatus
from services.visits.service import cancel_visits


async def assign(work: Work, order_id: UUID, wish: AssignRequest, if_match: int | None) -> None:
    """Give the order to the named caregivers. Repeating an assignment that stands changes nothing.

    What speaks against somebody refuses with every reason (``NotAssignable``), unless an override with its
    reason passes it; what ``NEVER_OVERRIDDEN`` names is never passed.
    Raises ``NotFound``, ``OrderNotOpen``, ``TooManyCaregivers``, ``StartInvalid``, ``DoubleBooked``.
    """
    order = await lock_order(work, order_id)
    bookings = await repository.active_bookings(work, order.id)
    if bookings and set(wish.caregiver_ids) <= {booking.caregiver_id for booking in bookings}:
        return
    if order.status not in OPEN:
        raise OrderNotOpen(current=str(order.status))
    expect_version(order, if_match)
    if len(wish.caregiver_ids) > order.caregivers_required - len(bookings):
        raise TooManyCaregivers(field="caregiver_ids", required=order.caregivers_required)
    await lock_caregivers(work, wish.caregiver_ids)
    need = await needed(work, order, bookings)
    candidates = await found_candidates(work, order, need, wish.caregiver_ids, bookings)
    ways = known_ways(need.place, places_of(candidates))
    starts_at = _start(need, candidates, wish, bookings, ways)
    against = {one.id: issues_at(need, one, starts_at, ways) for one in candidates}
    require_passable(candidates, against, wish.override)
    for caregiver in await caregivers_of_centre(work, order.centre_id, wish.caregiver_ids):
        passed = _override(work, order, caregiver.id, wish.override, against[caregiver.id])
        note_booked(work, order, await book(work, order, caregiver, starts_at, override=passed))
    await close_when_full(work, order, None if wish.override is None else wish.override.reason)


async def cancel_order(work: Work, order_id: UUID, reason: str, if_match: int | None) -> Order:
    """Cancel an order and take back its offers, bookings and visits, all at once.

    A repeat changes nothing. Raises ``NotFound``, ``MayNotOrder`` for family without that consent,
    ``NotCancellable`` once somebody is on the way.
    """
    order = await lock_order(work, order_id)
    await orders.require_may_order(work, order.resident_id)
    if await orders.cancel(work, order, reason, if_match):
        also = await repository.helping(work, order.id)
        for offer in await repository.pending_offers(work, order.id):
            answer(work, offer, OfferStatus.WITHDRAWN, "order_cancelled", also)
        for booking in await repository.active_bookings(work, order.id):
            unbook(work, booking, EndCode.CANCELLED, "order_cancelled")
        await cancel_visits(work, order, "order_cancelled")
        await work.session.flush()
        await let_go(work, order)
    return order


async def release(work: Work, order_id: UUID, wish: ReleaseRequest, if_match: int | None) -> None:
    """Take a caregiver off an order before anybody has set out; the order looks for somebody again.

    A repeat changes nothing. Raises ``NotFound`` for somebody who never had it, ``NotReleasable``.
    """
    order = await lock_order(work, order_id)
    theirs = [
        booking
        for booking in await repository.active_bookings(work, order.id)
        if booking.caregiver_id == wish.caregiver_id
    ]
    if not theirs:
        if not await repository.was_booked(work, order.id, wish.caregiver_id):
            raise NotFound
        return
    if order.status not in (*OPEN, OrderStatus.ASSIGNED):
        raise NotReleasable(current=str(order.status))
    expect_version(order, if_match)
    also = await repository.helping(work, order.id)
    for booking in theirs:
        unbook(work, booking, wish.code, wish.reason)
        work.record(
            CaregiverReleased(
                area_code=order.area_code,
                centre_id=order.centre_id,
                order_id=order.id,
                caregiver_id=wish.caregiver_id,
                booking_id=booking.id,
                code=str(wish.code),
            ),
            also,
        )
    await cancel_visits(work, order, wish.reason, {booking.id for booking in theirs})
    if order.status is OrderStatus.ASSIGNED:
        ORDER.move(work, order, OrderStatus.PLACED, wish.reason)
    await work.session.flush()


async def reassign(work: Work, order_id: UUID, wish: ReassignRequest, if_match: int | None) -> None:
    """Give a visit that nobody has set out for to another caregiver of the centre, in one transaction.

    A repeat changes nothing. Both are told. Raises ``NotFound`` for somebody who never had it,
    ``NotReassignable``, ``NotAssignable``, ``StartInvalid``, ``DoubleBooked``: the first one keeps the visit then.
    """
    order = await lock_order(work, order_id)
    bookings = await repository.active_bookings(work, order.id)
    old = next((one for one in bookings if one.caregiver_id == wish.from_caregiver_id), None)
    others = [one for one in bookings if one is not old]
    if old is None:
        if not await repository.was_booked(work, order.id, wish.from_caregiver_id):
            raise NotFound
        if any(one.caregiver_id == wish.to_caregiver_id for one in bookings):
            return
        raise NotReassignable(current=str(order.status))
    if order.status not in (*OPEN, OrderStatus.ASSIGNED):
        raise NotReassignable(current=str(order.status))
    expect_version(order, if_match)
    starts_at = wish.starts_at or old.starts_at
    if others and starts_at != others[0].starts_at:
        raise StartInvalid(reason="differs_from_team", starts_at=others[0].starts_at.isoformat())
    await lock_caregivers(work, [wish.from_caregiver_id, wish.to_caregiver_id])
    need = await needed(work, order, others)
    candidates = await found_candidates(work, order, need, [wish.to_caregiver_id], bookings)
    against = {
        one.id: issues_at(need, one, starts_at, known_ways(need.place, places_of(candidates)))
        for one in candidates
    }
    require_passable(candidates, against, wish.override)
    unbook(work, old, wish.code, wish.reason)
    await cancel_visits(work, order, wish.reason, {old.id})
    caregiver = await repository.caregiver_of(work, order.centre_id, wish.to_caregiver_id)
    passed = _override(work, order, caregiver.id, wish.override, against[caregiver.id])
    booking = await book(work, order, caregiver, starts_at, override=passed)
    note_reassigned(work, order, old, booking, wish, await repository.helping(work, order.id))
    await work.session.flush()


def note_reassigned(
    work: Work, order: Order, old: Booking, new: Booking, wish: ReassignRequest, also: Sequence[UUID]
) -> None:
    """What both of them, the screens and the order's history hear of it."""
    write_act(
        work,
        order,
        ActKind.REASSIGNED,
        {
            "from": str(old.caregiver_id),
            "to": str(new.caregiver_id),
            "code": str(wish.code),
            "starts_at": new.starts_at.isoformat(),
        },
    )
    work.record(
        OrderReassigned(
            area_code=order.area_code,
            centre_id=order.centre_id,
            order_id=order.id,
            from_caregiver_id=old.caregiver_id,
            to_caregiver_id=new.caregiver_id,
            booking_id=new.id,
        ),
        also,
    )


def _start(
    need: Need, candidates: Sequence[Candidate], wish: AssignRequest, bookings: Sequence[Booking], ways: Ways
) -> datetime:
    """The asked start, the team's, or the earliest that suits everybody; an override may fall back on the
    window's own start.
    """
    if bookings:
        fixed = bookings[0].starts_at
        if wish.starts_at is not None and wish.starts_at != fixed:
            raise StartInvalid(reason="differs_from_team", starts_at=fixed.isoformat())
        return fixed
    if wish.starts_at is not None:
        return wish.starts_at
    starts, out = starts_for(need, candidates, together=True, ways=ways)
    if len(starts) == len(candidates):
        return next(iter(starts.values()))
    if wish.override is not None:
        return max(need.window.starts_at, need.now)
    if out:
        raise refuse((one.caregiver, one.reasons) for one in out)
    raise StartInvalid(reason="no_common_start")


def require_passable(
    candidates: Sequence[Candidate], against: Mapping[UUID, Sequence[Reason]], override: Override | None
) -> None:
    """Refuses with every reason, unless the override passes all. Raises ``NotAssignable``, ``DoubleBooked``."""
    standing = {
        reason.code
        for reasons in against.values()
        for reason in reasons
        if override is None or reason.code in NEVER_OVERRIDDEN
    }
    if override is not None and standing == {"busy"}:
        raise DoubleBooked
    if standing:
        raise refuse((one, against[one.id]) for one in candidates if against[one.id])


def _override(
    work: Work, order: Order, caregiver_id: UUID, override: Override | None, issues: Sequence[Reason]
) -> dict[str, Any] | None:
    """What is kept of an override, on the booking and in the history, where there was something to pass."""
    if override is None or not issues:
        return None
    codes = [reason.code for reason in issues]
    write_act(work, order, ActKind.OVERRIDDEN, {"caregiver_id": str(caregiver_id), "issues": codes})
    return {"reason": override.reason, "issues": codes}
