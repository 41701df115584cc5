"""SQL about test calls."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import RowMapping, bindparam, text

from services.core.database import Work
from services.core.scope import RESIDENTS, walls

_ADD: Final = text(
    "INSERT INTO terminal_test (id, terminal_id, area_code, at, how, ok)"
    " SELECT :id, id, area_code, CAST(:at AS timestamptz), :how, :ok FROM terminal WHERE id = :terminal_id"
    " ON CONFLICT ON CONSTRAINT terminal_test_once DO NOTHING"
)
# Who was tested in time needs no row of its own: what is due follows from the last test and the profile.
_DUE: Final = """
    SELECT t.id AS terminal_id, t.serial, t.kind, t.area_code, t.centre_id, t.resident_id, t.room,
        last.at AS last_test_at,
        greatest(last.at, bound.at) + make_interval(days => p.test_interval_days) AS due_at
    FROM terminal t
    JOIN terminal_profile p ON p.id = t.profile_id AND p.test_interval_days IS NOT NULL
    JOIN LATERAL (
        SELECT max(b.bound_at) AS at FROM terminal_binding b WHERE b.terminal_id = t.id AND b.unbound_at IS NULL
    ) bound ON true
    LEFT JOIN LATERAL (
        SELECT max(x.at) AS at FROM terminal_test x WHERE x.terminal_id = t.id AND x.ok
    ) last ON true
    WHERE t.status = 'bound'
"""
_OVERDUE: Final = text(
    f"""
    SELECT due.*, floor(extract(epoch FROM CAST(:now AS timestamptz) - due_at) / 86400)::int AS days_overdue
    FROM ({_DUE}) due
    WHERE due_at < :now AND centre_id = :centre_id AND area_code LIKE :area
        AND (:residents IS NULL OR resident_id = ANY(:residents))
        AND (CAST(:cursor AS uuid) IS NULL OR terminal_id < :cursor)
    ORDER BY terminal_id DESC LIMIT :limit
    """  # noqa: S608  only our own query is put in
).bindparams(bindparam("residents", type_=RESIDENTS))
_COUNT: Final = text(
    f"""
    SELECT count(*) FROM ({_DUE}) due
    WHERE due_at < :now AND centre_id = :centre_id AND area_code LIKE :area
        AND (:residents IS NULL OR resident_id = ANY(:residents))
    """  # noqa: S608  only our own query is put in
).bindparams(bindparam("residents", type_=RESIDENTS))
_CENTRES: Final = text(
    f"""
    SELECT c.id, c.area_code, count(*) AS overdue,
        count(*) FILTER (WHERE d.sent_at IS NULL OR due_at > d.sent_at) AS fresh
    FROM ({_DUE}) due
    JOIN centre c ON c.id = due.centre_id
    LEFT JOIN test_digest d ON d.centre_id = c.id
    WHERE due_at < :now AND (d.sent_at IS NULL OR d.sent_at < :day_start)
    GROUP BY c.id, c.area_code
    HAVING bool_or(d.sent_at IS NULL OR due_at > d.sent_at)
    ORDER BY c.id
    """  # noqa: S608  only our own query is put in
)
_SENT: Final = text(
    "INSERT INTO test_digest (centre_id, area_code, sent_at) VALUES (:centre_id, :area_code, :now)"
    " ON CONFLICT (centre_id) DO UPDATE SET sent_at = excluded.sent_at WHERE test_digest.sent_at < :day_start"
    " RETURNING centre_id"
)


class CentreOverdue(NamedTuple):
    """How many test calls a centre is waiting for, and how many of them since its last digest."""

    centre_id: UUID
    area_code: str
    overdue: int
    fresh: int


async def add_test(work: Work, values: dict[str, Any]) -> None:
    """Store a test once."""
    await work.sql(_ADD, values)


async def overdue(work: Work, centre_id: UUID, limit: int, cursor: UUID | None) -> Sequence[RowMapping]:
    """Overdue terminals of a centre within the actor's walls."""
    values = {"now": work.now, "centre_id": centre_id, "limit": limit, "cursor": cursor, **walls(work.actor)}
    return (await work.sql(_OVERDUE, values)).mappings().all()


async def count_overdue(work: Work, centre_id: UUID) -> int:
    """How many there are."""
    values = {"now": work.now, "centre_id": centre_id, **walls(work.actor)}
    return int((await work.sql(_COUNT, values)).scalar_one())


async def centres_with_fresh(work: Work, day_start: datetime) -> Sequence[CentreOverdue]:
    """Centres that have had no digest since ``day_start`` and where something fell due since their last one."""
    rows = await work.sql(_CENTRES, {"now": work.now, "day_start": day_start})
    return [CentreOverdue(*row) for row in rows]


async def take_digest(work: Work, centre_id: UUID, area_code: str, day_start: datetime) -> bool:
    """Take a centre's digest of today; ``False`` when another worker has it."""
    values = {"centre_id": centre_id, "area_code": area_code, "now": work.now, "day_start": day_start}
    return (await work.sql(_SENT, values)).one_or_none() is not None
