"""Visits and the evidence that they took place."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from api.deps import IfMatch, WorkDep
from api.pagination import Page, PageDep, next_cursor
from services.core.calendar import Day
from services.visits import service
from services.visits.models import CheckIn, CheckOut, ReviewRequest, VisitPublic
from services.visits.states import VisitStatus

router = APIRouter(tags=["visits"])


@router.get("/visits", operation_id="list_visits", summary="List visits")
async def list_visits(
    work: WorkDep,
    page: PageDep,
    day: Annotated[Day | None, Query(description="Of this local day (Asia/Shanghai).")] = None,
    statuses: Annotated[list[VisitStatus], Query(alias="status", max_length=7)] = [],  # noqa: B006  never changed
    caregiver_id: UUID | None = None,
) -> Page[VisitPublic]:
    """A caregiver's own; a centre's, for its staff. Leaves rows in the access log."""
    rows = await service.list_visits(work, page.limit, page.cursor, day, statuses, caregiver_id)
    return Page(items=rows, next_cursor=next_cursor([row.id for row in rows], page))


@router.get("/visits/{visit_id}", operation_id="get_visit", summary="Read one visit")
async def get_visit(work: WorkDep, visit_id: UUID) -> VisitPublic:
    """Leaves a row in the access log."""
    return await service.get_visit(work, visit_id)


@router.post("/visits/{visit_id}/en-route", operation_id="set_out", summary="On the way")
async def set_out(work: WorkDep, if_match: IfMatch, visit_id: UUID) -> VisitPublic:
    """From here on the order can no longer be cancelled. A repeat changes nothing."""
    return await service.set_out(work, visit_id, if_match)


@router.post("/visits/{visit_id}/check-in", operation_id="check_in", summary="At the door")
async def check_in(work: WorkDep, if_match: IfMatch, visit_id: UUID, said: CheckIn) -> VisitPublic:
    """A wrong start code, place or clock flags the visit and lets care begin. Only the first one counts."""
    return await service.check_in(work, visit_id, said, if_match)


@router.post("/visits/{visit_id}/check-out", operation_id="check_out", summary="Leaving")
async def check_out(work: WorkDep, if_match: IfMatch, visit_id: UUID, said: CheckOut) -> VisitPublic:
    """Ends the visit, `verified` or `flagged`; the last one completes the order. A repeat changes nothing."""
    return await service.check_out(work, visit_id, said, if_match)


@router.post("/visits/{visit_id}/review", operation_id="review_visit", summary="Look at a flagged visit")
async def review_visit(work: WorkDep, if_match: IfMatch, visit_id: UUID, said: ReviewRequest) -> VisitPublic:
    """Accepting lets the visit count, and its bill fall due."""
    return await service.review(work, visit_id, said, if_match)
