"""Giving a caregiver's time to an order: the only place that writes bookings, and that hears of overlaps."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from services.caregivers.models import Caregiver
from services.core.constraints import violates
from services.core.database import Work
from services.dispatch import repository
from services.dispatch.errors import DoubleBooked
from services.dispatch.models import Booking, Offer, busy_range
from services.dispatch.states import OFFER, EndCode, OfferStatus
from services.events import CaregiverBooked, OfferAnswered, OrderAidEnded, OrderAssigned
from services.orders.models import Order
from services.orders.states import ORDER, OrderStatus
from services.visits.service import schedule

OVERLAP = "booking_no_overlap"
"""The exclusion constraint: whatever the code above it believes, one caregiver has one time once."""


async def book(
    work: Work,
    order: Order,
    caregiver: Caregiver,
    starts_at: datetime,
    offer_id: UUID | None = None,
    override: dict[str, Any] | None = None,
) -> Booking:
    """Book a locked order for a locked caregiver and schedule the visit. Raises ``DoubleBooked``."""
    if caregiver.number is None:
        raise ValueError("a caregiver who is not stored has no number")
    ends_at = starts_at + timedelta(minutes=order.duration_minutes)
    booking = Booking(
        order_id=order.id,
        caregiver_id=caregiver.id,
        resident_id=order.resident_id,
        centre_id=order.centre_id,
        area_code=order.area_code,
        starts_at=starts_at,
        ends_at=ends_at,
        busy=busy_range(caregiver.number, starts_at, ends_at),
        offer_id=offer_id,
        assigned_by=work.actor.account_id,
        assigned_at=work.now,
        override=override,
        lent_by=None if caregiver.centre_id == order.centre_id else caregiver.centre_id,
    )
    work.session.add(booking)
    try:
        await work.session.flush()
    except IntegrityError as error:
        if violates(error, OVERLAP):
            raise DoubleBooked from error
        raise
    await schedule(work, order, booking.id, caregiver.id, starts_at, ends_at)
    return booking


def note_booked(work: Work, order: Order, booking: Booking, also: Sequence[UUID] = ()) -> None:
    """The caregiver was not asked: she hears of it, and so do the screens."""
    work.record(
        CaregiverBooked(
            area_code=order.area_code,
            centre_id=order.centre_id,
            order_id=order.id,
            caregiver_id=booking.caregiver_id,
            booking_id=booking.id,
        ),
        also,
    )


def unbook(work: Work, booking: Booking, code: EndCode, reason: str) -> None:
    """Give the time of a booking of a locked order back. The caller cancels the visit."""
    booking.is_active = False
    booking.ended_at, booking.ended_by = work.now, work.actor.account_id
    booking.end_code, booking.end_reason = code, reason


async def close_when_full(work: Work, order: Order, reason: str | None = None) -> None:
    """When enough caregivers have a locked order, it is assigned and the offers left over are superseded.

    Until then a team's offers for another start are superseded: a team starts together.
    """
    bookings = await repository.active_bookings(work, order.id)
    full = len(bookings) >= order.caregivers_required
    taken = {booking.caregiver_id for booking in bookings}
    also = await repository.helping(work, order.id)
    for offer in await repository.pending_offers(work, order.id):
        if full or offer.caregiver_id in taken or any(b.starts_at != offer.starts_at for b in bookings):
            answer(work, offer, OfferStatus.SUPERSEDED, also=also)
    if full:
        ORDER.move(work, order, OrderStatus.ASSIGNED, reason)
        work.record(
            OrderAssigned(
                area_code=order.area_code,
                centre_id=order.centre_id,
                order_id=order.id,
                caregiver_ids=tuple(sorted(taken)),
            ),
            also,
        )
        await let_go(work, order)
    else:
        await work.session.flush()
        await back_on_the_board(work, order)


async def back_on_the_board(work: Work, order: Order) -> None:
    """A locked, offered order that nobody is thinking about any more is ``placed`` again; its next wave is due."""
    if order.status is OrderStatus.OFFERED and not await repository.pending_offers(work, order.id):
        ORDER.move(work, order, OrderStatus.PLACED, "no_pending_offer")
        await repository.hurry_round(work, order.id)


async def let_go(work: Work, order: Order) -> None:
    """A locked order looks for nobody any more: its round is due to end, and it is closed to helpers without a
    part in it.
    """
    await repository.hurry_round(work, order.id)
    for centre_id in await repository.end_aid(work, order.id):
        work.record(OrderAidEnded(area_code=order.area_code, centre_id=centre_id, order_id=order.id))


def answer(
    work: Work, offer: Offer, status: OfferStatus, reason: str | None = None, also: Sequence[UUID] = ()
) -> None:
    """Close a locked offer and say so, to the screens of centres that help as well."""
    OFFER.move(work, offer, status, reason)
    offer.answered_at, offer.remind_at = work.now, None
    work.record(
        OfferAnswered(
            area_code=offer.area_code,
            centre_id=offer.centre_id,
            offer_id=offer.id,
            order_id=offer.order_id,
            caregiver_id=offer.caregiver_id,
            status=str(status),
        ),
        also,
    )
