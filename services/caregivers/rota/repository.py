"""SQL of shifts and templates."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import col, or_, select

from services.caregivers.models import Absence, Caregiver, RotaTemplate, Shift
from services.caregivers.states import AbsenceStatus, ShiftStatus
from services.core.database import Work
from services.core.scope import within


async def caregiver_behind(work: Work, shift_id: UUID) -> UUID | None:
    """Whose shift it is, where it lies in reach."""
    query = select(Shift.caregiver_id).where(*within(work.actor, Shift.area_code), Shift.id == shift_id)
    return (await work.session.exec(query)).one_or_none()


async def lock_shift(work: Work, shift_id: UUID) -> Shift:
    """A shift that is known to be in reach, locked and read anew; the caregiver's lock comes first."""
    query = select(Shift).where(Shift.id == shift_id).with_for_update()
    return (await work.session.exec(query.execution_options(populate_existing=True))).one()


async def shifts_touching(
    work: Work,
    caregiver_ids: Collection[UUID],
    since: datetime,
    until: datetime,
    statuses: Collection[ShiftStatus] = (ShiftStatus.DRAFT, ShiftStatus.PUBLISHED),
) -> Sequence[Shift]:
    """Shifts of some caregivers that touch a stretch of time, by start."""
    query = (
        select(Shift)
        .where(
            *within(work.actor, Shift.area_code),
            col(Shift.caregiver_id).in_(caregiver_ids),
            col(Shift.status).in_(statuses),
            col(Shift.ends_at) > since,
            col(Shift.starts_at) < until,
        )
        .order_by(col(Shift.starts_at), col(Shift.id))
        .execution_options(populate_existing=True)
    )
    return (await work.session.exec(query)).all()


async def absences_touching(
    work: Work, caregiver_ids: Collection[UUID], since: datetime, until: datetime
) -> Sequence[Absence]:
    """Requested and approved absences of some caregivers that touch a stretch of time, by start."""
    query = (
        select(Absence)
        .where(
            *within(work.actor, Absence.area_code),
            col(Absence.caregiver_id).in_(caregiver_ids),
            col(Absence.status).in_([AbsenceStatus.REQUESTED, AbsenceStatus.APPROVED]),
            col(Absence.ends_at) > since,
            col(Absence.starts_at) < until,
        )
        .order_by(col(Absence.starts_at), col(Absence.id))
    )
    return (await work.session.exec(query)).all()


async def team_of(work: Work, centre_id: UUID, ids: Collection[UUID] | None = None) -> Sequence[Caregiver]:
    """Who works at a centre in reach and has not left by now; all, or some by id."""
    query = select(Caregiver).where(
        *within(work.actor, Caregiver.area_code),
        Caregiver.centre_id == centre_id,
        or_(col(Caregiver.left_at).is_(None), col(Caregiver.left_at) > work.now),
    )
    if ids is not None:
        query = query.where(col(Caregiver.id).in_(ids))
    query = query.order_by(col(Caregiver.id)).execution_options(populate_existing=True)
    return (await work.session.exec(query)).all()


async def find_template(work: Work, template_id: UUID, *, lock: bool = False) -> RotaTemplate | None:
    """One template in reach."""
    query = select(RotaTemplate).where(*within(work.actor, RotaTemplate.area_code), RotaTemplate.id == template_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return (await work.session.exec(query)).one_or_none()


async def page_of_templates(
    work: Work, centre_id: UUID | None, limit: int, before: UUID | None
) -> Sequence[RotaTemplate]:
    """Templates in reach, newest first, ended ones too."""
    query = select(RotaTemplate).where(*within(work.actor, RotaTemplate.area_code))
    if centre_id is not None:
        query = query.where(RotaTemplate.centre_id == centre_id)
    if before is not None:
        query = query.where(col(RotaTemplate.id) < before)
    return (await work.session.exec(query.order_by(col(RotaTemplate.id).desc()).limit(limit))).all()
