"""One day of a plan, done differently or not at all. Nothing that is made again later undoes it."""

from datetime import date
from uuid import UUID

from services.care_plans import repository
from services.care_plans.errors import DayPassed, NotADayOfPlan
from services.care_plans.models import CarePlan, CarePlanOccurrence
from services.care_plans.reading import content_of, recurrence_of, spans_of
from services.care_plans.schedule import moments, planned_days
from services.care_plans.states import OCCURRENCE, OccurrenceStatus
from services.care_plans.taking_back import lock_running, order_to_take_back, wanted_of
from services.care_plans.views import OccurrenceCancel, OccurrenceChange
from services.catalogue.service import today
from services.core.database import Work
from services.orders.quoting import check_items


async def change_occurrence(work: Work, plan_id: UUID, day: date, change: OccurrenceChange) -> list[UUID]:
    """Do one day differently; gives the order to take back, and the worker makes another. The plan stays.

    A repeat changes nothing. Raises ``NotFound``, ``MayNotOrder``, ``PlanEnded``, ``NotADayOfPlan``,
    ``DayPassed``, ``TakenAlready`` once somebody has the order (release first), and what an order would.
    """
    plan = await lock_running(work, plan_id)
    row = await _row_of(work, plan, day)
    said = change.model_dump(mode="json", exclude={"reason"}, exclude_none=True)
    if row.change == said:
        return []
    back = await order_to_take_back(work, row, must_be_free=True)
    row.change, row.reason = said, change.reason or None
    row.service_day = change.service_day or row.service_day
    if row.service_day < today(work):
        raise DayPassed(field="service_day")
    content = content_of(plan, row.service_day, row)
    resident = await repository.resident_of(work, plan)
    windows = moments(row.service_day, content.times)
    await check_items(work, wanted_of(plan, resident, content.items, windows))
    if row.status is not OccurrenceStatus.CHANGED:
        OCCURRENCE.move(work, row, OccurrenceStatus.CHANGED, change.reason or None)
    row.problem, row.content, row.updated_at = None, None, work.now
    plan.next_run_at = work.now
    await work.session.flush()
    return back


async def cancel_occurrence(work: Work, plan_id: UUID, day: date, wish: OccurrenceCancel) -> list[UUID]:
    """Take one day out, for good; gives its order, if it has one. A repeat changes nothing.

    Raises ``NotFound``, ``MayNotOrder``, ``PlanEnded``, ``NotADayOfPlan``, ``DayPassed``.
    """
    plan = await lock_running(work, plan_id)
    stored = await repository.occurrence_on(work, plan.id, day)
    if stored is not None and stored.status is OccurrenceStatus.CANCELLED:
        return []
    row = stored or await _row_of(work, plan, day)
    if row.service_day < today(work):
        raise DayPassed(field="day")
    back = await order_to_take_back(work, row, must_be_free=False)
    OCCURRENCE.move(work, row, OccurrenceStatus.CANCELLED, wish.reason)
    row.reason, row.problem, row.updated_at = wish.reason, None, work.now
    await work.session.flush()
    return back


async def _row_of(work: Work, plan: CarePlan, day: date) -> CarePlanOccurrence:
    """The stored row of a day of the plan, made where there is none. Raises ``NotADayOfPlan``, ``DayPassed``."""
    stored = await repository.occurrence_on(work, plan.id, day)
    if stored is not None:
        if stored.status in (OccurrenceStatus.CANCELLED, OccurrenceStatus.MISSED):
            raise DayPassed(field="day", current=str(stored.status))
        return stored
    pauses = spans_of(await repository.pauses_of(work, [plan.id]))
    found = planned_days(recurrence_of(plan), plan.holiday_policy, pauses, day, day)
    if not found:
        raise NotADayOfPlan
    if found[0].service_day < today(work):
        raise DayPassed(field="day")
    row = CarePlanOccurrence(
        care_plan_id=plan.id,
        resident_id=plan.resident_id,
        area_code=plan.area_code,
        day=day,
        service_day=found[0].service_day,
        status=OccurrenceStatus.CHANGED,
        updated_at=work.now,
    )
    work.session.add(row)
    OCCURRENCE.begin(work, row)
    return row
