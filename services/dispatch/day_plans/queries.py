"""SQL of a day: which orders a plan is about, who has them, and what needs repair."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import and_, exists, or_
from sqlalchemy import select as select_columns
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from services.caregivers.models import Caregiver, TravelMode
from services.core.actor import Role
from services.core.database import Work
from services.core.geo import Point
from services.core.scope import within
from services.dispatch.day_plans.models import BookingPin, DayPlanItem
from services.dispatch.models import Booking
from services.dispatch.needs import OPEN
from services.identity.models import Account
from services.orders.models import Order
from services.orders.states import OrderStatus
from services.residents.models import CareRelationship, RelationKind
from services.visits.models import Visit
from services.visits.states import VisitStatus


class BookedRow(NamedTuple):
    """A booking with how far its visit is. ``ended_at`` is when care ended, once it has."""

    booking: Booking
    visit_status: VisitStatus | None
    visit_id: UUID | None
    ended_at: datetime | None


async def orders_of_day(
    work: Work, centre_id: UUID, since: datetime, until: datetime, only: Collection[UUID] | None
) -> list[Order]:
    """The centre's orders of a stretch of time: what somebody has then, and what is open and could be done then.

    ``only``: of those that nobody has, just these.
    """
    booked = exists().where(
        col(Booking.order_id) == col(Order.id),
        col(Booking.is_active),
        col(Booking.ends_at) > since,
        col(Booking.starts_at) < until,
    )
    open_then = and_(col(Order.status).in_(OPEN), col(Order.window_end) > since, col(Order.window_start) < until)
    if only is not None:
        open_then = and_(open_then, col(Order.id).in_(only))
    statement = (
        select(Order)
        .where(Order.centre_id == centre_id, or_(booked, open_then), *within(work.actor, Order.area_code))
        .order_by(col(Order.id))
        .execution_options(populate_existing=True)
    )
    return list((await work.session.exec(statement)).all())


async def bookings_of(work: Work, order_ids: Collection[UUID]) -> list[BookedRow]:
    """Who has some orders, with their visits; by order and booking."""
    if not order_ids:
        return []
    statement: Any = (
        select_columns(Booking, col(Visit.status), col(Visit.id), col(Visit.care_ended_at))
        .outerjoin(Visit, col(Visit.booking_id) == col(Booking.id))
        .where(col(Booking.order_id).in_(order_ids), col(Booking.is_active))
        .order_by(col(Booking.order_id), col(Booking.id))
        .execution_options(populate_existing=True)
    )
    rows = await work.session.exec(statement)
    return [BookedRow(*row) for row in rows.all()]


async def lock_orders(work: Work, ids: Collection[UUID]) -> Sequence[Order]:
    """Orders in reach, locked in the order of their keys and read anew."""
    statement = (
        select(Order)
        .where(col(Order.id).in_(ids), *within(work.actor, Order.area_code, Order.resident_id))
        .order_by(col(Order.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return (await work.session.exec(statement)).all()


async def places_of_plan(work: Work, plan_id: UUID) -> Mapping[TravelMode, list[Point]]:
    """Homes and visits of a plan, for each way of travelling that its caregivers use."""
    statement: Any = (
        select_columns(
            col(Caregiver.travel_mode),
            col(Caregiver.home_latitude),
            col(Caregiver.home_longitude),
            col(Order.latitude),
            col(Order.longitude),
        )
        .join(Caregiver, col(Caregiver.id) == col(DayPlanItem.caregiver_id))
        .join(Order, col(Order.id) == col(DayPlanItem.order_id))
        .where(col(DayPlanItem.plan_id) == plan_id)
    )
    found: dict[TravelMode, dict[Point, None]] = defaultdict(dict)
    for mode, home_latitude, home_longitude, latitude, longitude in await work.sql(statement):
        found[TravelMode(mode)] |= {Point(home_latitude, home_longitude): None, Point(latitude, longitude): None}
    return {mode: list(points) for mode, points in found.items()}


class Affected(NamedTuple):
    """A visit that is still to come, of a caregiver who cannot come."""

    centre_id: UUID
    starts_at: datetime


async def visits_to_come(work: Work, caregiver_id: UUID, since: datetime, until: datetime) -> list[Affected]:
    """Booked visits of a caregiver that touch a stretch of time and that nobody has set out for."""
    statement = (
        select_columns(col(Booking.centre_id), col(Booking.starts_at))
        .join(Visit, col(Visit.booking_id) == col(Booking.id))
        .where(
            col(Booking.caregiver_id) == caregiver_id,
            col(Booking.is_active),
            col(Booking.ends_at) > since,
            col(Booking.starts_at) < until,
            col(Visit.status) == VisitStatus.SCHEDULED,
        )
        .order_by(col(Booking.starts_at))
    )
    return [Affected(*row) for row in (await work.sql(statement)).all()]


class Overrun(NamedTuple):
    """A visit that goes on past its end, and the caregiver's next one."""

    visit_id: UUID
    centre_id: UUID
    caregiver_id: UUID
    mode: TravelMode
    here: Point
    next_booking_id: UUID
    next_starts_at: datetime
    there: Point


