"""Suggestions, offers to caregivers, direct assignment."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, status

from api.deps import IfMatch, OnceDep, WorkDep
from services.core.database import Work
from services.dispatch import service
from services.dispatch.models import (
    AssignRequest,
    OffersCreate,
    OffersSent,
    ReassignRequest,
    ReleaseRequest,
    SuggestionsPublic,
)
from services.reports import service as reports
from services.reports.models import OrderDetail

router = APIRouter(tags=["dispatch"])


@router.get("/orders/{order_id}/suggestions", operation_id="get_suggestions", summary="Who could take this order")
async def get_suggestions(work: WorkDep, order_id: UUID) -> SuggestionsPublic:
    """Caregivers ranked with readable reasons and a proposed start, and those ruled out with theirs."""
    return await service.suggest(work, order_id)


@router.post(
    "/orders/{order_id}/offers",
    operation_id="send_offers",
    summary="Ask caregivers",
    status_code=status.HTTP_201_CREATED,
    response_model=OffersSent,
)
async def send_offers(work: WorkDep, once: OnceDep, order_id: UUID, wish: OffersCreate) -> Any:
    """The first to accept win, as many as the order needs.

    Refusals: `order_not_open`, `not_assignable` with the reasons, `start_invalid`.
    """
    return await once(work, lambda: service.send_offers(work, order_id, wish))


@router.post(
    "/orders/{order_id}/assign",
    operation_id="assign_order",
    summary="Assign directly, with an override where needed",
    response_model=OrderDetail,
)
async def assign_order(
    work: WorkDep, once: OnceDep, if_match: IfMatch, order_id: UUID, wish: AssignRequest
) -> Any:
    """Refused with the reasons (`not_assignable`) unless an `override` gives its own.

    Never passed: a missing or expired licence, too few years of practice, a closed institution, a start in the
    past, and a double booking (`double_booked`). `never_passed` says so on each reason.
    """
    return await once(work, lambda: _assign(work, order_id, wish, if_match))


@router.post("/orders/{order_id}/release", operation_id="release_caregiver", summary="Take a caregiver off")
async def release_caregiver(work: WorkDep, if_match: IfMatch, order_id: UUID, wish: ReleaseRequest) -> OrderDetail:
    """Before anybody has set out (`not_releasable` after); the order looks for somebody again."""
    await service.release(work, order_id, wish, if_match)
    return await reports.read_order(work, order_id)


@router.post(
    "/orders/{order_id}/reassign",
    operation_id="reassign_order",
    summary="Give a visit to another caregiver in one step",
    response_model=OrderDetail,
)
async def reassign_order(
    work: WorkDep, once: OnceDep, if_match: IfMatch, order_id: UUID, wish: ReassignRequest
) -> Any:
    """Before anybody has set out. Both are told; refused, the first caregiver keeps the visit.

    Refusals: `not_reassignable`, `not_assignable` with the reasons, `start_invalid`, `double_booked`.
    """
    return await once(work, lambda: _reassign(work, order_id, wish, if_match))


async def _reassign(work: Work, order_id: UUID, wish: ReassignRequest, if_match: int | None) -> OrderDetail:
    await service.reassign(work, order_id, wish, if_match)
    return await reports.read_order(work, order_id)


async def _assign(work: Work, order_id: UUID, wish: AssignRequest, if_match: int | None) -> OrderDetail:
    await service.assign(work, order_id, wish, if_match)
    return await reports.read_order(work, order_id)
