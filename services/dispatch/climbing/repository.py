"""SQL of orders that climb. The order's lock comes before the climb's."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ARRAY, RowMapping, Uuid, bindparam, text
from sqlmodel import col, select

from services.core.columns import UtcDateTime
from services.core.database import Work
from services.core.scope import RESIDENTS, walls
from services.dispatch.climbing.models import OrderClimb
from services.orders.models import Order

_NOW = bindparam("now", type_=UtcDateTime())
_UNWATCHED = text(
    """
    SELECT o.id FROM service_order o
    WHERE o.status IN ('placed', 'offered')
        AND NOT EXISTS (SELECT FROM order_climb c WHERE c.order_id = o.id AND c.ended_at IS NULL)
    ORDER BY o.is_urgent DESC, o.id LIMIT :limit FOR UPDATE OF o SKIP LOCKED
    """
)
_DUE = text(
    """
    SELECT o.id FROM order_climb c JOIN service_order o ON o.id = c.order_id
    WHERE c.next_at <= :now ORDER BY o.is_urgent DESC, c.next_at, c.id LIMIT 1 FOR UPDATE OF o SKIP LOCKED
    """
).bindparams(_NOW)
_END = text(
    """
    UPDATE order_climb c SET ended_at = :now, next_at = NULL FROM service_order o
    WHERE o.id = c.order_id AND c.ended_at IS NULL AND o.status NOT IN ('placed', 'offered')
    """
).bindparams(_NOW)
_HOLD = text(
    "UPDATE order_climb SET failed_at = :now, failed_with = :why, next_at = :next WHERE order_id = :order_id"
).bindparams(_NOW, bindparam("next", type_=UtcDateTime()), bindparam("order_id", type_=Uuid()))
_UNTAKEN = text(
    """
    SELECT o.id AS order_id, o.centre_id, left(o.area_code, 9) AS area_code, o.item_code,
        o.lines->0->'item'->>'name_zh' AS item_name_zh, o.lines->0->'item'->>'name_en' AS item_name_en,
        o.lines->0->'item'->>'category' AS category, o.status, o.is_urgent, o.window_start, o.window_end,
        o.caregivers_required, c.level, c.since,
        (SELECT count(*) FROM booking b WHERE b.order_id = o.id AND b.is_active) AS caregivers_booked,
        (SELECT coalesce(array_agg(a.centre_id ORDER BY a.granted_at), '{}') FROM order_aid a
            WHERE a.order_id = o.id AND a.ended_at IS NULL) AS neighbours_asked
    FROM order_climb c JOIN service_order o ON o.id = c.order_id
    WHERE c.ended_at IS NULL AND c.level <> 'own' AND o.status IN ('placed', 'offered') AND o.area_code LIKE :area
        AND (:residents IS NULL OR o.resident_id = ANY(:residents))
        AND (:cursor IS NULL OR o.id < :cursor)
    ORDER BY o.id DESC LIMIT :limit
    """
).bindparams(bindparam("residents", type_=RESIDENTS), bindparam("cursor", type_=Uuid()))


async def take_unwatched(work: Work, limit: int) -> Sequence[Order]:
    """Orders that look for somebody and that nobody watches yet, locked."""
    ids = (await work.sql(_UNWATCHED, {"limit": limit})).scalars().all()
    return (await work.session.exec(select(Order).where(col(Order.id).in_(ids)).order_by(col(Order.id)))).all()


async def climb_of(work: Work, order_id: UUID) -> OrderClimb | None:
    """The climb of a locked order, locked."""
    statement = (
        select(OrderClimb)
        .where(OrderClimb.order_id == order_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return (await work.session.exec(statement)).one_or_none()


async def take_due(work: Work) -> tuple[OrderClimb, Order] | None:
    """The most pressing order that has waited too long, locked with its climb."""
    order_id = (await work.sql(_DUE, {"now": work.now})).scalar_one_or_none()
    if order_id is None:
        return None
    order = (await work.session.exec(select(Order).where(Order.id == order_id))).one()
    climb = await climb_of(work, order_id)
    return None if climb is None else (climb, order)


async def end_climbs(work: Work) -> None:
    """Orders that have found somebody or are over climb no further."""
    await work.sql(_END, {"now": work.now})


async def hold(work: Work, order_id: UUID, why: str, pause: timedelta) -> None:
    """A climb that failed is left alone for a moment; it is tried again."""
    await work.sql(_HOLD, {"now": work.now, "why": why, "next": work.now + pause, "order_id": order_id})


async def untaken_page(work: Work, limit: int, cursor: UUID | None) -> Sequence[RowMapping]:
    """Orders in the actor's area that have climbed and still look for somebody, newest first."""
    columns = _UNTAKEN.columns(neighbours_asked=ARRAY(Uuid()))
    found = await work.sql(columns, {"limit": limit, "cursor": cursor, **walls(work.actor)})
    return found.mappings().all()
