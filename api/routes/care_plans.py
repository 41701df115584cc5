"""Recurring plans: making them, seeing their days in words, pausing, changing one day or all."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, status

from api.deps import IfMatch, OnceDep, WorkDep
from api.pagination import Page, PageDep, next_cursor
from services.care_plans import service
from services.care_plans.states import PlanStatus
from services.care_plans.views import (
    EndRequest,
    OccurrenceCancel,
    OccurrenceChange,
    OccurrencePublic,
    PauseCreate,
    PlanContent,
    PlanCreate,
    PlanPreview,
    PlanPublic,
    ResumeRequest,
)
from services.core.calendar import Day
from services.dispatch import plan_changes

router = APIRouter(tags=["care plans"])

Number = Annotated[int, Query(ge=1, le=60, description="How many days.")]


@router.post(
    "/care-plans",
    operation_id="make_care_plan",
    summary="Make a recurring plan",
    status_code=status.HTTP_201_CREATED,
    response_model=PlanPublic,
)
async def make_care_plan(work: WorkDep, once: OnceDep, wish: PlanCreate) -> Any:
    """Its orders are made two weeks ahead, again and again; what cannot be made stands under `problems`.

    Refusals: `rule_invalid`, `plan_without_days`, `items_refused`, `window_invalid`, `may_not_order`, `no_centre`.
    """
    return await once(work, lambda: service.make_plan(work, wish))


@router.post("/care-plans/preview", operation_id="preview_care_plan", summary="See a plan's days before making it")
async def preview_care_plan(work: WorkDep, content: PlanContent, limit: Number = 10) -> PlanPreview:
    """The rule and its next days in words, with holidays. Stores nothing and checks no item."""
    return await service.preview(work, content, limit)


@router.get("/care-plans", operation_id="list_care_plans", summary="List recurring plans in reach")
async def list_care_plans(
    work: WorkDep,
    page: PageDep,
    resident_id: UUID | None = None,
    statuses: Annotated[list[PlanStatus], Query(alias="status", max_length=2)] = [],  # noqa: B006  never changed
) -> Page[PlanPublic]:
    """Newest first."""
    rows = await service.list_plans(work, page.limit, page.cursor, resident_id, statuses)
    return Page(items=rows, next_cursor=next_cursor([row.id for row in rows], page))


@router.get("/care-plans/{care_plan_id}", operation_id="get_care_plan", summary="Read a recurring plan")
async def get_care_plan(work: WorkDep, care_plan_id: UUID) -> PlanPublic:
    """With its pauses, and the days ahead whose orders could not be made."""
    return await service.read_plan(work, care_plan_id)


@router.get(
    "/care-plans/{care_plan_id}/occurrences",
    operation_id="list_care_plan_days",
    summary="The next days of a plan, in words",
)
async def list_care_plan_days(
    work: WorkDep, care_plan_id: UUID, limit: Number = 10, cursor: Day | None = None
) -> Page[OccurrencePublic]:
    """From `cursor` (today) on: what the rule says, what holidays and pauses do to it, and its order."""
    rows = await service.list_occurrences(work, care_plan_id, limit + 1, cursor)
    following = rows[limit].day.isoformat() if len(rows) > limit else None
    return Page(items=rows[:limit], next_cursor=following)


@router.put("/care-plans/{care_plan_id}", operation_id="change_care_plan", summary="Change a recurring plan")
async def change_care_plan(
    work: WorkDep, if_match: IfMatch, care_plan_id: UUID, content: PlanContent
) -> PlanPublic:
    """Orders ahead that no longer fit are cancelled and made anew; days that were set apart by hand stay."""
    await plan_changes.change_plan(work, care_plan_id, content, if_match)
    return await service.read_plan(work, care_plan_id)


@router.post("/care-plans/{care_plan_id}/pause", operation_id="pause_care_plan", summary="Pause a plan")
async def pause_care_plan(work: WorkDep, if_match: IfMatch, care_plan_id: UUID, wish: PauseCreate) -> PlanPublic:
    """For a hospital stay: the orders of these days are cancelled. A repeat changes nothing."""
    await plan_changes.pause_plan(work, care_plan_id, wish, if_match)
    return await service.read_plan(work, care_plan_id)


@router.post("/care-plans/{care_plan_id}/resume", operation_id="resume_care_plan", summary="Resume a plan")
async def resume_care_plan(
    work: WorkDep, if_match: IfMatch, care_plan_id: UUID, wish: ResumeRequest
) -> PlanPublic:
    """From this day on somebody comes again. A repeat changes nothing."""
    await service.resume_plan(work, care_plan_id, wish, if_match)
    return await service.read_plan(work, care_plan_id)


@router.post("/care-plans/{care_plan_id}/end", operation_id="end_care_plan", summary="End a plan")
async def end_care_plan(work: WorkDep, if_match: IfMatch, care_plan_id: UUID, wish: EndRequest) -> PlanPublic:
    """Sets its last day; orders beyond it are cancelled. A repeat changes nothing."""
    await plan_changes.end_plan(work, care_plan_id, wish, if_match)
    return await service.read_plan(work, care_plan_id)


@router.put(
    "/care-plans/{care_plan_id}/occurrences/{day}",
    operation_id="change_care_plan_day",
    summary="Do one day differently",
)
async def change_care_plan_day(
    work: WorkDep, care_plan_id: UUID, day: Day, change: OccurrenceChange
) -> PlanPublic:
    """Another day, other hours, other items; its order is made anew. `taken_already`: release it first."""
    await plan_changes.change_occurrence(work, care_plan_id, day, change)
    return await service.read_plan(work, care_plan_id)


@router.post(
    "/care-plans/{care_plan_id}/occurrences/{day}/cancel",
    operation_id="cancel_care_plan_day",
    summary="Take one day out",
)
async def cancel_care_plan_day(work: WorkDep, care_plan_id: UUID, day: Day, wish: OccurrenceCancel) -> PlanPublic:
    """For good: nothing makes it again. Its order is cancelled."""
    await plan_changes.cancel_occurrence(work, care_plan_id, day, wish)
    return await service.read_plan(work, care_plan_id)
