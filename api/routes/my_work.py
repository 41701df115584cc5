"""A caregiver's own pages: file, week, leave, swaps."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, status

from api.deps import HouseDep, IfMatch, OnceDep, WorkDep
from services.caregivers import service
from services.caregivers.absences import service as absences
from services.caregivers.absences.models import AbsenceSaved, NewAbsence
from services.caregivers.file_models import CaregiverPublic, Travel
from services.caregivers.rota import service as rota
from services.caregivers.rota.models import Monday, OwnWeek, TeamWeek
from services.caregivers.service import own_id
from services.caregivers.swaps import service as swaps
from services.caregivers.swaps.models import NewShiftSwap, ShiftSwapSaved

router = APIRouter(tags=["my work"])

Week = Annotated[Monday | None, Query(description="The week's Monday; the present week by default.")]


@router.get("/me/caregiver", operation_id="get_my_caregiver_file", summary="My file")
async def get_my_file(work: WorkDep, house: HouseDep) -> CaregiverPublic:
    """With credentials and working-time limits; numbers are masked."""
    return await service.read_own(work, house.vault)


@router.put("/me/caregiver/travel", operation_id="change_my_travel", summary="How I get about")
async def change_my_travel(work: WorkDep, house: HouseDep, if_match: IfMatch, body: Travel) -> CaregiverPublic:
    """Travel mode, and the place from which the day's first way begins."""
    return await service.change_own_travel(work, house.vault, body, if_match)


@router.get("/me/week", operation_id="get_my_week", summary="My week")
async def get_my_week(work: WorkDep, monday: Week = None) -> OwnWeek:
    """Published shifts, being on call, absences, and the times that are booked."""
    return await rota.read_own_week(work, own_id(work), monday)


@router.get("/me/team-week", operation_id="get_my_team_week", summary="My colleagues' published week")
async def get_my_team_week(work: WorkDep, monday: Week = None) -> TeamWeek:
    """Whom one might ask to swap."""
    return await rota.read_team_week(work, own_id(work), monday)


@router.post(
    "/me/absences",
    operation_id="request_my_absence",
    summary="Ask for leave, or report sickness",
    status_code=status.HTTP_201_CREATED,
    response_model=AbsenceSaved,
)
async def request_my_absence(work: WorkDep, once: OnceDep, body: NewAbsence) -> Any:
    """Leave and training wait for the manager; sickness is in force at once."""
    return await once(work, lambda: absences.request_absence(work, own_id(work), body))


@router.post(
    "/me/shift-swaps",
    operation_id="request_shift_swap",
    summary="Ask a colleague to swap",
    status_code=status.HTTP_201_CREATED,
    response_model=ShiftSwapSaved,
)
async def request_shift_swap(work: WorkDep, once: OnceDep, body: NewShiftSwap) -> Any:
    """One's own shift, perhaps for one of the colleague's. Refusals: `swap_under_way`, `shifts_overlap`."""
    return await once(work, lambda: swaps.request_swap(work, own_id(work), body))


@router.post(
    "/me/shift-swaps/{shift_swap_id}/agree", operation_id="agree_to_shift_swap", summary="Agree to a swap"
)
async def agree(work: WorkDep, if_match: IfMatch, shift_swap_id: UUID) -> ShiftSwapSaved:
    """By the colleague who was asked; then the manager decides."""
    return await swaps.agree(work, own_id(work), shift_swap_id, if_match)


@router.post(
    "/me/shift-swaps/{shift_swap_id}/decline", operation_id="decline_shift_swap", summary="Decline a swap"
)
async def decline(work: WorkDep, if_match: IfMatch, shift_swap_id: UUID) -> ShiftSwapSaved:
    """By the colleague who was asked."""
    return await swaps.decline(work, own_id(work), shift_swap_id, if_match)


@router.post(
    "/me/shift-swaps/{shift_swap_id}/withdraw", operation_id="withdraw_shift_swap", summary="Take a swap back"
)
async def withdraw(work: WorkDep, if_match: IfMatch, shift_swap_id: UUID) -> ShiftSwapSaved:
    """By whoever asked, before it is decided."""
    return await swaps.withdraw(work, own_id(work), shift_swap_id, if_match)
