"""Changes of a recurring plan that take orders back: the plan's verb and the cancelling are one transaction."""

from datetime import date
from uuid import UUID

from services.care_plans import service as care_plans
from services.care_plans.views import EndRequest, OccurrenceCancel, OccurrenceChange, PauseCreate, PlanContent
from services.core.database import Work
from services.dispatch.assigning import cancel_order


async def change_plan(work: Work, plan_id: UUID, content: PlanContent, if_match: int | None) -> None:
    """Say anew what a plan does; orders that no longer fit are cancelled, and made anew by the worker."""
    await _cancel(work, await care_plans.change_plan(work, plan_id, content, if_match), "care_plan_changed")


async def pause_plan(work: Work, plan_id: UUID, wish: PauseCreate, if_match: int | None) -> None:
    """Nobody comes on these days; their orders are cancelled."""
    await _cancel(work, await care_plans.pause_plan(work, plan_id, wish, if_match), "care_plan_paused")


async def end_plan(work: Work, plan_id: UUID, wish: EndRequest, if_match: int | None) -> None:
    """The plan has a last day; orders beyond it are cancelled."""
    await _cancel(work, await care_plans.end_plan(work, plan_id, wish, if_match), "care_plan_ended")


async def change_occurrence(work: Work, plan_id: UUID, day: date, change: OccurrenceChange) -> None:
    """One day is done differently; its order is cancelled, and made anew by the worker."""
    await _cancel(work, await care_plans.change_occurrence(work, plan_id, day, change), "care_plan_day_changed")


async def cancel_occurrence(work: Work, plan_id: UUID, day: date, wish: OccurrenceCancel) -> None:
    """Nobody comes on this day; its order is cancelled."""
    await _cancel(work, await care_plans.cancel_occurrence(work, plan_id, day, wish), "care_plan_day_cancelled")


async def _cancel(work: Work, order_ids: list[UUID], reason: str) -> None:
    for order_id in order_ids:
        await cancel_order(work, order_id, reason, None)
