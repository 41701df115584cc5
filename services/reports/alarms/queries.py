"""The facts behind the figures, inside the actor's area. No resident is named in them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping, Uuid, bindparam, text

from services.alerts.models import AlertKind
from services.core.database import Work
from services.core.scope import walls
from services.reports.alarms.figures import AlertFacts

_FACTS = text(
    """
    SELECT a.centre_id, a.kind, a.received_at, a.acknowledged_at,
        coalesce(a.responding_at, a.on_scene_at) AS dispatched_at,
        coalesce(a.resolved_at, a.cancelled_at) AS ended_at, a.resolution,
        a.cancelled_at IS NOT NULL AS was_cancelled
    FROM alert a
    WHERE a.received_at >= :start AND a.received_at < :end AND a.area_code LIKE :area
        AND (:centre_id IS NULL OR a.centre_id = :centre_id)
    """
).bindparams(bindparam("centre_id", type_=Uuid()))
_CENTRES = text(
    "SELECT id, name_zh, name_en FROM centre WHERE area_code LIKE :area"
    " AND (:centre_id IS NULL OR id = :centre_id) ORDER BY area_code, id"
).bindparams(bindparam("centre_id", type_=Uuid()))
# "Closed" is resolved by a person with a reason; what the resident took back is neither true nor false.
_CLOSED = """
    FROM alert a JOIN terminal t ON t.id = a.terminal_id
    WHERE a.received_at >= :start AND a.received_at < :end AND a.area_code LIKE :area
        AND a.status IN ('resolved', 'reviewed') AND a.resolution IS NOT NULL AND a.cancelled_at IS NULL
"""
_BY_KIND = text(f"SELECT a.kind, a.resolution, count(*) AS count {_CLOSED} GROUP BY 1, 2 ORDER BY 1, 2")
_BY_PROFILE = text(
    f"SELECT t.profile_id, a.resolution, count(*) AS count {_CLOSED}"
    " AND (:profile_id IS NULL OR t.profile_id = :profile_id) GROUP BY 1, 2 ORDER BY 1, 2"
).bindparams(bindparam("profile_id", type_=Uuid()))
_PROFILES = text("SELECT id, code, name_zh, name_en FROM terminal_profile ORDER BY code")
_WORST = text(
    f"""
    SELECT t.id AS terminal_id, t.serial, t.kind, t.profile_id, count(*) AS closed,
        count(*) FILTER (WHERE starts_with(a.resolution, 'false_')) AS "false"
    {_CLOSED} AND a.resolution <> 'test'
    GROUP BY t.id, t.serial, t.kind, t.profile_id
    HAVING count(*) FILTER (WHERE starts_with(a.resolution, 'false_')) > 0
    ORDER BY "false" DESC, closed, t.id LIMIT :limit
    """
)


def _span(work: Work, start: datetime, end: datetime) -> dict[str, object]:
    return {"start": start, "end": end, "area": walls(work.actor)["area"]}


async def alert_facts(work: Work, start: datetime, end: datetime, centre_id: UUID | None) -> list[AlertFacts]:
    """Every alert that was received in [start, end)."""
    rows = await work.sql(_FACTS, {**_span(work, start, end), "centre_id": centre_id})
    return [AlertFacts(row[0], AlertKind(row[1]), *row[2:]) for row in rows]


async def centres(work: Work, centre_id: UUID | None) -> Sequence[RowMapping]:
    """The centres of the actor's area: also those without an alert are in the figures."""
    values = {"area": walls(work.actor)["area"], "centre_id": centre_id}
    return (await work.sql(_CENTRES, values)).mappings().all()


async def closed_by_kind(work: Work, start: datetime, end: datetime) -> Sequence[RowMapping]:
    """Closed alerts of terminals by kind and resolution."""
    return (await work.sql(_BY_KIND, _span(work, start, end))).mappings().all()


async def closed_by_profile(
    work: Work, start: datetime, end: datetime, profile_id: UUID | None
) -> Sequence[RowMapping]:
    """Closed alerts of terminals by profile and resolution."""
    return (await work.sql(_BY_PROFILE, {**_span(work, start, end), "profile_id": profile_id})).mappings().all()


async def profiles(work: Work) -> Sequence[RowMapping]:
    """Every profile of terminals by name."""
    return (await work.sql(_PROFILES)).mappings().all()


async def worst_terminals(work: Work, start: datetime, end: datetime, limit: int) -> Sequence[RowMapping]:
    """Terminals with the most false alarms."""
    return (await work.sql(_WORST, {**_span(work, start, end), "limit": limit})).mappings().all()
