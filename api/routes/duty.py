"""Duty: who is on, rotas, replacements and swaps."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter

from api.deps import IfMatch, OnceDep, WorkDep
from api.pagination import Page, PageDep, next_cursor
from services.core.actor import Role
from services.duty import rotas, service, swaps
from services.duty.models import (
    DutyNow,
    Gap,
    NewOverride,
    NewRota,
    NewSwap,
    OverridePublic,
    RotaFields,
    RotaPublic,
    SwapPublic,
)

router = APIRouter(tags=["duty"])


@router.get("/centres/{centre_id}/duty", operation_id="get_duty", summary="Who is on duty now, and next")
async def get_duty(centre_id: UUID, work: WorkDep, role: Role = Role.DISPATCHER) -> DutyNow:
    """Without a rota in force (`has_rota` false) everybody with the role counts."""
    return await service.duty_now(work, centre_id, role)


@router.get("/centres/{centre_id}/duty/gaps", operation_id="list_duty_gaps", summary="When nobody will be on duty")
async def list_duty_gaps(centre_id: UUID, work: WorkDep, role: Role = Role.DISPATCHER) -> Page[Gap]:
    """Within the next 14 days, in order of time; one page."""
    return Page(items=await service.gaps_ahead(work, centre_id, role))


@router.get("/duty/rotas", operation_id="list_rotas", summary="Rotas in one's reach")
async def list_rotas(work: WorkDep, page: PageDep, centre_id: UUID | None = None) -> Page[RotaPublic]:
    """Newest first."""
    items = await rotas.list_rotas(work, centre_id, page.limit, page.cursor)
    return Page(items=items, next_cursor=next_cursor([item.id for item in items], page))


@router.post(
    "/duty/rotas", operation_id="create_rota", summary="Make a rota", status_code=201, response_model=RotaPublic
)
async def create_rota(body: NewRota, work: WorkDep, once: OnceDep) -> Any:
    """Weekly shifts in the business calendar, with people taking turns week by week."""
    return await once(work, lambda: rotas.create_rota(work, body))


@router.get("/duty/rotas/{rota_id}", operation_id="get_rota", summary="One rota")
async def get_rota(rota_id: UUID, work: WorkDep) -> RotaPublic:
    """With its shifts and turns."""
    return await rotas.read_rota(work, rota_id)


@router.put("/duty/rotas/{rota_id}", operation_id="change_rota", summary="Write a rota anew")
async def change_rota(rota_id: UUID, body: RotaFields, work: WorkDep, if_match: IfMatch) -> RotaPublic:
    """What it said before stays on record. `valid_to` ends it."""
    return await rotas.change_rota(work, rota_id, body, if_match)


@router.get("/duty/rotas/{rota_id}/overrides", operation_id="list_overrides", summary="Replacements in a rota")
async def list_overrides(rota_id: UUID, work: WorkDep, page: PageDep) -> Page[OverridePublic]:
    """Newest first, cancelled ones too."""
    rows = await rotas.list_overrides(work, rota_id, page.limit, page.cursor)
    items = [OverridePublic.model_validate(row) for row in rows]
    return Page(items=items, next_cursor=next_cursor([item.id for item in items], page))


@router.post(
    "/duty/rotas/{rota_id}/overrides",
    operation_id="add_override",
    summary="Replace somebody for a while",
    status_code=201,
    response_model=OverridePublic,
)
async def add_override(rota_id: UUID, body: NewOverride, work: WorkDep, once: OnceDep) -> Any:
    """The one who comes takes exactly what the absent one has in that time."""
    return await once(work, lambda: rotas.add_override(work, rota_id, body))


@router.post(
    "/duty/overrides/{override_id}/cancel", operation_id="cancel_override", summary="Take a replacement back"
)
async def cancel_override(override_id: UUID, work: WorkDep, if_match: IfMatch) -> OverridePublic:
    """It stays on record; the rota speaks again."""
    return OverridePublic.model_validate(await rotas.cancel_override(work, override_id, if_match))


@router.get("/duty/swaps", operation_id="list_swaps", summary="Swaps in one's reach")
async def list_swaps(work: WorkDep, page: PageDep) -> Page[SwapPublic]:
    """Newest first, with both sides."""
    items = [SwapPublic.model_validate(row) for row in await swaps.list_swaps(work, page.limit, page.cursor)]
    return Page(items=items, next_cursor=next_cursor([item.id for item in items], page))


@router.post(
    "/duty/swaps",
    operation_id="request_swap",
    summary="Ask to swap duty",
    status_code=201,
    response_model=SwapPublic,
)
async def request_swap(body: NewSwap, work: WorkDep, once: OnceDep) -> Any:
    """A stretch of one's own duty, perhaps for one of the other's. Nothing changes until it is accepted."""
    return await once(work, lambda: swaps.request_swap(work, body))


@router.post("/duty/swaps/{swap_id}/accept", operation_id="accept_swap", summary="Agree to a swap")
async def accept_swap(swap_id: UUID, work: WorkDep, if_match: IfMatch) -> SwapPublic:
    """By the colleague who was asked; in force at once."""
    return SwapPublic.model_validate(await swaps.accept_swap(work, swap_id, if_match))


@router.post("/duty/swaps/{swap_id}/decline", operation_id="decline_swap", summary="Decline a swap")
async def decline_swap(swap_id: UUID, work: WorkDep, if_match: IfMatch) -> SwapPublic:
    """By the colleague who was asked; everything stays as it was."""
    return SwapPublic.model_validate(await swaps.decline_swap(work, swap_id, if_match))


@router.post("/duty/swaps/{swap_id}/withdraw", operation_id="withdraw_swap", summary="Take a request back")
async def withdraw_swap(swap_id: UUID, work: WorkDep, if_match: IfMatch) -> SwapPublic:
    """By whoever asked, before it was answered."""
    return SwapPublic.model_validate(await swaps.withdraw_swap(work, swap_id, if_match))
