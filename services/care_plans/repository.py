"""The plans' SQL, always inside the actor's walls."""

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import text
from sqlmodel import col, select

from services.care_plans.models import CarePlan, CarePlanOccurrence, CarePlanPause
from services.care_plans.states import OccurrenceStatus, PlanStatus
from services.core.database import Work
from services.core.errors import NotFound
from services.core.scope import within
from services.orders.models import Order
from services.residents.models import Resident


async def plan_in_reach(work: Work, plan_id: UUID, *, lock: bool = False) -> CarePlan:
    """Raises ``NotFound``. Whoever changes a plan's days takes its lock first, then that of the orders."""
    statement = select(CarePlan).where(
        CarePlan.id == plan_id, *within(work.actor, CarePlan.area_code, CarePlan.resident_id)
    )
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    found = (await work.session.exec(statement)).one_or_none()
    if found is None:
        raise NotFound
    return found


async def plans_page(
    work: Work, limit: int, cursor: UUID | None, resident_id: UUID | None, statuses: Collection[PlanStatus]
) -> list[tuple[CarePlan, str]]:
    """Plans in reach with their residents' names, newest first."""
    statement = (
        select(CarePlan, Resident.name)
        .join(Resident, col(Resident.id) == col(CarePlan.resident_id))
        .where(*within(work.actor, CarePlan.area_code, CarePlan.resident_id))
        .order_by(col(CarePlan.id).desc())
        .limit(limit)
    )
    if work.actor.centre_id is not None:
        statement = statement.where(CarePlan.centre_id == work.actor.centre_id)
    if resident_id is not None:
        statement = statement.where(CarePlan.resident_id == resident_id)
    if statuses:
        statement = statement.where(col(CarePlan.status).in_(statuses))
    if cursor is not None:
        statement = statement.where(col(CarePlan.id) < cursor)
    return [(plan, name) for plan, name in (await work.session.exec(statement)).all()]


async def resident_of(work: Work, plan: CarePlan) -> Resident:
    """Whose plan it is."""
    return await work.session.get_one(Resident, plan.resident_id)


async def pauses_of(work: Work, plan_ids: Collection[UUID]) -> Sequence[CarePlanPause]:
    """By first day."""
    statement = (
        select(CarePlanPause)
        .where(col(CarePlanPause.care_plan_id).in_(plan_ids))
        .order_by(col(CarePlanPause.from_day), col(CarePlanPause.id))
    )
    return (await work.session.exec(statement)).all()


async def occurrences_of(
    work: Work, plan_ids: Collection[UUID], first: date, last: date | None = None
) -> Sequence[CarePlanOccurrence]:
    """The stored days of plans whose own or service day lies from ``first`` to ``last``, by day."""
    statement = (
        select(CarePlanOccurrence)
        .where(
            col(CarePlanOccurrence.care_plan_id).in_(plan_ids),
            (col(CarePlanOccurrence.day) >= first) | (col(CarePlanOccurrence.service_day) >= first),
        )
        .order_by(col(CarePlanOccurrence.care_plan_id), col(CarePlanOccurrence.day))
        .execution_options(populate_existing=True)
    )
    if last is not None:
        statement = statement.where(
            (col(CarePlanOccurrence.day) <= last) | (col(CarePlanOccurrence.service_day) <= last)
        )
    return (await work.session.exec(statement)).all()


async def occurrence_on(work: Work, plan_id: UUID, day: date) -> CarePlanOccurrence | None:
    """One stored day of a locked plan."""
    statement = (
        select(CarePlanOccurrence)
        .where(CarePlanOccurrence.care_plan_id == plan_id, CarePlanOccurrence.day == day)
        .execution_options(populate_existing=True)
    )
    return (await work.session.exec(statement)).one_or_none()


async def problems_ahead(work: Work, plan_ids: Collection[UUID], today: date) -> Sequence[CarePlanOccurrence]:
    """Days from today on whose orders could not be made."""
    statement = (
        select(CarePlanOccurrence)
        .where(
            col(CarePlanOccurrence.care_plan_id).in_(plan_ids),
            col(CarePlanOccurrence.status).in_([OccurrenceStatus.PROBLEM, OccurrenceStatus.MISSED]),
            col(CarePlanOccurrence.service_day) >= today,
        )
        .order_by(col(CarePlanOccurrence.day))
    )
    return (await work.session.exec(statement)).all()


async def orders_of(work: Work, order_ids: Collection[UUID], *, lock: bool = False) -> dict[UUID, Order]:
    """Orders of a plan's days, locked by id where they are to be changed."""
    statement = select(Order).where(col(Order.id).in_(order_ids)).order_by(col(Order.id))
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return {order.id: order for order in (await work.session.exec(statement)).all()}


async def due_plans(work: Work, limit: int) -> Sequence[UUID]:
    """Active plans that are to be looked at, locked; those that somebody else holds are left out."""
    statement = (
        select(CarePlan.id)
        .where(CarePlan.status == PlanStatus.ACTIVE, col(CarePlan.next_run_at) <= work.now)
        .order_by(col(CarePlan.next_run_at), col(CarePlan.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return (await work.session.exec(statement)).all()


_NOTE_FAILURE = text(
    "UPDATE care_plan SET failures = failures + 1, failure = :failure, next_run_at = CAST(:now AS timestamptz)"
    " + least(power(2, least(failures, 20)), :most) * interval '1 minute' WHERE id = :id"
)


async def note_failure(work: Work, plan_id: UUID, failure: str, most_minutes: int) -> None:
    """What went wrong with a plan, which is tried again after a pause that doubles each time."""
    asked = {"id": plan_id, "failure": failure, "now": work.now, "most": most_minutes}
    await work.sql(_NOTE_FAILURE, asked)
