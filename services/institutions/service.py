"""Provider institutions: admitting, reviewing, suspending, letting go, and warning before a date passes."""

from datetime import date
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from services.core.clock import BUSINESS_ZONE
from services.core.constraints import violates
from services.core.database import Work
from services.core.errors import NotFound
from services.core.versions import expect_version
from services.events import InstitutionDue, InstitutionMoved, InstitutionSuspended
from services.institutions import repository
from services.institutions.errors import LicenceOnFile
from services.institutions.models import (
    Institution,
    InstitutionChange,
    InstitutionFields,
    InstitutionPublic,
    InstitutionReview,
    InstitutionSummary,
    NewInstitution,
    NewReview,
    ReviewPublic,
    ReviewResult,
)
from services.institutions.standing import closed_because, due_dates, furthest_warning, has_run_out
from services.institutions.states import INSTITUTION, InstitutionStatus

_FIELDS = tuple(InstitutionFields.model_fields)


async def list_institutions(work: Work, limit: int, before: UUID | None) -> list[InstitutionSummary]:
    """The county's institutions, newest first: everybody who plans may know who takes work."""
    rows = await repository.page_of_institutions(work, limit, before)
    return [InstitutionSummary(**_summary(row, _today(work))) for row in rows]


async def read_institution(work: Work, institution_id: UUID) -> InstitutionPublic:
    """One institution's file; ``NotFound`` outside the actor's area."""
    row = await repository.find_institution(work, institution_id)
    if row is None:
        raise NotFound
    return shown(work, row)


async def admit(work: Work, new: NewInstitution) -> InstitutionPublic:
    """Take an institution on. ``NotFound`` for an area out of reach, ``LicenceOnFile`` for one that is there."""
    area_code = new.area_code or work.actor.area_code
    if not work.actor.covers_area(area_code):
        raise NotFound
    facts = new.model_dump(exclude={"area_code"})
    row = Institution(**facts, area_code=area_code, status=InstitutionStatus.ACTIVE, created_at=work.now)
    work.session.add(row)
    await _flush(work)
    INSTITUTION.begin(work, row)
    _keep(work, row)
    _tell(work, row)
    return shown(work, row)


async def change(
    work: Work, institution_id: UUID, fields: InstitutionFields, if_match: int | None
) -> InstitutionPublic:
    """Write the file anew; what it said before stays on record. Whoever may no longer take work, from now on."""
    row = await _locked(work, institution_id)
    expect_version(row, if_match)
    was_open = not closed_because(row, _today(work))
    for name in _FIELDS:
        setattr(row, name, getattr(fields, name))
    row.version += 1
    await repository.hold_caregivers(work, row.id)
    await _flush(work)
    _keep(work, row)
    because = closed_because(row, _today(work))
    if was_open and because:
        _close(work, row, because[0])
    return shown(work, row)


async def suspend(work: Work, institution_id: UUID, reason: str, if_match: int | None) -> InstitutionPublic:
    """No new work from this minute; what its people have is listed to be moved. A repeat changes nothing."""
    return await _move(work, institution_id, InstitutionStatus.SUSPENDED, reason, if_match)


async def resume(work: Work, institution_id: UUID, reason: str, if_match: int | None) -> InstitutionPublic:
    """Take a suspension back. A repeat changes nothing."""
    return await _move(work, institution_id, InstitutionStatus.ACTIVE, reason, if_match)


async def let_go(work: Work, institution_id: UUID, reason: str, if_match: int | None) -> InstitutionPublic:
    """It leaves for good. A repeat changes nothing."""
    return await _move(work, institution_id, InstitutionStatus.EXITED, reason, if_match)


async def record_review(
    work: Work, institution_id: UUID, new: NewReview, if_match: int | None = None
) -> InstitutionPublic:
    """The outcome of a yearly review and the next day it is due. A failed one suspends at once."""
    row = await _locked(work, institution_id)
    expect_version(row, if_match)
    work.session.add(
        InstitutionReview(
            institution_id=row.id,
            area_code=row.area_code,
            **new.model_dump(),
            account_id=work.actor.account_id,
            at=work.now,
        )
    )
    row.review_due = new.next_due
    row.version += 1
    _keep(work, row)
    if new.result is ReviewResult.FAILED and row.status is InstitutionStatus.ACTIVE:
        await _enter(work, row, InstitutionStatus.SUSPENDED, "review_failed")
    await work.session.flush()
    return shown(work, row)


