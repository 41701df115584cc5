"""Plans of a day: preview, commit, pins, repair proposals."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, status

from api.deps import IfMatch, OnceDep, WorkDep
from api.pagination import Page, PageDep, next_cursor
from services.core.calendar import Day
from services.dispatch.day_plans import committing, pins, repairing, service
from services.dispatch.day_plans.models import PlanKind
from services.dispatch.day_plans.states import PlanStatus
from services.dispatch.day_plans.views import (
    DayPlanBrief,
    DayPlanCreate,
    DayPlanPublic,
    PinPublic,
    PinRequest,
    PlanCommit,
    PlanCommitted,
    PlanDismiss,
    PlanningPolicyChange,
    PlanningPolicyPublic,
)

router = APIRouter(tags=["dispatch"])


@router.post(
    "/day-plans",
    operation_id="request_day_plan",
    summary="Plan a day",
    status_code=status.HTTP_201_CREATED,
    response_model=DayPlanBrief,
)
async def request_day_plan(work: WorkDep, once: OnceDep, wish: DayPlanCreate) -> Any:
    """A preview, computed by the worker: follow `plan.moved` on the live stream, then read it. Nothing is booked.

    A newer request supersedes the centre's plan in the making, and the ready one of the same day.
    """
    return await once(work, lambda: service.request_plan(work, wish))


@router.get("/day-plans", operation_id="list_day_plans", summary="Plans and repair proposals")
async def list_day_plans(
    work: WorkDep,
    page: PageDep,
    centre_id: UUID | None = None,
    day: Day | None = None,
    plan_status: Annotated[list[PlanStatus] | None, Query(alias="status")] = None,
    kind: PlanKind | None = None,
) -> Page[DayPlanBrief]:
    """Newest first. `kind=repair&status=ready` are the proposals that wait for an answer."""
    items = await service.list_plans(work, page.limit, page.cursor, centre_id, day, plan_status or [], kind)
    return Page(items=items, next_cursor=next_cursor([item.id for item in items], page))


@router.get("/day-plans/{plan_id}", operation_id="get_day_plan", summary="A plan with all it says")
async def get_day_plan(work: WorkDep, plan_id: UUID) -> DayPlanPublic:
    """Each caregiver's visits in order with ways and gaps, what nobody has and why, and what would change."""
    return await service.read_plan(work, plan_id)


@router.post(
    "/day-plans/{plan_id}/commit",
    operation_id="commit_day_plan",
    summary="Carry a plan out, or a part of it",
    response_model=PlanCommitted,
)
async def commit_day_plan(work: WorkDep, once: OnceDep, if_match: IfMatch, plan_id: UUID, wish: PlanCommit) -> Any:
    """What no longer holds is left out and listed, or with `strict` refuses all (`plan_stale`)."""
    return await once(work, lambda: committing.commit_plan(work, plan_id, wish, if_match))


@router.post("/day-plans/{plan_id}/dismiss", operation_id="dismiss_day_plan", summary="Put a plan aside")
async def dismiss_day_plan(work: WorkDep, if_match: IfMatch, plan_id: UUID, wish: PlanDismiss) -> DayPlanBrief:
    """It can no longer be committed; what was committed of it stays."""
    return await service.dismiss_plan(work, plan_id, wish, if_match)


@router.post(
    "/orders/{order_id}/repair",
    operation_id="request_order_repair",
    summary="Ask who could make room for an order",
    status_code=status.HTTP_201_CREATED,
    response_model=DayPlanBrief,
)
async def request_order_repair(work: WorkDep, once: OnceDep, order_id: UUID) -> Any:
    """A proposal with the fewest changes to the running plan, computed by the worker."""
    return await once(work, lambda: repairing.repair_order(work, order_id))


@router.post("/visits/{visit_id}/pin", operation_id="pin_visit", summary="Fix a visit")
async def pin_visit(work: WorkDep, visit_id: UUID, wish: PinRequest) -> PinPublic:
    """No plan and no repair moves it until it is let go. Only a visit to come (`not_pinnable`)."""
    return await pins.pin_visit(work, visit_id, wish)


@router.post("/visits/{visit_id}/unpin", operation_id="unpin_visit", summary="Let a fixed visit go")
async def unpin_visit(work: WorkDep, visit_id: UUID, wish: PinRequest) -> PinPublic:
    """Plans may move it again; without a pin nothing changes."""
    return await pins.unpin_visit(work, visit_id, wish)


@router.get(
    "/centres/{centre_id}/planning-policy",
    operation_id="get_planning_policy",
    summary="What the planner may do by itself",
)
async def get_planning_policy(work: WorkDep, centre_id: UUID) -> PlanningPolicyPublic:
    """Until a centre says otherwise, a person commits every repair."""
    return await service.read_policy(work, centre_id)


@router.put(
    "/centres/{centre_id}/planning-policy",
    operation_id="set_planning_policy",
    summary="Say what the planner may do by itself",
)
async def set_planning_policy(
    work: WorkDep, if_match: IfMatch, centre_id: UUID, wish: PlanningPolicyChange
) -> PlanningPolicyPublic:
    """Holds for repairs that are asked for from now on."""
    return await service.set_policy(work, centre_id, wish, if_match)
