"""The caregivers' working rota: shifts, weeks, templates."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, status

from api.deps import IfMatch, OnceDep, WorkDep
from api.pagination import Page, PageDep, next_cursor
from services.caregivers.rota import planning, service
from services.caregivers.rota.models import (
    ApplyTemplate,
    CancelShift,
    CopyWeek,
    Monday,
    NewShift,
    NewTemplate,
    PlannedWeek,
    PublishedWeek,
    PublishWeek,
    RotaWeek,
    ShiftSaved,
    ShiftTimes,
    TemplateFields,
    TemplatePublic,
)

router = APIRouter(tags=["rota"])

Week = Annotated[Monday | None, Query(description="The week's Monday; the present week by default.")]


@router.get("/centres/{centre_id}/rota", operation_id="get_working_rota", summary="A centre's week")
async def get_week(work: WorkDep, centre_id: UUID, monday: Week = None) -> RotaWeek:
    """Everybody's shifts with drafts, absences, and the working-time limits that are passed."""
    return await service.read_week(work, centre_id, monday)


@router.post(
    "/centres/{centre_id}/rota/copy",
    operation_id="copy_rota_week",
    summary="Copy a week onto others",
    response_model=PlannedWeek,
)
async def copy_week(work: WorkDep, once: OnceDep, centre_id: UUID, body: CopyWeek) -> Any:
    """As drafts. Days that have shifts are skipped and told, and so are conflicts."""
    return await once(work, lambda: planning.copy_week(work, centre_id, body))


@router.post(
    "/centres/{centre_id}/rota/publish",
    operation_id="publish_rota_week",
    summary="Publish a week",
    response_model=PublishedWeek,
)
async def publish_week(work: WorkDep, once: OnceDep, centre_id: UUID, body: PublishWeek) -> Any:
    """Every draft comes into force, all or none. Refusal: `working_time_exceeded` without a reason."""
    return await once(work, lambda: planning.publish_week(work, centre_id, body))


@router.get("/rota-templates", operation_id="list_rota_templates", summary="Templates of weeks")
async def list_templates(work: WorkDep, page: PageDep, centre_id: UUID | None = None) -> Page[TemplatePublic]:
    """Newest first, ended ones too."""
    rows = await planning.list_templates(work, centre_id, page.limit, page.cursor)
    return Page(items=rows, next_cursor=next_cursor([row.id for row in rows], page))


@router.post(
    "/rota-templates",
    operation_id="create_rota_template",
    summary="Make a template",
    status_code=status.HTTP_201_CREATED,
    response_model=TemplatePublic,
)
async def create_template(work: WorkDep, once: OnceDep, body: NewTemplate) -> Any:
    """A week that repeats, for one caregiver or a team."""
    return await once(work, lambda: planning.create_template(work, body))


@router.put("/rota-templates/{template_id}", operation_id="change_rota_template", summary="Change a template")
async def change_template(
    work: WorkDep, if_match: IfMatch, template_id: UUID, body: TemplateFields
) -> TemplatePublic:
    """Weeks that were made of it stay as they are."""
    return await planning.change_template(work, template_id, body, if_match)


@router.post("/rota-templates/{template_id}/end", operation_id="end_rota_template", summary="End a template")
async def end_template(work: WorkDep, if_match: IfMatch, template_id: UUID) -> TemplatePublic:
    """It is used no more. Repeating it gives the same answer."""
    return await planning.end_template(work, template_id, if_match)


@router.post(
    "/rota-templates/{template_id}/apply",
    operation_id="apply_rota_template",
    summary="Make weeks of a template",
    response_model=PlannedWeek,
)
async def apply_template(work: WorkDep, once: OnceDep, template_id: UUID, body: ApplyTemplate) -> Any:
    """As drafts. Days that have shifts are skipped and told, and so are conflicts."""
    return await once(work, lambda: planning.apply_template(work, template_id, body))


@router.post(
    "/caregivers/{caregiver_id}/shifts",
    operation_id="plan_shift",
    summary="Plan a shift, or a stretch of being on call",
    status_code=status.HTTP_201_CREATED,
    response_model=ShiftSaved,
)
async def plan_shift(work: WorkDep, once: OnceDep, caregiver_id: UUID, body: NewShift) -> Any:
    """A draft, unless `publish` is set. Refusals: `shifts_overlap`, `working_time_exceeded`, `shift_is_past`."""
    return await once(work, lambda: service.plan_shift(work, caregiver_id, body))


@router.put("/shifts/{shift_id}", operation_id="change_shift", summary="Change a shift")
async def change_shift(work: WorkDep, if_match: IfMatch, shift_id: UUID, body: ShiftTimes) -> ShiftSaved:
    """Refusals: `visits_booked` with what must be moved, `working_time_exceeded`; a reason passes both."""
    return await service.change_shift(work, shift_id, body, if_match)


@router.post("/shifts/{shift_id}/cancel", operation_id="cancel_shift", summary="Take a shift away")
async def cancel_shift(work: WorkDep, if_match: IfMatch, shift_id: UUID, body: CancelShift) -> ShiftSaved:
    """It stays on record. Refusal: `visits_booked` with what must be moved, unless there is a reason."""
    return await service.cancel_shift(work, shift_id, body, if_match)
