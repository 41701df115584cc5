"""Leave, training and sickness: asked for, decided, changed, taken back.

The caregiver is held first, as booking does: nobody is booked into an absence that is just coming into force.
What is booked in it already is told in the answer, and to dispatch by ``CaregiverAbsent``.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from services.caregivers import repository as caregivers
from services.caregivers.absences import repository
from services.caregivers.absences.models import (
    AbsenceChange,
    AbsencePublic,
    AbsenceSaved,
    Decision,
    NewAbsence,
)
from services.caregivers.errors import AbsenceIsPast, AbsenceOverlaps, HasLeft
from services.caregivers.log import note
from services.caregivers.models import Absence, AbsenceKind, Caregiver
from services.caregivers.rota.models import BookedVisit
from services.caregivers.states import ABSENCE, AbsenceStatus
from services.core.actor import Role
from services.core.database import Work
from services.core.errors import InvalidInput, NotFound
from services.core.versions import expect_version
from services.events import AbsenceMoved, CaregiverAbsent

LATEST_REPORT = timedelta(days=3)
"""How long after its beginning a sickness may still be reported; project default."""
LONGEST = timedelta(days=366)

_S = AbsenceStatus


async def request_absence(work: Work, caregiver_id: UUID, new: NewAbsence) -> AbsenceSaved:
    """Ask for leave or training, or report sickness, which is in force at once.

    ``AbsenceOverlaps`` beside another of the kind, ``AbsenceIsPast``, ``HasLeft``, ``NotFound``.
    """
    caregiver = await caregivers.locked_caregiver(work, caregiver_id)
    _check(work, caregiver, new)
    if await repository.has_one_of_kind(work, caregiver.id, new.kind, new.starts_at, new.ends_at):
        raise AbsenceOverlaps
    is_sick = new.kind is AbsenceKind.SICK
    row = Absence(
        caregiver_id=caregiver.id,
        centre_id=caregiver.centre_id,
        area_code=caregiver.area_code,
        kind=new.kind,
        status=_S.APPROVED if is_sick else _S.REQUESTED,
        starts_at=new.starts_at,
        ends_at=new.ends_at,
        note=new.note,
        requested_by=work.actor.account_id,
        requested_at=work.now,
    )
    work.session.add(row)
    ABSENCE.begin(work, row)
    note(work, caregiver, f"absence_{row.status}", [str(new.kind)], subject_id=row.id)
    if is_sick:
        _come_into_force(work, row, row.starts_at, row.ends_at)
    _tell(work, row)
    return await _saved(work, row)


async def approve(work: Work, absence_id: UUID, decision: Decision, if_match: int | None) -> AbsenceSaved:
    """The manager agrees: in force from now on. A repeat changes nothing."""
    return await _decide(work, absence_id, _S.APPROVED, decision, if_match)


async def decline(work: Work, absence_id: UUID, decision: Decision, if_match: int | None) -> AbsenceSaved:
    """The manager does not. A repeat changes nothing."""
    return await _decide(work, absence_id, _S.DECLINED, decision, if_match)


async def withdraw(work: Work, absence_id: UUID, if_match: int | None) -> AbsenceSaved:
    """Take it back before it is over; what lies behind stays an absence. A repeat changes nothing."""
    caregiver, row = await _locked(work, absence_id)
    if row.status is _S.WITHDRAWN:
        return await _saved(work, row)
    expect_version(row, if_match)
    if row.ends_at <= work.now:
        raise AbsenceIsPast
    if row.status is _S.APPROVED and row.starts_at < work.now:
        row.ends_at = work.now
        row.version += 1
    else:
        ABSENCE.move(work, row, _S.WITHDRAWN)
    note(work, caregiver, "absence_withdrawn", subject_id=row.id)
    _tell(work, row)
    return await _saved(work, row)


async def change_end(work: Work, absence_id: UUID, wish: AbsenceChange, if_match: int | None) -> AbsenceSaved:
    """Back sooner, or later. A caregiver herself changes her sickness only; leave is agreed with the manager."""
    caregiver, row = await _locked(work, absence_id)
    expect_version(row, if_match)
    if row.status not in (_S.REQUESTED, _S.APPROVED) or row.ends_at <= work.now:
        raise AbsenceIsPast
    if work.actor.role is Role.CAREGIVER and row.kind is not AbsenceKind.SICK and row.status is _S.APPROVED:
        raise InvalidInput("approved leave is changed by the manager", field="ends_at")
    if wish.ends_at <= max(row.starts_at, work.now) or wish.ends_at - row.starts_at > LONGEST:
        raise InvalidInput("must lie ahead, after the start and within a year", field="ends_at")
    if await repository.has_one_of_kind(work, caregiver.id, row.kind, row.starts_at, wish.ends_at, row.id):
        raise AbsenceOverlaps
    before, row.ends_at = row.ends_at, wish.ends_at
    row.version += 1
    note(work, caregiver, "absence_changed", ["ends_at"], subject_id=row.id)
    if row.status is _S.APPROVED and before < row.ends_at:
        _come_into_force(work, row, before, row.ends_at)
    _tell(work, row)
    return await _saved(work, row)


async def list_absences(
    work: Work, limit: int, cursor: UUID | None, centre_id: UUID | None, statuses: Sequence[AbsenceStatus]
) -> list[AbsencePublic]:
    """Absences in reach, newest first; a caregiver's own."""
    rows = await repository.page_of_absences(work, limit, cursor, centre_id, statuses)
    return [_shown(work, row) for row in rows]


