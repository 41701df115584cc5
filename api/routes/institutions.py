"""Provider institutions, and the work that can no longer stand."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, status

from api.deps import IfMatch, OnceDep, WorkDep
from api.pagination import Page, PageDep, next_cursor
from services.institutions import service
from services.institutions.models import (
    InstitutionFields,
    InstitutionPublic,
    InstitutionSummary,
    NewInstitution,
    NewReview,
    ReviewPublic,
    Why,
)
from services.reports.staffing import service as staffing
from services.reports.staffing.models import WorkToMove

router = APIRouter(tags=["institutions"])


@router.get("/institutions", operation_id="list_institutions", summary="The county's provider institutions")
async def list_institutions(work: WorkDep, page: PageDep) -> Page[InstitutionSummary]:
    """Newest first, with whether they take work today, and why not."""
    rows = await service.list_institutions(work, page.limit, page.cursor)
    return Page(items=rows, next_cursor=next_cursor([row.id for row in rows], page))


@router.post(
    "/institutions",
    operation_id="admit_institution",
    summary="Admit an institution",
    status_code=status.HTTP_201_CREATED,
    response_model=InstitutionPublic,
)
async def admit(work: WorkDep, once: OnceDep, body: NewInstitution) -> Any:
    """With licence, agreement and the day of its next review. Refusal: `licence_on_file`."""
    return await once(work, lambda: service.admit(work, body))


@router.get("/institutions/{institution_id}", operation_id="get_institution", summary="Read one institution")
async def get_institution(work: WorkDep, institution_id: UUID) -> InstitutionPublic:
    """Its whole file."""
    return await service.read_institution(work, institution_id)


@router.put("/institutions/{institution_id}", operation_id="change_institution", summary="Change its file")
async def change_institution(
    work: WorkDep, if_match: IfMatch, institution_id: UUID, body: InstitutionFields
) -> InstitutionPublic:
    """What it said before stays on record. A licence that has run out closes it from this minute."""
    return await service.change(work, institution_id, body, if_match)


@router.post("/institutions/{institution_id}/suspend", operation_id="suspend_institution", summary="Suspend it")
async def suspend(work: WorkDep, if_match: IfMatch, institution_id: UUID, body: Why) -> InstitutionPublic:
    """No new work from this minute. What its people have is listed under `work-to-move`."""
    return await service.suspend(work, institution_id, body.reason, if_match)


@router.post("/institutions/{institution_id}/resume", operation_id="resume_institution", summary="Take it back")
async def resume(work: WorkDep, if_match: IfMatch, institution_id: UUID, body: Why) -> InstitutionPublic:
    """The suspension ends."""
    return await service.resume(work, institution_id, body.reason, if_match)


@router.post("/institutions/{institution_id}/exit", operation_id="let_institution_go", summary="Let it go")
async def let_go(work: WorkDep, if_match: IfMatch, institution_id: UUID, body: Why) -> InstitutionPublic:
    """For good."""
    return await service.let_go(work, institution_id, body.reason, if_match)


@router.get(
    "/institutions/{institution_id}/reviews",
    operation_id="list_institution_reviews",
    summary="Its yearly reviews",
)
async def list_reviews(work: WorkDep, page: PageDep, institution_id: UUID) -> Page[ReviewPublic]:
    """Newest first."""
    rows = await service.list_reviews(work, institution_id, page.limit, page.cursor)
    return Page(items=rows, next_cursor=next_cursor([row.id for row in rows], page))


@router.post(
    "/institutions/{institution_id}/reviews",
    operation_id="record_institution_review",
    summary="Record a yearly review",
    status_code=status.HTTP_201_CREATED,
    response_model=InstitutionPublic,
)
async def record_review(work: WorkDep, once: OnceDep, institution_id: UUID, body: NewReview) -> Any:
    """With the day of the next one. A failed review suspends at once."""
    return await once(work, lambda: service.record_review(work, institution_id, body))


@router.get(
    "/institutions/{institution_id}/work-to-move",
    operation_id="list_institution_work_to_move",
    summary="What an institution's people have ahead",
)
async def institution_work(work: WorkDep, institution_id: UUID) -> WorkToMove:
    """Booked visits and open offers ahead, with what speaks against each. Leaves rows in the access log."""
    return await staffing.work_of_institution(work, institution_id)


@router.get(
    "/centres/{centre_id}/work-to-move",
    operation_id="list_work_to_move",
    summary="Booked visits that cannot stand",
)
async def centre_work(work: WorkDep, centre_id: UUID) -> WorkToMove:
    """Expired licence, closed institution, absence, departure, no shift, kept apart. Leaves access rows."""
    return await staffing.work_of_centre(work, centre_id)
