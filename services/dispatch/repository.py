"""The SQL of offers and bookings, and the facts that the matching rules read."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, func
from sqlalchemy import select as select_columns
from sqlmodel import col, select

from services.caregivers.models import Caregiver
from services.caregivers.repository import caregivers_of_centre, credentials_of, shifts_between
from services.core.actor import Role
from services.core.database import Work
from services.core.errors import NotFound
from services.core.geo import Point
from services.core.scope import within
from services.dispatch.facts import Candidate, Job, Licence, Need, Span
from services.dispatch.models import Booking, Offer
from services.dispatch.states import PENDING, OfferStatus
from services.orders.models import Order
from services.residents.models import Resident
from services.visits.models import Visit
from services.visits.states import ENDED

_AROUND = timedelta(days=1)
"""Bookings are read this far around the window: the whole local day for the load, and the ways."""


class OfferRow(NamedTuple):
    """An offer with what its readers need beside it."""

    offer: Offer
    order: Order
    resident_name: str
    caregiver: Caregiver
    visit_id: UUID | None


def _reach(work: Work) -> list[ColumnElement[bool]]:
    conditions = within(work.actor, Offer.area_code, Offer.resident_id)
    if work.actor.role is Role.CAREGIVER:
        conditions.append(col(Offer.caregiver_id) == work.actor.person_id)
    return conditions


def _with_names(work: Work) -> Any:
    return (
        select_columns(Offer, Order, col(Resident.name), Caregiver, col(Visit.id))
        .join(Order, col(Order.id) == col(Offer.order_id))
        .join(Resident, col(Resident.id) == col(Offer.resident_id))
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
        statement = statement.where(Offer.centre_id == work.actor.centre_id)
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


async def read_candidates(
    work: Work, order: Order, need: Need, ids: Collection[UUID] | None = None
) -> list[Candidate]:
    """The order's centre's caregivers with all that the rules ask of them, in five queries."""
    caregivers = await caregivers_of_centre(work, order.centre_id, ids)
    known = [caregiver.id for caregiver in caregivers]
    since, until = need.window.starts_at - _AROUND, need.window.ends_at + _AROUND
    licences: dict[UUID, list[Licence]] = defaultdict(list)
    if need.licences:
        for held in await credentials_of(work, known, need.licences):
            licences[held.caregiver_id].append(Licence(held.kind, held.valid_from, held.valid_until))
    shifts: dict[UUID, list[Span]] = defaultdict(list)
    for shift in await shifts_between(work, known, since, until):
        shifts[shift.caregiver_id].append(Span(shift.starts_at, shift.ends_at))
    jobs = await _jobs_between(work, known, order.id, since, until)
    visits = await _earlier_visits(work, known, order.resident_id)
    return [
        Candidate(
            id=one.id,
            name=one.name,
            gender=one.gender,
            skills=frozenset(one.skills),
            dialects=frozenset(one.dialects),
            mode=one.travel_mode,
            home=Point(one.home_latitude, one.home_longitude),
            left_at=one.left_at,
            practice_since=one.practice_since,
            licences=tuple(licences[one.id]),
            shifts=tuple(shifts[one.id]),
            jobs=tuple(jobs[one.id]),
            earlier_visits=visits.get(one.id, 0),
        )
        for one in caregivers
    ]


async def _jobs_between(
    work: Work, ids: Collection[UUID], order_id: UUID, since: datetime, until: datetime
) -> dict[UUID, list[Job]]:
    statement = (
        select_columns(
            col(Booking.caregiver_id),
            col(Booking.starts_at),
            col(Booking.ends_at),
            col(Order.latitude),
            col(Order.longitude),
        )
        .join(Order, col(Order.id) == col(Booking.order_id))
        .where(
            col(Booking.caregiver_id).in_(ids),
            col(Booking.is_active),
            col(Booking.ends_at) > since,
            col(Booking.starts_at) < until,
            col(Booking.order_id) != order_id,
        )
        .order_by(col(Booking.starts_at))
    )
    jobs: dict[UUID, list[Job]] = defaultdict(list)
    rows = (await work.sql(statement)).all()
    for caregiver_id, starts_at, ends_at, latitude, longitude in rows:
        jobs[caregiver_id].append(Job(Span(starts_at, ends_at), Point(latitude, longitude)))
    return jobs


async def _earlier_visits(work: Work, ids: Collection[UUID], resident_id: UUID) -> dict[UUID, int]:
    statement = (
        select_columns(col(Visit.caregiver_id), func.count())
        .where(
            col(Visit.caregiver_id).in_(ids),
            col(Visit.resident_id) == resident_id,
            col(Visit.status).in_(ENDED),
        )
        .group_by(col(Visit.caregiver_id))
    )
    rows = (await work.sql(statement)).all()
    return {row[0]: row[1] for row in rows}
