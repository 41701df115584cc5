"""Bills beyond the order's own: a resident's, who would pay for a quote, agreements, adjustments."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, status

from api.deps import IfMatch, OnceDep, WorkDep
from api.pagination import Page, PageDep, next_cursor
from services.billing import adjusting, agreements, reading
from services.billing.states import AdjustmentStatus
from services.billing.views import (
    AdjustmentCreate,
    AdjustmentDecision,
    AdjustmentPublic,
    AgreementCreate,
    AgreementPublic,
    BillSummary,
    SplitPublic,
)

router = APIRouter(tags=["money"])


@router.get("/quotes/{quote_id}/split", operation_id="get_quote_split", summary="Who would pay for a quote")
async def get_quote_split(quote_id: UUID, work: WorkDep) -> SplitPublic:
    """An estimate, line by line and payer by payer; nothing is set aside by asking."""
    return await reading.split_of_quote(work, quote_id)


@router.get("/residents/{resident_id}/bills", operation_id="list_resident_bills", summary="A resident's bills")
async def list_resident_bills(resident_id: UUID, work: WorkDep, page: PageDep) -> Page[BillSummary]:
    """Newest first, each with its own part and one plain sentence. The read is audited."""
    rows = await reading.list_bills(work, resident_id, page.limit, page.cursor)
    return Page(items=rows, next_cursor=next_cursor([row.id for row in rows], page))


@router.post(
    "/orders/{order_id}/agreements",
    operation_id="agree_beyond_quote",
    summary="Agree to more than the quote",
    status_code=status.HTTP_201_CREATED,
    response_model=AgreementPublic,
)
async def agree_beyond_quote(order_id: UUID, work: WorkDep, once: OnceDep, body: AgreementCreate) -> Any:
    """Extra time or dearer circumstances, before the bill is due; without it nothing of the kind is billed."""
    return await once(work, lambda: agreements.agree(work, order_id, body))


@router.post(
    "/orders/{order_id}/adjustments",
    operation_id="propose_adjustment",
    summary="Propose a correction of a bill",
    status_code=status.HTTP_201_CREATED,
    response_model=AdjustmentPublic,
)
async def propose_adjustment(order_id: UUID, work: WorkDep, once: OnceDep, body: AdjustmentCreate) -> Any:
    """Lower some lines, or make the bill anew from the visit's corrected facts. Another person decides.

    Refusals: `not_settled`, `bill_held`, `adjustment_open`, `line_not_lower`, `nothing_to_adjust`.
    """
    return await once(work, lambda: adjusting.propose(work, order_id, body))


@router.get("/adjustments", operation_id="list_adjustments", summary="Corrections of bills")
async def list_adjustments(
    work: WorkDep,
    page: PageDep,
    state: Annotated[AdjustmentStatus | None, Query(alias="status")] = None,
    order: UUID | None = None,
) -> Page[AdjustmentPublic]:
    """Newest first, in reach."""
    rows = await adjusting.list_adjustments(work, page.limit, page.cursor, state, order)
    return Page(items=rows, next_cursor=next_cursor([row.id for row in rows], page))


@router.post(
    "/adjustments/{adjustment_id}/decision",
    operation_id="decide_adjustment",
    summary="Approve or reject a correction",
)
async def decide_adjustment(
    adjustment_id: UUID, work: WorkDep, if_match: IfMatch, body: AdjustmentDecision
) -> AdjustmentPublic:
    """An approval reverses what was booked and books the new lines at once; never by who proposed it
    (`second_person_needed`)."""
    return await adjusting.decide(work, adjustment_id, body, if_match)
