"""Making the orders of recurring plans ahead of time. For the worker, again and again.

A plan is looked at under its own lock, in a savepoint of its own, each of its days in another: what cannot be made
is written on that day and tried again, and a plan that breaks is put aside for a while and stops no other. One
stored row a day (``care_plan_occurrence_day``) makes every repeat harmless, whoever was killed in between.
"""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.exc import DBAPIError

from services.care_plans import repository
from services.care_plans.limits import plan_limits
from services.care_plans.models import CarePlan, CarePlanOccurrence
from services.care_plans.reading import DayContent, content_of, recurrence_of, spans_of
from services.care_plans.schedule import SERVED, PlannedDay, Span, is_paused, moments, planned_days
from services.care_plans.states import OCCURRENCE, PLAN, OccurrenceStatus, PlanStatus
from services.care_plans.taking_back import wanted_of
from services.core.calendar import LAST_DAY
from services.core.clock import BUSINESS_ZONE
from services.core.database import Work
from services.core.errors import DomainError
from services.orders.placing import Circumstances, place
from services.orders.repository import resident_in_reach
from services.orders.standing import require_still_may_order
from services.orders.wishes import Caller
from services.residents.models import Resident

log = structlog.get_logger("care_plans")

_TO_MAKE = frozenset(
    {OccurrenceStatus.CHANGED, OccurrenceStatus.PROBLEM, OccurrenceStatus.PAUSED, OccurrenceStatus.DROPPED}
)
_SET_APART = _TO_MAKE - {OccurrenceStatus.DROPPED}
_LATE = timedelta(days=7)
_LONGEST_HOLIDAY = timedelta(days=31)
_SOON_AFTER_MIDNIGHT = time(0, 5)
NOT_IN_TIME = {
    "code": "not_made_in_time",
    "title_zh": "未能及时生成订单",
    "title_en": "The order was not made in time",
}


async def make_due_orders(work: Work, limit: int = 10) -> int:
    """Look at some plans that are due; gives their number. Those that another worker holds are left to it."""
    due = await repository.due_plans(work, limit)
    for plan_id in due:
        try:
            async with work.session.begin_nested():
                await make_orders(work, plan_id)
        except DBAPIError as error:
            if error.connection_invalidated:
                raise
            await _put_aside(work, plan_id, error)
        except Exception as error:  # noqa: BLE001  one broken plan must not stop the others; it is shown on the plan
            await _put_aside(work, plan_id, error)
    return len(due)


async def make_orders(work: Work, plan_id: UUID) -> None:
    """Make what a plan needs up to the horizon. Days that passed unmade while nobody looked are written down."""
    plan = await repository.plan_in_reach(work, plan_id, lock=True)
    today = work.now.astimezone(BUSINESS_ZONE).date()
    horizon = today + plan_limits().horizon
    first = min(plan.generated_until or today, today)
    pauses = spans_of(await repository.pauses_of(work, [plan.id]))
    stored = {row.day: row for row in await repository.occurrences_of(work, [plan.id], first - _LATE)}
    planned = planned_days(recurrence_of(plan), plan.holiday_policy, pauses, first, horizon)
    resident = await resident_in_reach(work, plan.resident_id)
    for day, service_day in _days_to_make(planned, list(stored.values()), pauses, horizon):
        content = content_of(plan, service_day, stored.get(day))
        stored_row = await _make_day(work, plan, resident, (day, content), stored.get(day))
        if stored_row is not None:
            stored[day] = stored_row
    _close(work, plan, today, horizon, list(stored.values()))
    await work.session.flush()


def _days_to_make(
    planned: Sequence[PlannedDay], stored: Sequence[CarePlanOccurrence], pauses: Sequence[Span], horizon: date
) -> list[tuple[date, date]]:
    """Days without an order, each with its service day: the plan's own, and what people have set apart."""
    settled = {row.day for row in stored if row.status not in _TO_MAKE}
    wanted = {one.day: one.service_day for one in planned if one.fate in SERVED}
    for row in stored:
        if row.status is OccurrenceStatus.PROBLEM:
            wanted.setdefault(row.day, row.service_day)
        if row.change is None or row.status not in _SET_APART:
            continue
        wanted.pop(row.day, None)
        if row.service_day <= horizon and not is_paused(row.service_day, pauses):
            wanted[row.day] = row.service_day
    return [(day, wanted[day]) for day in sorted(wanted) if day not in settled]


