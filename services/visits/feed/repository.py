"""The feed's SQL."""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import exists
from sqlmodel import col, select

from services.caregivers.models import Caregiver
from services.core.database import Work
from services.core.scope import within
from services.orders.models import Order
from services.visits.models import Visit
from services.visits.watch.models import IssueKind, VisitIssue
from services.visits.watch.states import IssueStatus


class FeedRow(NamedTuple):
    """A visit with who comes, what was ordered, and whether it is late."""

    visit: Visit
    order: Order
    caregiver_name: str
    profession: str
    is_late: bool


async def feed_page(work: Work, resident_id: UUID, limit: int, cursor: UUID | None) -> list[FeedRow]:
    """The visits of a resident in reach, newest booking first."""
    late = exists().where(
        col(VisitIssue.visit_id) == col(Visit.id),
        col(VisitIssue.kind).in_([IssueKind.LATE_START, IssueKind.MISSED]),
        col(VisitIssue.status) == IssueStatus.OPEN,
    )
    statement = (
        select(Visit, Order, Caregiver.name, Caregiver.profession, late)  # type: ignore[call-overload]
        .join(Order, col(Order.id) == col(Visit.order_id))
        .join(Caregiver, col(Caregiver.id) == col(Visit.caregiver_id))
        .where(Visit.resident_id == resident_id, *within(work.actor, Visit.area_code, Visit.resident_id))
        .order_by(col(Visit.id).desc())
        .limit(limit)
    )
    if cursor is not None:
        statement = statement.where(col(Visit.id) < cursor)
    return [FeedRow(*row) for row in (await work.session.exec(statement)).all()]
