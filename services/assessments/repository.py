"""The assessments' SQL, always inside the actor's walls."""

from collections.abc import Sequence
from datetime import date
from typing import TypeVar
from uuid import UUID

from sqlmodel import col, select

from services.assessments.models import AbilityAssessment, FirstAssessment, SelfCareRating
from services.core.database import Work
from services.core.scope import within

Kept = TypeVar("Kept", AbilityAssessment, FirstAssessment, SelfCareRating)


async def ability_on(work: Work, resident_id: UUID, day: date) -> AbilityAssessment | None:
    """The assessment that counts on a day: in its term, not withdrawn, the latest by its first day."""
    statement = (
        select(AbilityAssessment)
        .where(
            *within(work.actor, AbilityAssessment.area_code, AbilityAssessment.resident_id),
            AbilityAssessment.resident_id == resident_id,
            col(AbilityAssessment.valid_from) <= day,
            col(AbilityAssessment.valid_until) >= day,
            col(AbilityAssessment.withdrawn_at).is_(None),
        )
        .order_by(
            col(AbilityAssessment.valid_from).desc(),
            col(AbilityAssessment.assessed_on).desc(),
            col(AbilityAssessment.id).desc(),
        )
    )
    return (await work.session.exec(statement.limit(1))).first()


async def first_assessments(work: Work, resident_id: UUID) -> Sequence[FirstAssessment]:
    """Those of a resident that stand, newest first, whatever their term."""
    statement = (
        select(FirstAssessment)
        .where(
            *within(work.actor, FirstAssessment.area_code, FirstAssessment.resident_id),
            FirstAssessment.resident_id == resident_id,
            col(FirstAssessment.withdrawn_at).is_(None),
        )
        .order_by(col(FirstAssessment.assessed_on).desc(), col(FirstAssessment.id).desc())
    )
    return (await work.session.exec(statement)).all()


async def page_of(
    work: Work, kind: type[Kept], resident_id: UUID, limit: int, cursor: UUID | None
) -> Sequence[Kept]:
    """A resident's assessments of one kind, newest entry first, withdrawn ones included."""
    statement = (
        select(kind)
        .where(kind.resident_id == resident_id, *within(work.actor, kind.area_code, kind.resident_id))
        .order_by(col(kind.id).desc())
        .limit(limit)
    )
    if cursor is not None:
        statement = statement.where(col(kind.id) < cursor)
    return (await work.session.exec(statement)).all()


async def lock_one(work: Work, kind: type[Kept], key: UUID) -> Kept | None:
    """One assessment in reach, locked for its withdrawal."""
    statement = (
        select(kind)
        .where(kind.id == key, *within(work.actor, kind.area_code, kind.resident_id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return (await work.session.exec(statement)).one_or_none()
