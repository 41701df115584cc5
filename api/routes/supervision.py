"""Faults of terminals, and test calls that are missing."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from api.deps import IfMatch, WorkDep
from api.pagination import Page, PageDep, next_cursor
from services.supervision import service
from services.supervision.models import FaultPublic
from services.supervision.states import FaultStatus
from services.terminals.test_calls.models import OverdueTest
from services.terminals.test_calls.service import overdue_tests

router = APIRouter(tags=["terminals"])


class AssignFault(BaseModel):
    """Who sees to it."""

    account_id: UUID | None = Field(
        None,
        description="A colleague of the fault's centre; without one, oneself.",
        examples=["0190a0b0-0000-7000-8000-000000000001"],
    )


class ClearFault(BaseModel):
    """Why it needs nobody any more although the terminal has not recovered."""

    note: str = Field(min_length=2, max_length=500, examples=["长者住院，终端已断电"])


@router.get("/centres/{centre_id}/faults", operation_id="list_faults", summary="What is wrong with its terminals")
async def list_faults(
    work: WorkDep,
    page: PageDep,
    centre_id: UUID,
    status: Annotated[list[FaultStatus] | None, Query(description="Only these; else the live ones.")] = None,
) -> Page[FaultPublic]:
    """Newest first. A fault ends by itself once its terminal has been well for a while."""
    faults = await service.list_faults(work, centre_id, status or [], page.limit, page.cursor)
    items = [FaultPublic.model_validate(fault) for fault in faults]
    return Page(items=items, next_cursor=next_cursor([fault.id for fault in faults], page))


@router.post("/faults/{fault_id}/assign", operation_id="assign_fault", summary="Take a fault, or hand it on")
async def assign_fault(fault_id: UUID, body: AssignFault, work: WorkDep, if_match: IfMatch) -> FaultPublic:
    """Taken in time, it is not passed on to the centre's manager. Refused once it has ended (`fault_ended`)."""
    return FaultPublic.model_validate(await service.assign_fault(work, fault_id, body.account_id, if_match))


@router.post(
    "/faults/{fault_id}/clear", operation_id="clear_fault", summary="End a fault by hand, with the reason"
)
async def clear_fault(fault_id: UUID, body: ClearFault, work: WorkDep, if_match: IfMatch) -> FaultPublic:
    """It is not opened again before the terminal has been well in between, or for some days."""
    return FaultPublic.model_validate(await service.clear_fault(work, fault_id, body.note, if_match))


@router.get(
    "/centres/{centre_id}/overdue-tests",
    operation_id="list_overdue_tests",
    summary="Terminals without their monthly test call",
)
async def list_overdue_tests(work: WorkDep, page: PageDep, centre_id: UUID) -> Page[OverdueTest]:
    """How many days overdue; the profile says how often a terminal is tested."""
    items = list(await overdue_tests(work, centre_id, page.limit, page.cursor))
    return Page(items=items, next_cursor=next_cursor([item.terminal_id for item in items], page))
