"""SQL of mutual aid with orders."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import RowMapping, Uuid, bindparam, text
from sqlmodel import col, select

from services.core.columns import UtcDateTime
from services.core.database import Work
from services.core.ids import new_id
from services.core.scope import RESIDENTS
from services.dispatch.aid.models import OrderAid
from services.orders.models import Order

# A centre that helped before may be asked again when the order looks for somebody once more.
_GRANT = text(
    """
    INSERT INTO order_aid (id, order_id, resident_id, centre_id, from_centre_id, area_code, asked_by, granted_at)
    VALUES (:id, :order_id, :resident_id, :centre_id, :from_centre_id, :area_code, :asked_by, :now)
    ON CONFLICT ON CONSTRAINT order_aid_once DO UPDATE SET ended_at = NULL, granted_at = excluded.granted_at,
        asked_by = excluded.asked_by WHERE order_aid.ended_at IS NOT NULL
    RETURNING id
    """
).bindparams(
    *(bindparam(name, type_=Uuid()) for name in ("id", "order_id", "resident_id", "centre_id", "from_centre_id")),
    bindparam("asked_by", type_=Uuid()),
    bindparam("now", type_=UtcDateTime()),
)
_OVER = text(
    """
    SELECT o.id FROM order_aid a JOIN service_order o ON o.id = a.order_id
    WHERE a.ended_at IS NULL AND o.status IN ('completed', 'cancelled')
    ORDER BY a.id LIMIT :limit FOR UPDATE OF o SKIP LOCKED
    """
)
_CLOSE = text(
    "UPDATE order_aid SET ended_at = :now WHERE order_id = :order_id AND ended_at IS NULL RETURNING centre_id"
).bindparams(bindparam("now", type_=UtcDateTime()), bindparam("order_id", type_=Uuid()))

_AIDED = text(
    """
    SELECT o.id AS order_id, o.centre_id AS from_centre_id, left(o.area_code, 9) AS area_code, o.item_code,
        o.lines->0->'item'->>'name_zh' AS item_name_zh, o.lines->0->'item'->>'name_en' AS item_name_en,
        o.lines->0->'item'->>'category' AS category, o.status, o.is_urgent, o.window_start, o.window_end,
        o.duration_minutes, o.caregivers_required, o.skills, o.licences, o.latitude, o.longitude, o.version,
        a.granted_at, c.latitude AS here_latitude, c.longitude AS here_longitude,
        (SELECT count(*) FROM booking b WHERE b.order_id = o.id AND b.is_active) AS caregivers_booked
    FROM order_aid a
    JOIN service_order o ON o.id = a.order_id
    JOIN centre c ON c.id = a.centre_id
    WHERE a.centre_id = :centre_id AND a.ended_at IS NULL AND o.id = ANY (:orders)
        AND o.status IN ('placed', 'offered', 'assigned', 'in_progress')
    ORDER BY o.is_urgent DESC, o.window_start, o.id
    LIMIT :limit
    """
).bindparams(bindparam("orders", type_=RESIDENTS), bindparam("centre_id", type_=Uuid()))


async def grant(work: Work, order: Order, centre_id: UUID) -> bool:
    """Open a locked order to a centre; ``False`` when it is open to it already."""
    values = {
        "id": new_id(),
        "order_id": order.id,
        "resident_id": order.resident_id,
        "centre_id": centre_id,
        "from_centre_id": order.centre_id,
        "area_code": order.area_code,
        "asked_by": work.actor.account_id,
        "now": work.now,
    }
    return (await work.sql(_GRANT, values)).first() is not None


async def grants_of(work: Work, order_id: UUID) -> Sequence[OrderAid]:
    """Every centre that sees or saw an order."""
    statement = (
        select(OrderAid)
        .where(OrderAid.order_id == order_id)
        .order_by(col(OrderAid.id))
        .execution_options(populate_existing=True)
    )
    return (await work.session.exec(statement)).all()


async def take_over(work: Work, limit: int) -> Sequence[Order]:
    """Orders that are over and still open to a helper, locked."""
    ids = (await work.sql(_OVER, {"limit": limit})).scalars().all()
    return (await work.session.exec(select(Order).where(col(Order.id).in_(ids)))).all()


async def close(work: Work, order_id: UUID) -> Sequence[UUID]:
    """End every grant of an order that is over; gives whose ended."""
    return (await work.sql(_CLOSE, {"now": work.now, "order_id": order_id})).scalars().all()


async def aided_orders(work: Work, centre_id: UUID, limit: int) -> Sequence[RowMapping]:
    """The orders that a centre helps with, urgent first: what is to be done, not for whom."""
    values = {"centre_id": centre_id, "orders": list(work.actor.aided_orders), "limit": limit}
    return (await work.sql(_AIDED, values)).mappings().all()
