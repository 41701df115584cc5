"""Leave and sickness of caregivers, and swaps of shifts, as the centre sees them."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, status

from api.deps import IfMatch, OnceDep, WorkDep
from api.pagination import Page, PageDep, next_cursor
from services.caregivers.absences import service
from services.caregivers.absences.models import AbsenceChange, AbsencePublic, AbsenceSaved, Decision, NewAbsence
from services.caregivers.states import AbsenceStatus, ShiftSwapStatus
from services.caregivers.swaps import service as swaps
from services.caregivers.swaps.models import ShiftSwapPublic, ShiftSwapSaved, SwapDecision

router = APIRouter(tags=["rota"])

Absences = Annotated[list[AbsenceStatus], Query(alias="status", max_length=4)]
Swaps = Annotated[list[ShiftSwapStatus], Query(alias="status", max_length=7)]


@router.get("/absences", operation_id="list_absences", summary="Leave and sickness in one's reach")
async def list_absences(
    work: WorkDep,
    page: PageDep,
    centre_id: UUID | None = None,
    statuses: Absences = [],  # noqa: B006  never changed
) -> Page[AbsencePublic]:
    """Newest first; a caregiver's own."""
    rows = await service.list_absences(work, page.limit, page.cursor, centre_id, statuses)
    return Page(items=rows, next_cursor=next_cursor([row.id for row in rows], page))


@router.post(
    "/caregivers/{caregiver_id}/absences",
    operation_id="report_absence",
    summary="Write down leave or sickness for a caregiver",
    status_code=status.HTTP_201_CREATED,
    response_model=AbsenceSaved,
)
async def report_absence(work: WorkDep, once: OnceDep, caregiver_id: UUID, body: NewAbsence) -> Any:
    """For who calls in. Sickness is in force at once; leave still needs the manager."""
    return await once(work, lambda: service.request_absence(work, caregiver_id, body))


@router.post("/absences/{absence_id}/approve", operation_id="approve_absence", summary="Approve leave")
async def approve_absence(work: WorkDep, if_match: IfMatch, absence_id: UUID, body: Decision) -> AbsenceSaved:
    """In force from now on; the answer lists the visits that are to be moved."""
    return await service.approve(work, absence_id, body, if_match)


@router.post("/absences/{absence_id}/decline", operation_id="decline_absence", summary="Decline leave")
async def decline_absence(work: WorkDep, if_match: IfMatch, absence_id: UUID, body: Decision) -> AbsenceSaved:
    """Nothing changes in the rota."""
    return await service.decline(work, absence_id, body, if_match)


@router.post("/absences/{absence_id}/withdraw", operation_id="withdraw_absence", summary="Take leave back")
async def withdraw_absence(work: WorkDep, if_match: IfMatch, absence_id: UUID) -> AbsenceSaved:
    """By the caregiver or the centre. One under way ends now."""
    return await service.withdraw(work, absence_id, if_match)


@router.put("/absences/{absence_id}/end", operation_id="change_absence_end", summary="Back sooner, or later")
async def change_absence_end(
    work: WorkDep, if_match: IfMatch, absence_id: UUID, body: AbsenceChange
) -> AbsenceSaved:
    """A caregiver changes her sickness; approved leave is changed by the centre."""
    return await service.change_end(work, absence_id, body, if_match)


@router.get("/shift-swaps", operation_id="list_shift_swaps", summary="Swaps in one's reach")
async def list_shift_swaps(
    work: WorkDep,
    page: PageDep,
    centre_id: UUID | None = None,
    statuses: Swaps = [],  # noqa: B006  never changed
) -> Page[ShiftSwapPublic]:
    """Newest first; a caregiver's are those that she has a side in."""
    rows = await swaps.list_swaps(work, page.limit, page.cursor, centre_id, statuses)
    return Page(items=rows, next_cursor=next_cursor([row.id for row in rows], page))


@router.post("/shift-swaps/{shift_swap_id}/approve", operation_id="approve_shift_swap", summary="Approve a swap")
async def approve_swap(
    work: WorkDep, if_match: IfMatch, shift_swap_id: UUID, body: SwapDecision
) -> ShiftSwapSaved:
    """Both shifts change hands at once. Refusals: `shift_changed`, `visits_booked`, `working_time_exceeded`."""
    return await swaps.approve(work, shift_swap_id, body, if_match)


@router.post("/shift-swaps/{shift_swap_id}/refuse", operation_id="refuse_shift_swap", summary="Refuse a swap")
async def refuse_swap(work: WorkDep, if_match: IfMatch, shift_swap_id: UUID, body: SwapDecision) -> ShiftSwapSaved:
    """Each keeps what he has."""
    return await swaps.refuse(work, shift_swap_id, body, if_match)
