"""The SQL of ratings and calls back, always inside the actor's walls."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, exists, select

from services.core.database import Work
from services.core.errors import NotFound
from services.core.scope import within
from services.orders.models import Order
from services.orders.states import OrderStatus
from services.quality.models import Callback, Rating
from services.quality.states import CallbackStatus
from services.residents.models import Resident


class CallbackRow(NamedTuple):
    """A call back with what the caller says first."""

    callback: Callback
    order: Order
    resident_name: str


async def rating_of(work: Work, order_id: UUID) -> Rating | None:
    """The rating of an order, when there is one in reach."""
    statement = select(Rating).where(
        Rating.order_id == order_id, *within(work.actor, Rating.area_code, Rating.resident_id)
    )
    return (await work.session.exec(statement)).one_or_none()


async def has_earlier_service(work: Work, order: Order) -> bool:
    """Whether the resident had a completed order before this one."""
    statement = select(
        exists().where(
            col(Order.resident_id) == order.resident_id,
            col(Order.status) == OrderStatus.COMPLETED,
            col(Order.id) < order.id,
        )
    )
    return bool((await work.session.exec(statement)).one())


async def add_callback(work: Work, callback: Callback) -> bool:
    """Store a call back unless its order has one already; gives whether it is new."""
    statement = (
        insert(Callback)
        .values(**callback.model_dump())
        .on_conflict_do_nothing(index_elements=["order_id"])
        .returning(col(Callback.id))
    )
    return (await work.sql(statement)).first() is not None


async def lock_callback_of(work: Work, order_id: UUID) -> Callback | None:
    """The call back of an order, locked."""
    statement = select(Callback).where(Callback.order_id == order_id).with_for_update()
    return (await work.session.exec(statement)).one_or_none()


async def lock_callback(work: Work, callback_id: UUID) -> Callback:
    """A call back in reach, locked and read anew; raises ``NotFound``. The order's lock comes first."""
    statement = (
        select(Callback)
        .where(Callback.id == callback_id, *within(work.actor, Callback.area_code, Callback.resident_id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    found = (await work.session.exec(statement)).one_or_none()
    if found is None:
        raise NotFound
    return found


async def order_of(work: Work, callback_id: UUID) -> UUID:
    """The order of a call back in reach; raises ``NotFound``."""
    statement = select(Callback.order_id).where(
        Callback.id == callback_id, *within(work.actor, Callback.area_code, Callback.resident_id)
    )
    order_id = (await work.session.exec(statement)).one_or_none()
    if order_id is None:
        raise NotFound
    return order_id


def _rows(work: Work) -> Any:
    return (
        select(Callback, Order, Resident.name)
        .join(Order, col(Order.id) == col(Callback.order_id))
        .join(Resident, col(Resident.id) == col(Callback.resident_id))
        .where(*within(work.actor, Callback.area_code, Callback.resident_id))
    )


async def callback_row(work: Work, callback_id: UUID) -> CallbackRow:
    """One call back in reach; raises ``NotFound``."""
    found = (await work.session.exec(_rows(work).where(Callback.id == callback_id))).one_or_none()
    if found is None:
        raise NotFound
    return CallbackRow(*found)


async def callbacks_page(
    work: Work, limit: int, cursor: UUID | None, statuses: Sequence[CallbackStatus], overdue: bool
) -> list[CallbackRow]:
    """Calls back of the actor's centre, newest first."""
    statement = _rows(work).order_by(col(Callback.id).desc()).limit(limit)
    if work.actor.centre_id is not None:
        statement = statement.where(Callback.centre_id == work.actor.centre_id)
    if statuses:
        statement = statement.where(col(Callback.status).in_(statuses))
    if overdue:
        statement = statement.where(Callback.status == CallbackStatus.DUE, col(Callback.due_by) < work.now)
    if cursor is not None:
        statement = statement.where(col(Callback.id) < cursor)
    return [CallbackRow(*row) for row in (await work.session.exec(statement)).all()]
