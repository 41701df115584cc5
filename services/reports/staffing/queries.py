"""What is booked or offered ahead, with what the rules ask of it."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import RowMapping, Uuid, bindparam, text

from services.core.columns import UtcDateTime
from services.core.database import Work
from services.core.scope import walls

_AHEAD = text(
    """
    SELECT given.kind, given.id, given.order_id, given.resident_id, given.caregiver_id, c.name AS caregiver_name,
        given.centre_id, o.item_code, given.starts_at, given.ends_at, o.licences, o.is_urgent,
        c.left_at, c.institution_id, given.passed
    FROM (
        SELECT 'booking' AS kind, id, order_id, resident_id, caregiver_id, centre_id, area_code,
            starts_at, ends_at, coalesce(override->'issues', '[]') ? 'not_on_shift' AS passed
        FROM booking WHERE is_active AND starts_at > :now
        UNION ALL
        SELECT 'offer', id, order_id, resident_id, caregiver_id, centre_id, area_code, starts_at, ends_at, false
        FROM offer WHERE status IN ('sent', 'viewed') AND expires_at > :now AND starts_at > :now
    ) given
    JOIN caregiver c ON c.id = given.caregiver_id
    JOIN service_order o ON o.id = given.order_id
    WHERE given.area_code LIKE :area
        AND (CAST(:centre_id AS uuid) IS NULL OR given.centre_id = :centre_id)
        AND (CAST(:institution_id AS uuid) IS NULL OR c.institution_id = :institution_id)
    ORDER BY given.starts_at, given.id
    LIMIT :limit
    """
).bindparams(
    bindparam("now", type_=UtcDateTime()),
    bindparam("centre_id", type_=Uuid()),
    bindparam("institution_id", type_=Uuid()),
)


async def work_ahead(
    work: Work, limit: int, centre_id: UUID | None = None, institution_id: UUID | None = None
) -> Sequence[RowMapping]:
    """Active bookings and open offers that have not begun, in the actor's area, by start."""
    found = await work.sql(
        _AHEAD,
        {
            "now": work.now,
            "centre_id": centre_id,
            "institution_id": institution_id,
            "area": walls(work.actor)["area"],
            "limit": limit,
        },
    )
    return found.mappings().all()