async def _make_day(
    work: Work,
    plan: CarePlan,
    resident: Resident,
    wanted: tuple[date, DayContent],
    row: CarePlanOccurrence | None,
) -> CarePlanOccurrence | None:
    """The order of one day, or why there is none."""
    _day, content = wanted
    windows = [span for span in moments(content.service_day, content.times) if span[0] > work.now]
    if not windows:
        return _too_late(work, plan, wanted, row)
    try:
        async with work.session.begin_nested():
            order_id = await _place(work, plan, resident, content, windows)
    except DomainError as refused:
        kept = _put(work, plan, wanted, row, OccurrenceStatus.PROBLEM)
        kept.problem = problem_of(refused)
        return kept
    kept = _put(work, plan, wanted, row, OccurrenceStatus.ORDERED)
    kept.order_id, kept.problem, kept.reason = order_id, None, None
    return kept


def problem_of(refused: DomainError) -> dict[str, Any]:
    """A refusal as a day keeps it, to be shown to people."""
    return {
        "code": refused.code,
        "title_zh": refused.title_zh,
        "title_en": refused.title_en,
        **({"items": refused.extra["items"]} if "items" in refused.extra else {}),
        **({"reason": refused.extra["reason"]} if "reason" in refused.extra else {}),
    }


async def _place(
    work: Work,
    plan: CarePlan,
    resident: Resident,
    content: DayContent,
    windows: Sequence[tuple[datetime, datetime]],
) -> UUID:
    await require_still_may_order(work, resident.id, plan.planned_by, plan.channel)
    wanted = wanted_of(plan, resident, content.items, windows)
    caller = None if plan.caller is None else Caller.model_validate(plan.caller)
    return (await place(work, wanted, Circumstances(content.wishes, caller, plan.id))).id


def _too_late(
    work: Work, plan: CarePlan, wanted: tuple[date, DayContent], row: CarePlanOccurrence | None
) -> CarePlanOccurrence | None:
    """A day whose hours have passed: missed where the platform should have made it, else no matter."""
    today = work.now.astimezone(BUSINESS_ZONE).date()
    if row is not None and row.status in (OccurrenceStatus.PROBLEM, OccurrenceStatus.CHANGED):
        kept = _put(work, plan, wanted, row, OccurrenceStatus.MISSED)
        kept.problem = kept.problem or NOT_IN_TIME
        return kept
    if row is None and plan.generated_until is not None and plan.generated_until < today:
        kept = _put(work, plan, wanted, None, OccurrenceStatus.MISSED)
        kept.problem = NOT_IN_TIME
        return kept
    return row


def _put(
    work: Work,
    plan: CarePlan,
    wanted: tuple[date, DayContent],
    row: CarePlanOccurrence | None,
    status: OccurrenceStatus,
) -> CarePlanOccurrence:
    day, content = wanted
    if row is None:
        row = CarePlanOccurrence(
            care_plan_id=plan.id,
            resident_id=plan.resident_id,
            area_code=plan.area_code,
            day=day,
            service_day=content.service_day,
            status=status,
            updated_at=work.now,
        )
        work.session.add(row)
        OCCURRENCE.begin(work, row)
    elif row.status is not status:
        OCCURRENCE.move(work, row, status)
    row.service_day, row.content, row.updated_at = content.service_day, content.mark(), work.now
    return row


def _close(work: Work, plan: CarePlan, today: date, horizon: date, stored: Sequence[CarePlanOccurrence]) -> None:
    """When to look again; and the end of a plan that has no day left."""
    plan.generated_until, plan.failures, plan.failure = horizon, 0, None
    open_problems = any(row.status is OccurrenceStatus.PROBLEM and row.service_day >= today for row in stored)
    midnight = datetime.combine(today + timedelta(days=1), _SOON_AFTER_MIDNIGHT, BUSINESS_ZONE)
    plan.next_run_at = min(midnight, work.now + plan_limits().retry) if open_problems else midnight
    if _is_over(plan, today):
        PLAN.move(work, plan, PlanStatus.ENDED, "no_day_left")


def _is_over(plan: CarePlan, today: date) -> bool:
    if plan.ends_on is not None:
        return plan.ends_on < today
    bounded = "COUNT=" in plan.rrule or "UNTIL=" in plan.rrule
    return bounded and not recurrence_of(plan).days(today - _LONGEST_HOLIDAY, LAST_DAY)


async def _put_aside(work: Work, plan_id: UUID, error: Exception) -> None:
    log.warning("care_plan_failed", care_plan_id=str(plan_id), error=type(error).__name__)
    await repository.note_failure(work, plan_id, type(error).__name__, plan_limits().most_minutes_between)
