"""The SQL of the workload, always inside the actor's walls."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from services.caregivers.models import Caregiver, Shift, ShiftKind
from services.caregivers.states import ShiftStatus
from services.core.database import Work
from services.core.scope import walls, within
from services.workload.models import AllowanceRate, WorkEntry, WorkKind


class Sum(NamedTuple):
    """A caregiver's month in one kind and category."""

    caregiver_id: UUID
    caregiver_name: str
    centre_id: UUID
    kind: WorkKind
    category: str | None
    units: int
    minutes: int
    amount_fen: int
    without_rate: int


async def rates_of(work: Work, county: str, kind: WorkKind) -> Sequence[AllowanceRate]:
    """Every rate that a county has set for a kind of work."""
    statement = select(AllowanceRate).where(AllowanceRate.area_code == county, AllowanceRate.kind == kind)
    return (await work.session.exec(statement)).all()


async def all_rates(work: Work, county: str) -> Sequence[AllowanceRate]:
    """Every rate, newest first."""
    statement = (
        select(AllowanceRate)
        .where(AllowanceRate.area_code == county)
        .order_by(col(AllowanceRate.effective_from).desc(), col(AllowanceRate.id).desc())
    )
    return (await work.session.exec(statement)).all()


async def entries_of(work: Work, kind: WorkKind, source_id: UUID) -> Sequence[WorkEntry]:
    """Everything written for one source, in turn."""
    statement = (
        select(WorkEntry)
        .where(WorkEntry.kind == kind, WorkEntry.source_id == source_id)
        .order_by(col(WorkEntry.turn))
    )
    return (await work.session.exec(statement)).all()


async def add_entries(work: Work, entries: Sequence[WorkEntry]) -> None:
    """Write entries; those that stand already are left alone."""
    rows = [entry.model_dump() for entry in entries]
    if rows:
        await work.sql(insert(WorkEntry).values(rows).on_conflict_do_nothing(constraint="work_entry_once"))


async def passed_on_call(work: Work, since: datetime, limit: int) -> list[tuple[Shift, Caregiver]]:
    """Stretches on call that have ended and are not written down, oldest first."""
    written = select(WorkEntry.source_id).where(WorkEntry.kind == WorkKind.ON_CALL)
    statement = (
        select(Shift, Caregiver)
        .join(Caregiver, col(Caregiver.id) == col(Shift.caregiver_id))
        .where(
            Shift.kind == ShiftKind.ON_CALL,
            Shift.status == ShiftStatus.PUBLISHED,
            col(Shift.ends_at) <= work.now,
            col(Shift.ends_at) > since,
            col(Shift.id).not_in(written),
        )
        .order_by(col(Shift.ends_at))
        .limit(limit)
    )
    return [(shift, caregiver) for shift, caregiver in (await work.session.exec(statement)).all()]


_SUMS = text(
    """
    SELECT e.caregiver_id, c.name, e.centre_id, e.kind, e.category, sum(e.units), sum(e.minutes),
        coalesce(sum(e.amount_fen), 0), sum(CASE WHEN e.amount_fen IS NULL THEN sign(e.units) ELSE 0 END)
    FROM work_entry e JOIN caregiver c ON c.id = e.caregiver_id
    WHERE e.month = :month AND e.area_code LIKE :area
        AND (CAST(:centre_id AS uuid) IS NULL OR e.centre_id = :centre_id)
        AND (CAST(:caregiver_id AS uuid) IS NULL OR e.caregiver_id = :caregiver_id)
    GROUP BY e.caregiver_id, c.name, e.centre_id, e.kind, e.category
    ORDER BY c.name, e.caregiver_id, e.kind, e.category
    """
)


async def sums_of_month(work: Work, month: str, centre_id: UUID | None, caregiver_id: UUID | None) -> list[Sum]:
    """A month's work by caregiver, kind and category."""
    found = {
        "month": month,
        "area": walls(work.actor)["area"],
        "centre_id": centre_id,
        "caregiver_id": caregiver_id,
    }
    rows = (await work.sql(_SUMS, found)).all()
    return [
        Sum(caregiver, name, centre, WorkKind(kind), category, int(units), int(minutes), int(fen), int(without))
        for caregiver, name, centre, kind, category, units, minutes, fen, without in rows
    ]


async def caregiver_of(work: Work, caregiver_id: UUID) -> Caregiver | None:
    """A caregiver in reach."""
    statement = select(Caregiver).where(Caregiver.id == caregiver_id, *within(work.actor, Caregiver.area_code))
    return (await work.session.exec(statement)).one_or_none()
