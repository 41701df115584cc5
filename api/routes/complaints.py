"""Complaints as cases."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response, status

from api.deps import IfMatch, OnceDep, WorkDep
from api.pagination import Page, PageDep, next_cursor
from services.complaints import reading, service
from services.complaints.models import (
    AppealCreate,
    ComplaintAboutMe,
    ComplaintCreate,
    ComplaintPublic,
    ComplaintSummary,
    Decision,
    EntryCreate,
    StatementCreate,
    WithdrawRequest,
)
from services.complaints.states import ComplaintStatus

router = APIRouter(tags=["complaints"])


@router.post(
    "/complaints",
    operation_id="open_complaint",
    summary="Complain",
    status_code=status.HTTP_201_CREATED,
    response_model=ComplaintPublic,
)
async def open_complaint(work: WorkDep, once: OnceDep, said: ComplaintCreate) -> Any:
    """By the household, or by staff in her words on the phone. It has a number and deadlines at once."""
    return await once(work, lambda: service.open_complaint(work, said))


@router.get("/complaints", operation_id="list_complaints", summary="Cases in reach")
async def list_complaints(
    work: WorkDep,
    page: PageDep,
    statuses: Annotated[list[ComplaintStatus], Query(alias="status", max_length=6)] = [],  # noqa: B006  never changed
    overdue: bool = False,
    resident_id: UUID | None = None,
) -> Page[ComplaintSummary]:
    """Newest first. `overdue` keeps those whose present step is late."""
    rows = await reading.list_complaints(work, page.limit, page.cursor, statuses, overdue, resident_id)
    return Page(items=rows, next_cursor=next_cursor([row.id for row in rows], page))


@router.get("/complaints/{complaint_id}", operation_id="get_complaint", summary="Read one case")
async def get_complaint(work: WorkDep, complaint_id: UUID) -> ComplaintPublic:
    """With parties and file, as far as the reader's role goes. Leaves a row in the access log."""
    return await reading.get_complaint(work, complaint_id)


@router.post("/complaints/{complaint_id}/take", operation_id="take_complaint", summary="I look into it")
async def take_complaint(work: WorkDep, if_match: IfMatch, complaint_id: UUID) -> ComplaintPublic:
    """By name; a colleague may take it over."""
    return await service.take(work, complaint_id, if_match)


@router.post(
    "/complaints/{complaint_id}/entries",
    operation_id="add_complaint_entry",
    summary="Write into the case's file",
    status_code=status.HTTP_201_CREATED,
    response_model=ComplaintPublic,
)
async def add_complaint_entry(work: WorkDep, once: OnceDep, complaint_id: UUID, said: EntryCreate) -> Any:
    """A call, evidence, a note, or what a party said. Nobody edits it afterwards."""
    return await once(work, lambda: service.write_entry(work, complaint_id, said))


@router.post("/complaints/{complaint_id}/decide", operation_id="decide_complaint", summary="What was found")
async def decide_complaint(
    work: WorkDep, if_match: IfMatch, complaint_id: UUID, said: Decision
) -> ComplaintPublic:
    """Of an appeal: by the county, by somebody else than the first time, and final (`same_judge`)."""
    return await service.decide(work, complaint_id, said, if_match)


@router.post("/complaints/{complaint_id}/appeal", operation_id="appeal_complaint", summary="Do not agree")
async def appeal_complaint(
    work: WorkDep, if_match: IfMatch, complaint_id: UUID, said: AppealCreate
) -> ComplaintPublic:
    """Within the time that the answer names (`may_appeal_until`); the county decides."""
    return await service.appeal(work, complaint_id, said, if_match)


@router.post("/complaints/{complaint_id}/withdraw", operation_id="withdraw_complaint", summary="Take it back")
async def withdraw_complaint(
    work: WorkDep, if_match: IfMatch, complaint_id: UUID, said: WithdrawRequest
) -> ComplaintPublic:
    """By the household, before it is decided."""
    return await service.withdraw(work, complaint_id, said, if_match)


@router.get("/me/complaints", operation_id="list_complaints_about_me", summary="Cases that concern me")
async def list_complaints_about_me(work: WorkDep, page: PageDep) -> Page[ComplaintAboutMe]:
    """For caregivers: the kind and the finding, not whose words brought it about."""
    rows = await reading.list_about_me(work, page.limit, page.cursor)
    return Page(items=rows, next_cursor=next_cursor([row.id for row in rows], page))


@router.post(
    "/me/complaints/{complaint_id}/statement",
    operation_id="state_in_complaint",
    summary="My side of it",
    status_code=status.HTTP_204_NO_CONTENT,
)
async def state_in_complaint(work: WorkDep, complaint_id: UUID, said: StatementCreate) -> Response:
    """A caregiver whom the case concerns is heard before it is decided."""
    await service.state(work, complaint_id, said)
    return Response(status_code=status.HTTP_204_NO_CONTENT)


@router.post(
    "/me/complaints/{complaint_id}/appeal",
    operation_id="appeal_complaint_about_me",
    summary="Do not agree with a finding about me",
    status_code=status.HTTP_204_NO_CONTENT,
)
async def appeal_complaint_about_me(work: WorkDep, complaint_id: UUID, said: AppealCreate) -> Response:
    """The same right and the same time as the household's."""
    await service.appeal_as_caregiver(work, complaint_id, said)
    return Response(status_code=status.HTTP_204_NO_CONTENT)
