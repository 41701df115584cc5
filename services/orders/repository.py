"""The orders' SQL, always inside the actor's walls."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlmodel import col, or_, select

from services.core.database import Work
from services.core.errors import NotFound
from services.core.scope import within
from services.orders.models import Order, OrderChange, OrderQuote
from services.orders.states import OrderStatus
from services.residents.models import CareRelationship, Resident


async def resident_in_reach(work: Work, resident_id: UUID) -> Resident:
    """A resident whom the actor may act for; raises ``NotFound`` for any other."""
    statement = select(Resident).where(
        Resident.id == resident_id, *within(work.actor, Resident.area_code, Resident.id)
    )
    resident = (await work.session.exec(statement)).one_or_none()
    if resident is None:
        raise NotFound
    return resident


async def may_order_for(work: Work, resident_id: UUID, account_id: UUID | None = None) -> bool:
    """Whether an account (the actor's own, if none is named) has a running relationship that lets it order."""
    statement = select(CareRelationship.id).where(
        CareRelationship.resident_id == resident_id,
        CareRelationship.account_id == (account_id or work.actor.account_id),
        col(CareRelationship.may_order),
        or_(col(CareRelationship.ended_at).is_(None), col(CareRelationship.ended_at) > work.now),
    )
    return (await work.session.exec(statement.limit(1))).first() is not None


async def order_in_reach(work: Work, order_id: UUID) -> Order:
    """An order inside the actor's walls; raises ``NotFound``."""
    statement = select(Order).where(Order.id == order_id, *within(work.actor, Order.area_code, Order.resident_id))
    order = (await work.session.exec(statement)).one_or_none()
    if order is None:
        raise NotFound
    return order


async def lock_order(work: Work, order_id: UUID) -> Order:
    """The same, locked. Whoever changes offers, bookings or visits of an order takes this lock first."""
    statement = (
        select(Order)
        .where(Order.id == order_id, *within(work.actor, Order.area_code, Order.resident_id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    order = (await work.session.exec(statement)).one_or_none()
    if order is None:
        raise NotFound
    return order


async def orders_page(
    work: Work,
    limit: int,
    cursor: UUID | None,
    statuses: list[OrderStatus],
    resident_id: UUID | None,
    care_plan_id: UUID | None = None,
) -> list[tuple[Order, str]]:
    """Orders with their residents' names, newest first."""
    statement = (
        select(Order, Resident.name)
        .join(Resident, col(Resident.id) == col(Order.resident_id))
        .where(*within(work.actor, Order.area_code, Order.resident_id))
        .order_by(col(Order.id).desc())
        .limit(limit)
    )
    if work.actor.centre_id is not None:
        statement = statement.where(Order.centre_id == work.actor.centre_id)
    if statuses:
        statement = statement.where(col(Order.status).in_(statuses))
    if resident_id is not None:
        statement = statement.where(Order.resident_id == resident_id)
    if care_plan_id is not None:
        statement = statement.where(Order.care_plan_id == care_plan_id)
    if cursor is not None:
        statement = statement.where(col(Order.id) < cursor)
    return [(order, name) for order, name in (await work.session.exec(statement)).all()]


async def quote_in_reach(work: Work, quote_id: UUID, *, lock: bool = False) -> OrderQuote:
    """A kept quote inside the actor's walls; raises ``NotFound``."""
    statement = select(OrderQuote).where(
        OrderQuote.id == quote_id, *within(work.actor, OrderQuote.area_code, OrderQuote.resident_id)
    )
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    found = (await work.session.exec(statement)).one_or_none()
    if found is None:
        raise NotFound
    return found


async def quote_like(work: Work, account_id: UUID, fingerprint: str, since: datetime) -> OrderQuote | None:
    """The latest unused quote of an account for the same question, not older than ``since``."""
    statement = (
        select(OrderQuote)
        .where(
            OrderQuote.quoted_by == account_id,
            OrderQuote.fingerprint == fingerprint,
            col(OrderQuote.used_at).is_(None),
            col(OrderQuote.quoted_at) >= since,
            col(OrderQuote.expires_at) > work.now,
        )
        .order_by(col(OrderQuote.id).desc())
        .limit(1)
    )
    return (await work.session.exec(statement)).first()


async def quotes_page(
    work: Work, limit: int, cursor: UUID | None, resident_id: UUID | None
) -> Sequence[OrderQuote]:
    """Quotes in reach, newest first."""
    statement = (
        select(OrderQuote)
        .where(*within(work.actor, OrderQuote.area_code, OrderQuote.resident_id))
        .order_by(col(OrderQuote.id).desc())
        .limit(limit)
    )
    if resident_id is not None:
        statement = statement.where(OrderQuote.resident_id == resident_id)
    if cursor is not None:
        statement = statement.where(col(OrderQuote.id) < cursor)
    return (await work.session.exec(statement)).all()


async def changes_page(work: Work, order_id: UUID, limit: int, cursor: UUID | None) -> Sequence[OrderChange]:
    """What was changed on an order that is known to be in reach, newest first."""
    statement = (
        select(OrderChange)
        .where(OrderChange.order_id == order_id)
        .order_by(col(OrderChange.id).desc())
        .limit(limit)
    )
    if cursor is not None:
        statement = statement.where(col(OrderChange.id) < cursor)
    return (await work.session.exec(statement)).all()


async def one_at_a_time(work: Work, key: str) -> None:
    """Wait until no other transaction holds this key; held to the end of this one."""
    await work.sql(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": key})


# Bookings belong to a later domain, which imports this one: only their columns are read. A household sees its own.
_KNOWN = text(
    """
    SELECT EXISTS (SELECT FROM booking WHERE caregiver_id = :id AND resident_id = :resident_id)
        OR EXISTS (SELECT FROM caregiver WHERE id = :id AND centre_id = :centre_id AND left_at IS NULL)
    """
)


async def is_known_caregiver(work: Work, caregiver_id: UUID, centre_id: UUID, resident_id: UUID) -> bool:
    """Whether somebody works for the centre, or has been booked for this resident before."""
    asked = {"id": caregiver_id, "centre_id": centre_id, "resident_id": resident_id}
    return bool((await work.sql(_KNOWN, asked)).scalar_one())