async def _decide(
    work: Work, absence_id: UUID, target: AbsenceStatus, decision: Decision, if_match: int | None
) -> AbsenceSaved:
    caregiver, row = await _locked(work, absence_id)
    if row.status is target:
        return await _saved(work, row)
    expect_version(row, if_match)
    if row.ends_at <= work.now:
        raise AbsenceIsPast
    ABSENCE.move(work, row, target, decision.note or None)
    row.decided_by, row.decided_at, row.decision_note = work.actor.account_id, work.now, decision.note
    note(work, caregiver, f"absence_{target}", subject_id=row.id)
    if target is _S.APPROVED:
        _come_into_force(work, row, row.starts_at, row.ends_at)
    _tell(work, row)
    return await _saved(work, row)


async def _locked(work: Work, absence_id: UUID) -> tuple[Caregiver, Absence]:
    seen = await repository.find_absence(work, absence_id)
    if seen is None:
        raise NotFound
    caregiver = await caregivers.locked_caregiver(work, seen.caregiver_id)
    row = await repository.find_absence(work, absence_id, lock=True)
    if row is None:
        raise NotFound
    return caregiver, row


def _check(work: Work, caregiver: Caregiver, new: NewAbsence) -> None:
    earliest = work.now - LATEST_REPORT if new.kind is AbsenceKind.SICK else work.now
    if new.starts_at < earliest or new.ends_at <= work.now:
        raise AbsenceIsPast
    if new.ends_at - new.starts_at > LONGEST:
        raise InvalidInput("an absence is at most a year", field="ends_at")
    if caregiver.left_at is not None and caregiver.left_at <= work.now:
        raise HasLeft


def _come_into_force(work: Work, row: Absence, starts_at: datetime, ends_at: datetime) -> None:
    work.record(
        CaregiverAbsent(
            area_code=row.area_code,
            centre_id=row.centre_id,
            caregiver_id=row.caregiver_id,
            starts_at=starts_at,
            ends_at=ends_at,
        )
    )


def _tell(work: Work, row: Absence) -> None:
    work.record(
        AbsenceMoved(
            area_code=row.area_code,
            centre_id=row.centre_id,
            absence_id=row.id,
            caregiver_id=row.caregiver_id,
            kind=str(row.kind),
            status=str(row.status),
            starts_at=row.starts_at,
            ends_at=row.ends_at,
        )
    )


def _shown(work: Work, row: Absence) -> AbsencePublic:
    shown = AbsencePublic.model_validate(row)
    if work.actor.role not in (Role.CENTRE_MANAGER, Role.CAREGIVER):
        shown.note = ""
    return shown


async def _saved(work: Work, row: Absence) -> AbsenceSaved:
    await work.session.flush()
    visits = []
    if row.status in (_S.REQUESTED, _S.APPROVED):
        since = max(row.starts_at, work.now)
        visits = list(await caregivers.booked_between(work, [row.caregiver_id], since, row.ends_at))
    to_move = [BookedVisit.model_validate(one) for one in visits]
    return AbsenceSaved(**_shown(work, row).model_dump(), to_move=to_move)
