"""SQL of institutions. Everybody of the county may know them; who changes one must cover its seat."""

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import Uuid, bindparam, or_, text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from services.core.database import Work
from services.core.scope import within
from services.institutions.models import Institution, InstitutionReview, InstitutionWarning
from services.institutions.standing import DueDate
from services.institutions.states import InstitutionStatus

# Caregivers belong to a later domain: only their keys are locked, so that nobody is booked meanwhile.
_HOLD_CAREGIVERS = text(
    "SELECT id FROM caregiver WHERE institution_id = :institution_id ORDER BY id FOR NO KEY UPDATE"
).bindparams(bindparam("institution_id", type_=Uuid()))


async def closed_institutions(work: Work, ids: Collection[UUID], day: date) -> frozenset[UUID]:
    """Those of some institutions whose people take no new work on a day of the business calendar.

    Suspended or exited now, or the licence or the agreement does not count on that day. An id that is not
    there is closed: work is not given on the strength of a file that nobody can see. Whoever books asks after
    locking the caregivers; ``suspend`` and ``let_go`` take the same locks.
    """
    if not ids:
        return frozenset()
    statement = select(Institution.id).where(
        col(Institution.id).in_(ids),
        Institution.status == InstitutionStatus.ACTIVE,
        col(Institution.licence_from) <= day,
        col(Institution.licence_until) >= day,
        col(Institution.agreement_from) <= day,
        col(Institution.agreement_until) >= day,
    )
    return frozenset(ids) - frozenset((await work.session.exec(statement)).all())


async def hold_caregivers(work: Work, institution_id: UUID) -> None:
    """Hold an institution's caregivers until the end: who books one of them meanwhile waits, and then sees it."""
    await work.sql(_HOLD_CAREGIVERS, {"institution_id": institution_id})


async def find_institution(work: Work, institution_id: UUID, *, lock: bool = False) -> Institution | None:
    """One institution that the actor covers."""
    query = select(Institution).where(*within(work.actor, Institution.area_code), Institution.id == institution_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return (await work.session.exec(query)).one_or_none()


async def institution_of_county(work: Work, institution_id: UUID) -> Institution | None:
    """One institution of the actor's county: what anybody there may point at."""
    county = work.actor.area_code[:6]
    query = select(Institution).where(Institution.id == institution_id)
    if not work.actor.is_system:
        query = query.where(col(Institution.area_code).startswith(county))
    return (await work.session.exec(query)).one_or_none()


async def page_of_institutions(work: Work, limit: int, before: UUID | None) -> Sequence[Institution]:
    """The institutions of the actor's county, newest first."""
    query = select(Institution).where(col(Institution.area_code).startswith(work.actor.area_code[:6]))
    if before is not None:
        query = query.where(col(Institution.id) < before)
    return (await work.session.exec(query.order_by(col(Institution.id).desc()).limit(limit))).all()


async def reviews_of(
    work: Work, institution_id: UUID, limit: int, before: UUID | None
) -> Sequence[InstitutionReview]:
    """Its yearly reviews, newest first."""
    query = select(InstitutionReview).where(
        *within(work.actor, InstitutionReview.area_code), InstitutionReview.institution_id == institution_id
    )
    if before is not None:
        query = query.where(col(InstitutionReview.id) < before)
    return (await work.session.exec(query.order_by(col(InstitutionReview.id).desc()).limit(limit))).all()


async def with_dates_until(work: Work, day: date) -> Sequence[Institution]:
    """Institutions that have not left and of which something falls due by a day."""
    query = select(Institution).where(
        Institution.status != InstitutionStatus.EXITED,
        or_(
            col(Institution.licence_until) <= day,
            col(Institution.agreement_until) <= day,
            col(Institution.review_due) <= day,
        ),
    )
    return (await work.session.exec(query.order_by(col(Institution.id)))).all()


async def add_warning(work: Work, institution: Institution, due: DueDate) -> bool:
    """Write down that a warning was given; ``False`` when it was given before."""
    statement = (
        insert(InstitutionWarning)
        .values(
            institution_id=institution.id,
            what=due.what,
            due_on=due.on,
            days=due.days,
            area_code=institution.area_code,
            at=work.now,
        )
        .on_conflict_do_nothing()
    )
    return (await work.sql(statement)).rowcount == 1