async def overruns(work: Work, until: datetime) -> list[Overrun]:
    """Visits in service past their end, with the next visit of the same caregiver that begins before a moment."""
    now_there, next_one, here, there = aliased(Visit), aliased(Booking), aliased(Order), aliased(Order)
    statement = (
        select_columns(
            col(now_there.id),
            col(next_one.centre_id),
            col(now_there.caregiver_id),
            col(Caregiver.travel_mode),
            col(here.latitude),
            col(here.longitude),
            col(next_one.id),
            col(next_one.starts_at),
            col(there.latitude),
            col(there.longitude),
        )
        .join(here, col(here.id) == col(now_there.order_id))
        .join(Caregiver, col(Caregiver.id) == col(now_there.caregiver_id))
        .join(next_one, col(next_one.caregiver_id) == col(now_there.caregiver_id))
        .join(there, col(there.id) == col(next_one.order_id))
        .join(Visit, col(Visit.booking_id) == col(next_one.id))
        .where(
            col(now_there.status) == VisitStatus.IN_SERVICE,
            col(now_there.ends_at) <= work.now,
            col(next_one.is_active),
            col(next_one.starts_at) >= col(now_there.ends_at),
            col(next_one.starts_at) < until,
            col(Visit.status) == VisitStatus.SCHEDULED,
            ~exists().where(col(BookingPin.booking_id) == col(next_one.id), col(BookingPin.removed_at).is_(None)),
        )
        .order_by(col(now_there.id), col(next_one.starts_at))
        .ext(distinct_on(col(now_there.id)))
    )
    found = []
    for visit, centre, caregiver, mode, lat, lon, booking, starts_at, to_lat, to_lon in await work.sql(statement):
        place, next_place = Point(lat, lon), Point(to_lat, to_lon)
        found.append(Overrun(visit, centre, caregiver, TravelMode(mode), place, booking, starts_at, next_place))
    return found


async def urgent_without_anybody(work: Work, before: datetime) -> list[Order]:
    """Urgent orders placed before a moment that nobody has and nobody thinks about, and that can still be done."""
    statement = (
        select(Order)
        .where(
            col(Order.is_urgent),
            Order.status == OrderStatus.PLACED,
            col(Order.placed_at) < before,
            col(Order.window_end) > work.now,
        )
        .order_by(col(Order.id))
        .limit(100)
    )
    return list((await work.session.exec(statement)).all())


async def accounts_of_caregivers(work: Work, ids: Collection[UUID]) -> Mapping[UUID, list[UUID]]:
    """The accounts of some caregivers."""
    statement = select_columns(col(Account.person_id), col(Account.id)).where(
        col(Account.person_id).in_(ids), col(Account.role) == Role.CAREGIVER, col(Account.disabled_at).is_(None)
    )
    return _grouped(await work.sql(statement))


async def accounts_of_households(work: Work, resident_ids: Collection[UUID]) -> Mapping[UUID, list[UUID]]:
    """The residents' own accounts and those of family and guardians who act for them now."""
    statement = (
        select_columns(col(CareRelationship.resident_id), col(CareRelationship.account_id))
        .join(Account, col(Account.id) == col(CareRelationship.account_id))
        .where(
            col(CareRelationship.resident_id).in_(resident_ids),
            col(CareRelationship.kind).in_((RelationKind.SELF, RelationKind.FAMILY, RelationKind.GUARDIAN)),
            or_(col(CareRelationship.ended_at).is_(None), col(CareRelationship.ended_at) > work.now),
            col(Account.disabled_at).is_(None),
        )
        .distinct()
    )
    return _grouped(await work.sql(statement))


def _grouped(rows: Iterable[Any]) -> Mapping[UUID, list[UUID]]:
    found: dict[UUID, list[UUID]] = defaultdict(list)
    for key, value in rows:
        found[key].append(value)
    return found
