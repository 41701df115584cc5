"""Pausing a plan, resuming it, and ending it."""

from datetime import date, timedelta
from uuid import UUID

from services.care_plans import repository
from services.care_plans.errors import DayPassed, NotPaused, PauseOverlaps
from services.care_plans.models import CarePlanPause
from services.care_plans.schedule import is_paused
from services.care_plans.states import PLAN, OccurrenceStatus, PlanStatus
from services.care_plans.taking_back import lock_running, take_back
from services.care_plans.views import EndRequest, PauseCreate, ResumeRequest
from services.catalogue.service import today
from services.core.calendar import LAST_DAY
from services.core.database import Work
from services.core.versions import expect_version
from services.orders.standing import require_may_order


async def pause_plan(work: Work, plan_id: UUID, wish: PauseCreate, if_match: int | None) -> list[UUID]:
    """Make nothing on some days, for example of a hospital stay; gives the orders of those days.

    The same pause again changes nothing. Raises ``NotFound``, ``MayNotOrder``, ``PlanEnded``, ``DayPassed``,
    ``PauseOverlaps``.
    """
    plan = await lock_running(work, plan_id)
    pauses = await repository.pauses_of(work, [plan.id])
    if any(
        (one.from_day, one.until_day, one.reason) == (wish.from_day, wish.until_day, wish.reason) for one in pauses
    ):
        return []
    expect_version(plan, if_match)
    if wish.from_day < today(work):
        raise DayPassed(field="from_day")
    if any(_overlap((one.from_day, one.until_day), (wish.from_day, wish.until_day)) for one in pauses):
        raise PauseOverlaps
    work.session.add(
        CarePlanPause(
            care_plan_id=plan.id,
            resident_id=plan.resident_id,
            area_code=plan.area_code,
            from_day=wish.from_day,
            until_day=wish.until_day,
            reason=wish.reason,
            paused_by=work.actor.account_id,
            paused_at=work.now,
        )
    )
    plan.version += 1
    span = [(wish.from_day, wish.until_day)]
    return await take_back(
        work,
        plan,
        wish.from_day,
        OccurrenceStatus.PAUSED,
        "care_plan_paused",
        lambda row: not is_paused(row.service_day, span),
    )


async def resume_plan(work: Work, plan_id: UUID, wish: ResumeRequest, if_match: int | None) -> None:
    """End the pauses that reach ``on_day``: from then on orders are made again.

    A repeat changes nothing. Raises ``NotFound``, ``MayNotOrder``, ``PlanEnded``, ``DayPassed``, ``NotPaused``.
    """
    plan = await lock_running(work, plan_id)
    pauses = await repository.pauses_of(work, [plan.id])
    eve = wish.on_day - timedelta(days=1)
    if any(pause.until_day == eve and pause.resumed_at is not None for pause in pauses):
        return
    expect_version(plan, if_match)
    if wish.on_day < today(work):
        raise DayPassed(field="on_day")
    reaching = [pause for pause in pauses if pause.until_day is None or pause.until_day >= wish.on_day]
    if not reaching:
        raise NotPaused
    for pause in reaching:
        pause.until_day = max(eve, pause.from_day - timedelta(days=1))
        pause.resumed_at, pause.resumed_by = work.now, work.actor.account_id
    plan.version += 1
    plan.next_run_at = work.now
    await work.session.flush()


async def end_plan(work: Work, plan_id: UUID, wish: EndRequest, if_match: int | None) -> list[UUID]:
    """Set the last day; gives the orders beyond it. A day that has passed ends the plan at once.

    A repeat changes nothing. Raises ``NotFound``, ``MayNotOrder``.
    """
    plan = await repository.plan_in_reach(work, plan_id, lock=True)
    await require_may_order(work, plan.resident_id)
    if plan.status is PlanStatus.ENDED or (plan.ends_on, plan.end_reason) == (wish.last_day, wish.reason):
        return []
    expect_version(plan, if_match)
    plan.ends_on, plan.end_reason = max(wish.last_day, plan.starts_on), wish.reason
    plan.version += 1
    plan.next_run_at = work.now
    beyond = wish.last_day
    orders = await take_back(
        work, plan, today(work), OccurrenceStatus.DROPPED, "care_plan_ended", lambda row: row.service_day <= beyond
    )
    if wish.last_day < today(work):
        PLAN.move(work, plan, PlanStatus.ENDED, wish.reason)
        await work.session.flush()
    return orders


def _overlap(one: tuple[date, date | None], other: tuple[date, date | None]) -> bool:
    return one[0] <= (other[1] or LAST_DAY) and other[0] <= (one[1] or LAST_DAY)
