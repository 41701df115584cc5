"""The corrections' SQL."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlmodel import col, select

from services.core.actor import Role
from services.core.database import Work
from services.core.errors import NotFound
from services.core.scope import within
from services.visits.corrections.models import VisitCorrection
from services.visits.corrections.states import CorrectionStatus
from services.visits.readings.models import VisitReading
from services.visits.supplies.models import VisitSupply


def _reach(work: Work) -> list[Any]:
    reach: list[Any] = within(work.actor, VisitCorrection.area_code, VisitCorrection.resident_id)
    if work.actor.role is Role.CAREGIVER:
        reach.append(VisitCorrection.caregiver_id == work.actor.person_id)
    return reach


async def visit_of(work: Work, correction_id: UUID) -> UUID:
    """The visit of a correction in reach. Raises ``NotFound``."""
    statement = select(VisitCorrection.visit_id).where(VisitCorrection.id == correction_id, *_reach(work))
    found = (await work.session.exec(statement)).one_or_none()
    if found is None:
        raise NotFound
    return found


async def lock_correction(work: Work, correction_id: UUID) -> VisitCorrection:
    """One correction in reach, locked. The order's and the visit's locks come first. Raises ``NotFound``."""
    statement = (
        select(VisitCorrection)
        .where(VisitCorrection.id == correction_id, *_reach(work))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    found = (await work.session.exec(statement)).one_or_none()
    if found is None:
        raise NotFound
    return found


async def requested_of(work: Work, visit_id: UUID) -> VisitCorrection | None:
    """The correction that waits for its decision."""
    statement = select(VisitCorrection).where(
        VisitCorrection.visit_id == visit_id, VisitCorrection.status == CorrectionStatus.REQUESTED
    )
    return (await work.session.exec(statement)).one_or_none()


async def corrections_page(
    work: Work, limit: int, cursor: UUID | None, statuses: Sequence[CorrectionStatus], visit_id: UUID | None
) -> Sequence[VisitCorrection]:
    """Corrections in reach, newest first."""
    statement: Any = (
        select(VisitCorrection).where(*_reach(work)).order_by(col(VisitCorrection.id).desc()).limit(limit)
    )
    if work.actor.role is not Role.CAREGIVER and work.actor.centre_id is not None:
        statement = statement.where(VisitCorrection.centre_id == work.actor.centre_id)
    if statuses:
        statement = statement.where(col(VisitCorrection.status).in_(statuses))
    if visit_id is not None:
        statement = statement.where(VisitCorrection.visit_id == visit_id)
    if cursor is not None:
        statement = statement.where(col(VisitCorrection.id) < cursor)
    rows: Sequence[VisitCorrection] = (await work.session.exec(statement)).all()
    return rows


async def standing_supplies(work: Work, visit_id: UUID, ids: Collection[UUID]) -> Sequence[VisitSupply]:
    """Those of these supplies that are this visit's and stand."""
    statement = select(VisitSupply).where(
        VisitSupply.visit_id == visit_id, col(VisitSupply.id).in_(ids), col(VisitSupply.voided_at).is_(None)
    )
    return (await work.session.exec(statement)).all()


async def standing_readings(work: Work, visit_id: UUID, ids: Collection[UUID]) -> Sequence[VisitReading]:
    """Those of these readings that are this visit's and stand."""
    statement = select(VisitReading).where(
        VisitReading.visit_id == visit_id, col(VisitReading.id).in_(ids), col(VisitReading.voided_at).is_(None)
    )
    return (await work.session.exec(statement)).all()
