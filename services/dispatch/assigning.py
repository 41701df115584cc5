"""The dispatcher decides: direct assignment, with an audited override; and taking everything back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.caregivers.repository import caregivers_of_centre, lock_caregivers
from services.core.database import Work
from services.core.errors import NotFound
from services.core.versions import expect_version
from services.dispatch import repository
from services.dispatch.booking import answer, book, close_when_full
from services.dispatch.errors import NotReleasable, OrderNotOpen, StartInvalid, TooManyCaregivers
from services.dispatch.facts import Candidate, Need
from services.dispatch.matching import issues_at
from services.dispatch.models import AssignRequest, Booking, Override, ReleaseRequest
from services.dispatch.offering import found_candidates, refuse
from services.dispatch.reasons import NEVER_OVERRIDDEN, Reason
from services.dispatch.states import OfferStatus
from services.dispatch.suggesting import OPEN, need_of, starts_for
from services.dispatch.travel import paces
from services.events import CaregiverReleased
from services.orders import service as orders
from services.orders.models import Order
from services.orders.repository import lock_order
from services.orders.states import ORDER, OrderStatus
from services.visits.service import cancel_visits


async def assign(work: Work, order_id: UUID, wish: AssignRequest, if_match: int | None) -> None:
    """Give the order to the named caregivers. Repeating an assignment that stands changes nothing.

    What speaks against somebody refuses with every reason (``NotAssignable``), unless an override with its
    reason passes it; a licence, a past start and the database's double-booking rule are never passed.
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
    need = await need_of(work, order, bookings)
    candidates = await found_candidates(work, order, need, wish.caregiver_ids, bookings)
    starts_at = _start(need, candidates, wish, bookings)
    against = {one.id: issues_at(need, one, starts_at, paces()) for one in candidates}
    _require_passable(candidates, against, wish.override)
    for caregiver in await caregivers_of_centre(work, order.centre_id, wish.caregiver_ids):
        passed = _override(wish.override, against[caregiver.id])
        await book(work, order, caregiver, starts_at, override=passed)
    await close_when_full(work, order, None if wish.override is None else wish.override.reason)


async def cancel_order(work: Work, order_id: UUID, reason: str, if_match: int | None) -> Order:
    """Cancel an order and take back its offers, bookings and visits, all at once.

    A repeat changes nothing. Raises ``NotFound``, ``MayNotOrder`` for family without that consent,
    ``NotCancellable`` once somebody is on the way.
    """
    order = await lock_order(work, order_id)
    await orders.require_may_order(work, order.resident_id)
    if orders.cancel(work, order, reason, if_match):
        for offer in await repository.pending_offers(work, order.id):
            answer(work, offer, OfferStatus.WITHDRAWN, "order_cancelled")
        for booking in await repository.active_bookings(work, order.id):
            booking.is_active = False
        await cancel_visits(work, order, "order_cancelled")
        await work.session.flush()
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
    for booking in theirs:
        booking.is_active = False
    await cancel_visits(work, order, wish.reason, {booking.id for booking in theirs})
    if order.status is OrderStatus.ASSIGNED:
        ORDER.move(work, order, OrderStatus.PLACED, wish.reason)
    work.record(
        CaregiverReleased(
            area_code=order.area_code,
            centre_id=order.centre_id,
            order_id=order.id,
            caregiver_id=wish.caregiver_id,
        )
    )
    await work.session.flush()


def _start(
    need: Need, candidates: Sequence[Candidate], wish: AssignRequest, bookings: Sequence[Booking]
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
    starts, out = starts_for(need, candidates, together=True)
    if len(starts) == len(candidates):
        return next(iter(starts.values()))
    if wish.override is not None:
        return max(need.window.starts_at, need.now)
    if out:
        raise refuse((one.caregiver, one.reasons) for one in out)
    raise StartInvalid(reason="no_common_start")


def _require_passable(
    candidates: Sequence[Candidate], against: dict[UUID, list[Reason]], override: Override | None
) -> None:
    def stands(reason: Reason) -> bool:
        return override is None or reason.code in NEVER_OVERRIDDEN

    if any(stands(reason) for reasons in against.values() for reason in reasons):
        raise refuse((one, against[one.id]) for one in candidates if against[one.id])


def _override(override: Override | None, issues: Sequence[Reason]) -> dict[str, Any] | None:
    """What is kept of an override: only where there was something to pass."""
    if override is None or not issues:
        return None
    return {"reason": override.reason, "issues": [reason.code for reason in issues]}
