"""The orders' SQL, always inside the actor's walls."""

from uuid import UUID

from sqlmodel import col, or_, select

from services.core.database import Work
from services.core.errors import NotFound
from services.core.scope import within
from services.orders.models import Order
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


async def may_order_for(work: Work, resident_id: UUID) -> bool:
    """Whether the actor's account has a running care relationship that lets it order."""
    statement = select(CareRelationship.id).where(
        CareRelationship.resident_id == resident_id,
        CareRelationship.account_id == work.actor.account_id,
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
    if cursor is not None:
        statement = statement.where(col(Order.id) < cursor)
    return [(order, name) for order, name in (await work.session.exec(statement)).all()]
