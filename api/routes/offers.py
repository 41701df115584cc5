"""Offers, as caregivers answer them."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from api.deps import IfMatch, WorkDep
from api.pagination import Page, PageDep, next_cursor
from services.dispatch import service
from services.dispatch.models import DeclineRequest, OfferPublic
from services.dispatch.states import OfferStatus

router = APIRouter(tags=["dispatch"])


@router.get("/offers", operation_id="list_offers", summary="List offers")
async def list_offers(
    work: WorkDep,
    page: PageDep,
    order_id: UUID | None = None,
    statuses: Annotated[list[OfferStatus], Query(alias="status", max_length=7)] = [],  # noqa: B006  never changed
) -> Page[OfferPublic]:
    """A caregiver's own, pending unless `status` says otherwise; a centre's, for its dispatcher."""
    rows = await service.list_offers(work, page.limit, page.cursor, order_id, statuses)
    return Page(items=rows, next_cursor=next_cursor([row.id for row in rows], page))


@router.post("/offers/{offer_id}/accept", operation_id="accept_offer", summary="Take the order")
async def accept_offer(work: WorkDep, if_match: IfMatch, offer_id: UUID) -> OfferPublic:
    """The first to accept win; repeating an acceptance gives the same answer.

    Refusals: `offer_expired`, `offer_closed`, `double_booked`, `not_assignable`.
    """
    return await service.accept(work, offer_id, if_match)


@router.post("/offers/{offer_id}/decline", operation_id="decline_offer", summary="Say no")
async def decline_offer(
    work: WorkDep, if_match: IfMatch, offer_id: UUID, body: DeclineRequest | None = None
) -> OfferPublic:
    """Repeating it gives the same answer. Refusals: `offer_expired`, `offer_closed`."""
    said = body or DeclineRequest(reason="")
    return await service.decline(work, offer_id, said.reason, if_match, said.code)