async def list_reviews(work: Work, institution_id: UUID, limit: int, before: UUID | None) -> list[ReviewPublic]:
    """Its yearly reviews, newest first."""
    if await repository.find_institution(work, institution_id) is None:
        raise NotFound
    rows = await repository.reviews_of(work, institution_id, limit, before)
    return [ReviewPublic.model_validate(row) for row in rows]


async def warn_of_dates(work: Work) -> int:
    """Warn before licence, agreement and review come to their day; say so when one has run out. Gives how many.

    Once for each institution, date and number of days, however often and however late the worker looks.
    """
    today = _today(work)
    told = 0
    for row in await repository.with_dates_until(work, furthest_warning(today)):
        for due in due_dates(row, today):
            if await repository.add_warning(work, row, due):
                told += 1
                work.record(
                    InstitutionDue(
                        area_code=row.area_code,
                        institution_id=row.id,
                        what=str(due.what),
                        due_on=due.on,
                        days=due.days,
                    )
                )
        for due in has_run_out(row, today):
            if await repository.add_warning(work, row, due):
                told += 1
                _close(work, row, f"{due.what}_not_valid")
    return told


def shown(work: Work, row: Institution) -> InstitutionPublic:
    """An institution's file as the API shows it."""
    today = _today(work)
    return InstitutionPublic(
        **_summary(row, today),
        **{name: getattr(row, name) for name in _FIELDS if name not in InstitutionSummary.model_fields},
        review_overdue=row.review_due < today,
        created_at=row.created_at,
        version=row.version,
    )


def _summary(row: Institution, day: date) -> dict[str, object]:
    because = closed_because(row, day)
    return {
        "id": row.id,
        "area_code": row.area_code,
        "name": row.name,
        "kind": row.kind,
        "is_public": row.is_public,
        "status": row.status,
        "takes_work": not because,
        "closed_because": because,
    }


async def _move(
    work: Work, institution_id: UUID, target: InstitutionStatus, reason: str, if_match: int | None
) -> InstitutionPublic:
    row = await _locked(work, institution_id)
    if row.status is not target:
        expect_version(row, if_match)
        await _enter(work, row, target, reason)
        await work.session.flush()
    return shown(work, row)


async def _enter(work: Work, row: Institution, target: InstitutionStatus, reason: str) -> None:
    # Whoever books one of its people at this moment has done so before, or waits and then sees the new status.
    await repository.hold_caregivers(work, row.id)
    INSTITUTION.move(work, row, target, reason)
    _tell(work, row)
    if target is not InstitutionStatus.ACTIVE:
        _close(work, row, str(target))


async def _locked(work: Work, institution_id: UUID) -> Institution:
    row = await repository.find_institution(work, institution_id, lock=True)
    if row is None:
        raise NotFound
    return row


async def _flush(work: Work) -> None:
    try:
        await work.session.flush()
    except IntegrityError as error:
        if violates(error, "institution_licence"):
            raise LicenceOnFile(field="licence_number") from error
        raise


def _close(work: Work, row: Institution, why: str) -> None:
    work.record(InstitutionSuspended(area_code=row.area_code, institution_id=row.id, why=why))


def _tell(work: Work, row: Institution) -> None:
    work.record(InstitutionMoved(area_code=row.area_code, institution_id=row.id, status=str(row.status)))


def _keep(work: Work, row: Institution) -> None:
    document = {name: getattr(row, name) for name in _FIELDS}
    work.session.add(
        InstitutionChange(
            institution_id=row.id,
            area_code=row.area_code,
            version=row.version,
            document=InstitutionFields.model_validate(document).model_dump(mode="json"),
            account_id=work.actor.account_id,
            at=work.now,
        )
    )


def _today(work: Work) -> date:
    return work.now.astimezone(BUSINESS_ZONE).date()
