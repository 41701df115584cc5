"""The hand-taken readings' SQL."""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import col, select

from services.core.database import Work
from services.visits.readings.models import VisitReading


async def reading_of(work: Work, reading_id: UUID) -> VisitReading | None:
    """One record by its key. For the worker, which has no walls."""
    return await work.session.get(VisitReading, reading_id)


async def readings_of(work: Work, visit_id: UUID) -> Sequence[VisitReading]:
    """All records of a visit in reach by the caller's check, voided ones too."""
    statement = (
        select(VisitReading)
        .where(VisitReading.visit_id == visit_id)
        .order_by(col(VisitReading.measured_at), col(VisitReading.id))
    )
    return (await work.session.exec(statement)).all()
