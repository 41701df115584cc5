"""SQL of absences."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from services.caregivers.models import Absence, AbsenceKind
from services.caregivers.states import AbsenceStatus
from services.core.actor import Role
from services.core.database import Work
from services.core.scope import within


def _reach(work: Work) -> SelectOfScalar[Absence]:
    """A caregiver reaches her own."""
    query = select(Absence).where(*within(work.actor, Absence.area_code))
    if work.actor.role is Role.CAREGIVER:
        query = query.where(Absence.caregiver_id == work.actor.person_id)
    return query


async def find_absence(work: Work, absence_id: UUID, *, lock: bool = False) -> Absence | None:
    """One absence in reach."""
    query = _reach(work).where(Absence.id == absence_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return (await work.session.exec(query)).one_or_none()


async def page_of_absences(
    work: Work,
    limit: int,
    before: UUID | None,
    centre_id: UUID | None,
    statuses: Sequence[AbsenceStatus],
) -> Sequence[Absence]:
    """Absences in reach, newest first."""
    query = _reach(work)
    if centre_id is not None:
        query = query.where(Absence.centre_id == centre_id)
    if statuses:
        query = query.where(col(Absence.status).in_(statuses))
    if before is not None:
        query = query.where(col(Absence.id) < before)
    return (await work.session.exec(query.order_by(col(Absence.id).desc()).limit(limit))).all()


async def has_one_of_kind(
    work: Work,
    caregiver_id: UUID,
    kind: AbsenceKind,
    starts_at: datetime,
    ends_at: datetime,
    but: UUID | None = None,
) -> bool:
    """Whether a locked caregiver has a requested or approved absence of a kind in a stretch of time."""
    query = select(Absence.id).where(
        Absence.caregiver_id == caregiver_id,
        Absence.kind == kind,
        col(Absence.status).in_([AbsenceStatus.REQUESTED, AbsenceStatus.APPROVED]),
        col(Absence.ends_at) > starts_at,
        col(Absence.starts_at) < ends_at,
    )
    if but is not None:
        query = query.where(Absence.id != but)
    return (await work.session.exec(query.limit(1))).first() is not None
