"""One row an order of the month, inside the actor's walls."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Interval, Uuid, bindparam, text

from services.catalogue.models import Category
from services.core.columns import UtcDateTime
from services.core.database import Work
from services.core.scope import walls
from services.reports.service_quality.figures import OrderFacts

_ORDERS = text(
    """
    SELECT o.centre_id, o.lines->0->'item'->>'category', o.status,
        EXISTS (SELECT FROM booking b WHERE b.order_id = o.id),
        v.due, v.on_time, v.ended, v.agreed,
        (SELECT count(*) FROM complaint c WHERE c.order_id = o.id AND c.status <> 'withdrawn'),
        (SELECT score FROM rating r WHERE r.order_id = o.id)
    FROM service_order o
    CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE starts_at < :now) AS due,
            count(*) FILTER (WHERE care_started_at <= starts_at + :tolerance) AS on_time,
            count(*) FILTER (WHERE status IN ('verified', 'flagged', 'reviewed')) AS ended,
            count(*) FILTER (WHERE status IN ('verified', 'reviewed')) AS agreed
        FROM visit WHERE order_id = o.id AND status <> 'cancelled'
    ) v
    WHERE o.window_start >= :since AND o.window_start < :until AND o.area_code LIKE :area
        AND (CAST(:centre_id AS uuid) IS NULL OR o.centre_id = :centre_id)
    """
).bindparams(
    bindparam("now", type_=UtcDateTime()),
    bindparam("since", type_=UtcDateTime()),
    bindparam("until", type_=UtcDateTime()),
    bindparam("tolerance", type_=Interval()),
    bindparam("centre_id", type_=Uuid()),
)


async def order_facts(
    work: Work, since: datetime, until: datetime, tolerance: timedelta, centre_id: UUID | None
) -> list[OrderFacts]:
    """The orders whose window began in the time."""
    found = {
        "now": work.now,
        "since": since,
        "until": until,
        "tolerance": tolerance,
        "centre_id": centre_id,
        "area": walls(work.actor)["area"],
    }
    rows = (await work.sql(_ORDERS, found)).all()
    return [OrderFacts(row[0], Category(row[1]), *row[2:]) for row in rows]
