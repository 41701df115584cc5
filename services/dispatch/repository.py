"""The SQL of offers and bookings. A helping centre reaches one order that is not its own, see ``reach``."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Uuid, bindparam, text
from sqlalchemy import select as select_columns
from sqlmodel import col, or_, select

from services.caregivers.models import Caregiver
from services.caregivers.repository import caregivers_of_centre
from services.core.actor import Role
from services.core.columns import UtcDateTime
from services.core.database import Work
from services.core.errors import NotFound
from services.core.scope import within, within_or_lent
from services.dispatch.models import Booking, Offer
from services.dispatch.states import PENDING, EndCode, OfferStatus
from services.identity.models import Account
from services.orders.models import Order
from services.residents.models import Resident
from services.visits.models import Visit


class OfferRow(NamedTuple):
    """An offer with what its readers need beside it."""

    offer: Offer
    order: Order
    resident_name: str | None
    caregiver: Caregiver
    visit_id: UUID | None


def _reach(work: Work) -> list[ColumnElement[bool]]:
    conditions = [within_or_lent(work.actor, Offer.area_code, Offer.resident_id, Offer.order_id)]
    if work.actor.role is Role.CAREGIVER:
        conditions.append(col(Offer.caregiver_id) == work.actor.person_id)
    return conditions


def _with_names(work: Work) -> Any:
    return (
        select_columns(Offer, Order, col(Resident.name), Caregiver, col(Visit.id))
        .join(Order, col(Order.id) == col(Offer.order_id))
        .outerjoin(Resident, col(Resident.id) == col(Offer.resident_id))  # a helping centre reads no resident
        .join(Caregiver, col(Caregiver.id) == col(Offer.caregiver_id))
        .outerjoin(Booking, col(Booking.offer_id) == col(Offer.id))
        .outerjoin(Visit, col(Visit.booking_id) == col(Booking.id))
        .where(*_reach(work))
    )


async def offer_rows(work: Work, ids: Collection[UUID]) -> list[OfferRow]:
    """Some offers in reach, by id."""
    statement = _with_names(work).where(col(Offer.id).in_(ids)).order_by(col(Offer.id))
    return [OfferRow(*row) for row in (await work.session.exec(statement)).all()]


async def offers_page(
    work: Work, limit: int, cursor: UUID | None, order_id: UUID | None, statuses: Sequence[OfferStatus]
) -> list[OfferRow]:
    """Offers in reach, newest first."""
    statement = _with_names(work).order_by(col(Offer.id).desc()).limit(limit)
    if work.actor.centre_id is not None and work.actor.role is not Role.CAREGIVER:
        statement = statement.where(
            or_(Offer.centre_id == work.actor.centre_id, col(Offer.order_id).in_(work.actor.aided_orders))
        )
    if order_id is not None:
        statement = statement.where(Offer.order_id == order_id)
    if statuses:
        statement = statement.where(col(Offer.status).in_(statuses))
    if cursor is not None:
        statement = statement.where(col(Offer.id) < cursor)
    return [OfferRow(*row) for row in (await work.session.exec(statement)).all()]


async def order_of(work: Work, offer_id: UUID) -> UUID:
    """The order of an offer in reach; raises ``NotFound``."""
    statement = select(Offer.order_id).where(Offer.id == offer_id, *_reach(work))
    order_id = (await work.session.exec(statement)).one_or_none()
    if order_id is None:
        raise NotFound
    return order_id


async def lock_offer(work: Work, offer_id: UUID) -> Offer:
    """An offer in reach, locked and read anew. The order's lock comes first."""
    statement = (
        select(Offer)
        .where(Offer.id == offer_id, *_reach(work))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    offer = (await work.session.exec(statement)).one_or_none()
    if offer is None:
        raise NotFound
    return offer


async def pending_offers(work: Work, order_id: UUID) -> Sequence[Offer]:
    """The offers of a locked order that can still be answered, locked."""
    statement = (
        select(Offer)
        .where(Offer.order_id == order_id, col(Offer.status).in_(PENDING))
        .order_by(col(Offer.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return (await work.session.exec(statement)).all()


async def unseen_offers(work: Work, caregiver_id: UUID) -> Sequence[Offer]:
    """A caregiver's offers that she has not looked at; what somebody is just changing is left out."""
    statement = (
        select(Offer)
        .where(Offer.caregiver_id == caregiver_id, Offer.status == OfferStatus.SENT)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return (await work.session.exec(statement)).all()


async def due_offers(work: Work, limit: int) -> Sequence[tuple[Offer, Order]]:
    """Offers that have run out, locked together with their orders; what is busy waits for the next round."""
    statement = (
        select(Offer, Order)
        .join(Order, col(Order.id) == col(Offer.order_id))
        .where(col(Offer.status).in_(PENDING), col(Offer.expires_at) <= work.now)
        .order_by(col(Offer.expires_at))
        .limit(limit)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return [(offer, order) for offer, order in (await work.session.exec(statement)).all()]


async def was_booked(work: Work, order_id: UUID, caregiver_id: UUID) -> bool:
    """Whether a caregiver has or had a locked order."""
    statement = select(Booking.id).where(Booking.order_id == order_id, Booking.caregiver_id == caregiver_id)
    return (await work.session.exec(statement.limit(1))).first() is not None


async def active_bookings(work: Work, order_id: UUID) -> Sequence[Booking]:
    """Who has taken a locked order."""
    statement = (
        select(Booking)
        .where(Booking.order_id == order_id, col(Booking.is_active))
        .order_by(col(Booking.id))
        .execution_options(populate_existing=True)
    )
    return (await work.session.exec(statement)).all()


# Of a later room (`aid`), which builds on this one: only a column is read.
_HELPING = text(
    "SELECT centre_id FROM order_aid WHERE order_id = :order_id AND ended_at IS NULL ORDER BY id"
).bindparams(bindparam("order_id", type_=Uuid()))


async def helping(work: Work, order_id: UUID) -> Sequence[UUID]:
    """The centres that help with an order now: its events reach their screens too."""
    return (await work.sql(_HELPING, {"order_id": order_id})).scalars().all()


async def lock_order(work: Work, order_id: UUID) -> Order:
    """An order in reach, or one that the actor's centre helps with, locked and read anew; raises ``NotFound``."""
    statement = (
        select(Order)
        .where(Order.id == order_id, within_or_lent(work.actor, Order.area_code, Order.resident_id, Order.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    order = (await work.session.exec(statement)).one_or_none()
    if order is None:
        raise NotFound
    return order


async def order_in_reach(work: Work, order_id: UUID) -> Order:
    """The same, not locked."""
    statement = select(Order).where(
        Order.id == order_id, within_or_lent(work.actor, Order.area_code, Order.resident_id, Order.id)
    )
    order = (await work.session.exec(statement)).one_or_none()
    if order is None:
        raise NotFound
    return order


async def due_reminders(work: Work, limit: int) -> Sequence[Offer]:
    """Pending offers whose reminder is due, locked; what is busy waits for the next round."""
    statement = (
        select(Offer)
        .where(
            col(Offer.remind_at) <= work.now,
            col(Offer.status).in_(PENDING),
            col(Offer.expires_at) > work.now,
        )
        .order_by(col(Offer.remind_at))
        .limit(limit)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return (await work.session.exec(statement)).all()


async def asked_of(work: Work, order_id: UUID) -> frozenset[UUID]:
    """Caregivers who were ever asked for an order, whatever they answered."""
    rows = await work.sql(
        select_columns(col(Offer.caregiver_id)).where(col(Offer.order_id) == order_id).distinct()
    )
    return frozenset(rows.scalars().all())


_HURRY = text(
    "UPDATE dispatch_round SET next_at = :now WHERE order_id = :order_id AND status = 'running'"
).bindparams(bindparam("now", type_=UtcDateTime()), bindparam("order_id", type_=Uuid()))
_END_AID = text(
    """
    UPDATE order_aid SET ended_at = :now
    WHERE order_id = :order_id AND ended_at IS NULL AND NOT EXISTS (SELECT FROM booking b
        WHERE b.order_id = :order_id AND b.is_active AND b.lent_by = order_aid.centre_id)
    RETURNING centre_id
    """
).bindparams(bindparam("now", type_=UtcDateTime()), bindparam("order_id", type_=Uuid()))


async def hurry_round(work: Work, order_id: UUID) -> None:
    """The round of a locked order is due now: nobody is left to wait for, or nobody is looked for any more."""
    await work.sql(_HURRY, {"now": work.now, "order_id": order_id})


async def end_aid(work: Work, order_id: UUID) -> Sequence[UUID]:
    """End what helping centres see of a locked order, but for those whose caregiver has it; gives whose ended."""
    return (await work.sql(_END_AID, {"now": work.now, "order_id": order_id})).scalars().all()


async def caregiver_of(work: Work, centre_id: UUID, caregiver_id: UUID) -> Caregiver:
    """One caregiver of a centre in reach; raises ``NotFound``."""
    found = await caregivers_of_centre(work, centre_id, [caregiver_id])
    if not found:
        raise NotFound
    return found[0]


async def cancelled_bookings(work: Work, order_id: UUID) -> Sequence[Booking]:
    """Bookings that ended because the order was cancelled."""
    statement = select(Booking).where(Booking.order_id == order_id, Booking.end_code == EndCode.CANCELLED)
    return (await work.session.exec(statement.order_by(col(Booking.id)))).all()


async def accounts_of_caregiver(work: Work, caregiver_id: UUID) -> Sequence[UUID]:
    """Who is told, when a caregiver is."""
    statement = select(Account.id).where(
        Account.person_id == caregiver_id, Account.role == Role.CAREGIVER, col(Account.disabled_at).is_(None)
    )
    return (await work.session.exec(statement)).all()


async def overridden_page(
    work: Work, since: datetime, until: datetime, limit: int, cursor: UUID | None
) -> list[tuple[Booking, str]]:
    """Bookings in reach that passed a blocking reason, with the caregivers' names, newest first."""
    statement = (
        select(Booking, Caregiver.name)
        .join(Caregiver, col(Caregiver.id) == col(Booking.caregiver_id))
        .where(
            *within(work.actor, Booking.area_code, Booking.resident_id),
            col(Booking.override).is_not(None),
            col(Booking.assigned_at) >= since,
            col(Booking.assigned_at) < until,
        )
        .order_by(col(Booking.id).desc())
        .limit(limit)
    )
    if work.actor.centre_id is not None:
        statement = statement.where(Booking.centre_id == work.actor.centre_id)
    if cursor is not None:
        statement = statement.where(col(Booking.id) < cursor)
    return [(booking, name) for booking, name in (await work.session.exec(statement)).all()]
