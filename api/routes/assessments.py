"""Assessments: how able a resident is, how she rates herself, what an institution found before nursing her."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, status

from api.deps import OnceDep, WorkDep
from api.pagination import Page, PageDep, next_cursor
from services.assessments import service
from services.assessments.models import (
    AbilityPublic,
    AbilityRecord,
    FirstAssessmentPublic,
    FirstAssessmentRecord,
    SelfCarePublic,
    SelfCareRecord,
    Standards,
    Withdraw,
)

router = APIRouter(tags=["assessments"])


@router.get(
    "/assessments/standards", operation_id="get_assessment_standards", summary="The forms, with points and levels"
)
async def get_assessment_standards() -> Standards:
    """GB/T 42195-2022 with its 26 items, and the self-rated table; `verified` says whether they were checked."""
    return service.standards()


@router.get(
    "/residents/{resident_id}/ability-assessments",
    operation_id="list_ability_assessments",
    summary="A resident's ability assessments",
)
async def list_ability_assessments(work: WorkDep, page: PageDep, resident_id: UUID) -> Page[AbilityPublic]:
    """Newest entry first; `is_in_force` marks the one that gives her level today. The read is audited."""
    rows = await service.list_ability(work, resident_id, page.limit, page.cursor)
    return Page(items=rows, next_cursor=next_cursor([row.id for row in rows], page))


@router.post(
    "/residents/{resident_id}/ability-assessments",
    operation_id="record_ability_assessment",
    summary="Record an ability assessment",
    status_code=status.HTTP_201_CREATED,
    response_model=AbilityPublic,
)
async def record_ability_assessment(work: WorkDep, once: OnceDep, resident_id: UUID, body: AbilityRecord) -> Any:
    """Points in, level out. Refusals: `form_not_whole`, `assessors_needed`, `assessment_term_invalid`."""
    return await once(work, lambda: service.record_ability(work, resident_id, body))


@router.post(
    "/ability-assessments/{assessment_id}/withdraw",
    operation_id="withdraw_ability_assessment",
    summary="Withdraw a mistaken ability assessment",
)
async def withdraw_ability_assessment(work: WorkDep, assessment_id: UUID, body: Withdraw) -> AbilityPublic:
    """It stays on record with the reason, and counts no more."""
    return await service.withdraw_ability(work, assessment_id, body)


@router.get(
    "/residents/{resident_id}/self-care-ratings",
    operation_id="list_self_care_ratings",
    summary="How a resident rates herself",
)
async def list_self_care_ratings(work: WorkDep, page: PageDep, resident_id: UUID) -> Page[SelfCarePublic]:
    """Newest entry first. The read is audited."""
    rows = await service.list_self_care(work, resident_id, page.limit, page.cursor)
    return Page(items=rows, next_cursor=next_cursor([row.id for row in rows], page))


@router.post(
    "/residents/{resident_id}/self-care-ratings",
    operation_id="record_self_care_rating",
    summary="Record a self-rating",
    status_code=status.HTTP_201_CREATED,
    response_model=SelfCarePublic,
)
async def record_self_care_rating(work: WorkDep, once: OnceDep, resident_id: UUID, body: SelfCareRecord) -> Any:
    """Her own answers, five rows; it sets no level of ability."""
    return await once(work, lambda: service.record_self_care(work, resident_id, body))


@router.get(
    "/residents/{resident_id}/first-assessments",
    operation_id="list_first_assessments",
    summary="What institutions found before home nursing",
)
async def list_first_assessments(work: WorkDep, page: PageDep, resident_id: UUID) -> Page[FirstAssessmentPublic]:
    """Newest entry first. The read is audited."""
    rows = await service.list_first_assessments(work, resident_id, page.limit, page.cursor)
    return Page(items=rows, next_cursor=next_cursor([row.id for row in rows], page))


@router.post(
    "/residents/{resident_id}/first-assessments",
    operation_id="record_first_assessment",
    summary="Record an institution's first assessment",
    status_code=status.HTTP_201_CREATED,
    response_model=FirstAssessmentPublic,
)
async def record_first_assessment(
    work: WorkDep, once: OnceDep, resident_id: UUID, body: FirstAssessmentRecord
) -> Any:
    """For items or categories; without one, or with "not suitable", home nursing cannot be ordered."""
    return await once(work, lambda: service.record_first_assessment(work, resident_id, body))


@router.post(
    "/first-assessments/{first_assessment_id}/withdraw",
    operation_id="withdraw_first_assessment",
    summary="Withdraw a mistaken first assessment",
)
async def withdraw_first_assessment(
    work: WorkDep, first_assessment_id: UUID, body: Withdraw
) -> FirstAssessmentPublic:
    """It stays on record with the reason; what it had replaced counts again."""
    return await service.withdraw_first_assessment(work, first_assessment_id, body)
