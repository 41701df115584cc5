"""Visits and the evidence that they took place."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from api.deps import HouseDep, IfMatch, OnceDep, WorkDep
from api.pagination import Page, PageDep, next_cursor
from services.core.calendar import Day
from services.visits import service
from services.visits.acts.models import ActKind, SyncAnswer, SyncRequest
from services.visits.acts.sync import sync
from services.visits.models import (
    CheckIn,
    CheckOut,
    NoShow,
    NoteAct,
    ReadingAct,
    ReviewRequest,
    SetOut,
    TaskAct,
    VisitPublic,
)
from services.visits.states import VisitStatus

router = APIRouter(tags=["visits"])


@router.get("/visits", operation_id="list_visits", summary="List visits")
async def list_visits(
    work: WorkDep,
    page: PageDep,
    day: Annotated[Day | None, Query(description="Of this local day (Asia/Shanghai).")] = None,
    statuses: Annotated[list[VisitStatus], Query(alias="status", max_length=8)] = [],  # noqa: B006  never changed
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
async def set_out(work: WorkDep, if_match: IfMatch, visit_id: UUID, said: SetOut | None = None) -> VisitPublic:
    """From here on the order can no longer be cancelled. A repeat changes nothing."""
    return await service.set_out(work, visit_id, if_match, said)


@router.post("/visits/{visit_id}/check-in", operation_id="check_in", summary="At the door")
async def check_in(
    work: WorkDep, house: HouseDep, if_match: IfMatch, visit_id: UUID, said: CheckIn
) -> VisitPublic:
    """A wrong code, card, place or clock flags the visit and lets care begin. Only the first one counts."""
    return await service.check_in(work, visit_id, said, if_match, house.vault)


@router.post("/visits/sync", operation_id="sync_visits", summary="Send what was done without network")
async def sync_visits(work: WorkDep, house: HouseDep, batch: SyncRequest) -> SyncAnswer:
    """Each act counts once, by its own id, in any parts and order; one act's conflict stops no other."""
    return await sync(work, batch, house.vault)


@router.post("/visits/{visit_id}/tasks", operation_id="mark_task", summary="Tick or skip a task")
async def mark_task(work: WorkDep, if_match: IfMatch, visit_id: UUID, said: TaskAct) -> VisitPublic:
    """The latest word about a task stands. Some wait for a vital check; a skipped one says why."""
    return await service.act(work, visit_id, ActKind.TASK, said, if_match)


@router.post("/visits/{visit_id}/readings", operation_id="add_visit_reading", summary="Record a reading")
async def add_reading(
    work: WorkDep, once: OnceDep, if_match: IfMatch, visit_id: UUID, said: ReadingAct
) -> VisitPublic:
    """Goes into the resident's vital record and is judged by her rules; the impossible is refused with a hint."""
    kept = await once(work, lambda: service.act(work, visit_id, ActKind.READING, said, if_match))
    return VisitPublic.model_validate(kept)


@router.post("/visits/{visit_id}/notes", operation_id="add_visit_note", summary="Write a note")
async def add_note(work: WorkDep, once: OnceDep, if_match: IfMatch, visit_id: UUID, said: NoteAct) -> VisitPublic:
    """Notes stand in the order in which they were written on the phone."""
    kept = await once(work, lambda: service.act(work, visit_id, ActKind.NOTE, said, if_match))
    return VisitPublic.model_validate(kept)


@router.post("/visits/{visit_id}/no-show", operation_id="end_as_no_show", summary="Nobody at home")
async def end_as_no_show(work: WorkDep, if_match: IfMatch, visit_id: UUID, said: NoShow) -> VisitPublic:
    """Ends the visit without a service, not billed as one; the centre hears of it as an incident at once."""
    return await service.act(work, visit_id, ActKind.NO_SHOW, said, if_match)


@router.post("/visits/{visit_id}/check-out", operation_id="check_out", summary="Leaving")
async def check_out(work: WorkDep, if_match: IfMatch, visit_id: UUID, said: CheckOut) -> VisitPublic:
    """Ends the visit, `verified` or `flagged`; the last one completes the order. A repeat changes nothing."""
    return await service.check_out(work, visit_id, said, if_match)


@router.post("/visits/{visit_id}/review", operation_id="review_visit", summary="Look at a flagged visit")
async def review_visit(work: WorkDep, if_match: IfMatch, visit_id: UUID, said: ReviewRequest) -> VisitPublic:
    """Accepting lets the visit count, and its bill fall due."""
    return await service.review(work, visit_id, said, if_match)
