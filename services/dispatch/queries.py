"""Thin SQL for the facts of matching: a handful of round trips for a whole centre, no rows of the session."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Date, RowMapping, Uuid, bindparam, func, text
from sqlalchemy import select as select_columns
from sqlmodel import col

from services.caregivers.models import Caregiver
from services.core.columns import UtcDateTime
from services.core.database import Work
from services.core.geo import Point
from services.core.scope import within
from services.dispatch.facts import Job, Span
from services.residents.models import Resident
from services.visits.models import Visit
from services.visits.states import ENDED

_TIMES = (
    bindparam("ids", type_=ARRAY(Uuid())),
    bindparam("since", type_=UtcDateTime()),
    bindparam("until", type_=UtcDateTime()),
)
# Functions of the database (migration 0022): a helping centre must know when its own people are booked elsewhere.
_JOBS = text("SELECT * FROM caregiver_jobs(:ids, :since, :until)").bindparams(*_TIMES)
_MINUTES = text("SELECT * FROM caregiver_minutes(:ids, :since, :until)").bindparams(*_TIMES)
_KEPT_APART = text("SELECT caregiver FROM kept_apart_of(:order_id, :on_day)").bindparams(
    bindparam("order_id", type_=Uuid()), bindparam("on_day", type_=Date())
)

_PEOPLE = (
    col(Caregiver.id),
    col(Caregiver.name),
    col(Caregiver.gender),
    col(Caregiver.skills),
    col(Caregiver.dialects),
    col(Caregiver.travel_mode),
    col(Caregiver.home_latitude),
    col(Caregiver.home_longitude),
    col(Caregiver.left_at),
    col(Caregiver.practice_since),
    col(Caregiver.institution_id),
)


async def people_of(
    work: Work, centre_ids: Collection[UUID], ids: Collection[UUID] | None = None
) -> Sequence[RowMapping]:
    """Caregivers of some centres in reach, those who have left included; all, or some by id."""
    statement = (
        select_columns(*_PEOPLE)
        .where(col(Caregiver.centre_id).in_(centre_ids), *within(work.actor, Caregiver.area_code))
        .order_by(col(Caregiver.id))
    )
    if ids is not None:
        statement = statement.where(col(Caregiver.id).in_(ids))
    return (await work.sql(statement)).mappings().all()


async def jobs_between(
    work: Work, ids: Collection[UUID], since: datetime, until: datetime
) -> Mapping[UUID, list[Job]]:
    """Booked visits that touch a stretch of time, by caregiver and start; whoever's order it is."""
    jobs: dict[UUID, list[Job]] = defaultdict(list)
    rows: Any = (await work.sql(_JOBS, {"ids": list(ids), "since": since, "until": until})).all()
    for caregiver_id, order_id, starts_at, ends_at, latitude, longitude in rows:
        jobs[caregiver_id].append(Job(Span(starts_at, ends_at), Point(latitude, longitude), order_id))
    return jobs


async def minutes_between(
    work: Work, ids: Collection[UUID], since: datetime, until: datetime
) -> Mapping[UUID, int]:
    """Booked minutes of visits that begin within a stretch of time; who has none is left out."""
    rows: Any = (await work.sql(_MINUTES, {"ids": list(ids), "since": since, "until": until})).all()
    return {caregiver_id: round(minutes) for caregiver_id, minutes in rows}


async def earlier_visits(work: Work, resident_ids: Collection[UUID]) -> Mapping[tuple[UUID, UUID], int]:
    """How often each caregiver has been with each resident: (resident, caregiver) → ended visits."""
    statement = (
        select_columns(col(Visit.resident_id), col(Visit.caregiver_id), func.count())
        .where(col(Visit.resident_id).in_(resident_ids), col(Visit.status).in_(ENDED))
        .group_by(col(Visit.resident_id), col(Visit.caregiver_id))
    )
    return {(row[0], row[1]): row[2] for row in (await work.sql(statement)).all()}


async def kept_apart(work: Work, order_id: UUID, day: date) -> frozenset[UUID]:
    """The actor's own caregivers who must not come to the resident of another centre's order."""
    rows = await work.sql(_KEPT_APART, {"order_id": order_id, "on_day": day})
    return frozenset(rows.scalars().all())


async def dialects_of(work: Work, resident_ids: Collection[UUID]) -> Mapping[UUID, str]:
    """What residents in reach speak; a helping centre reads nobody."""
    statement = select_columns(col(Resident.id), col(Resident.dialect)).where(col(Resident.id).in_(resident_ids))
    return {row[0]: row[1] for row in (await work.sql(statement)).all()}


_MOVABLE = text(
    """
    SELECT o.id, o.item_code, o.lines->0->'item'->>'name_zh' AS item_name_zh,
        o.lines->0->'item'->>'name_en' AS item_name_en, o.window_start, o.window_end
    FROM service_order o
    WHERE o.id = ANY(:ids) AND o.status = 'assigned' AND NOT o.is_urgent AND o.caregivers_required = 1
    """
).bindparams(bindparam("ids", type_=ARRAY(Uuid())))


async def movable_orders(work: Work, ids: Collection[UUID]) -> Mapping[UUID, RowMapping]:
    """Of some orders in reach, those whose visit nobody has set out for, not urgent and for one person."""
    rows = (await work.sql(_MOVABLE, {"ids": list(ids)})).mappings().all()
    return {row["id"]: row for row in rows}
