"""Mutual aid between centres with one order, and the orders that nobody took in time."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, status

from api.deps import OnceDep, WorkDep
from api.pagination import Page, PageDep, next_cursor
from services.dispatch.aid import service as aid
from services.dispatch.aid.models import AidAsk, AidedOrders, AidPublic
from services.dispatch.climbing.models import UntakenOrder
from services.dispatch.climbing.service import list_untaken

router = APIRouter(tags=["dispatch"])


@router.post(
    "/orders/{order_id}/aid",
    operation_id="ask_order_aid",
    summary="Ask a neighbouring centre for caregivers",
    status_code=status.HTTP_201_CREATED,
    response_model=AidPublic,
)
async def ask_order_aid(work: WorkDep, once: OnceDep, order_id: UUID, wish: AidAsk) -> Any:
    """It sees this order, without the resident, and may offer its caregivers. One's own centre stays in charge.

    Refusals: `order_not_open`, `neighbour_invalid`, `no_neighbour`.
    """
    return await once(work, lambda: aid.ask_aid(work, order_id, wish))


@router.get(
    "/centres/{centre_id}/aided-orders",
    operation_id="list_aided_orders",
    summary="Other centres' orders that a centre was asked to help with",
)
async def list_aided_orders(work: WorkDep, centre_id: UUID) -> AidedOrders:
    """What is to be done, when and roughly where. Suggestions and offers use the same routes as for one's own."""
    return await aid.list_aided(work, centre_id)


@router.get("/untaken-orders", operation_id="list_untaken_orders", summary="Orders that nobody took in time")
async def list_untaken_orders(work: WorkDep, page: PageDep) -> Page[UntakenOrder]:
    """Those that have climbed to a neighbour or to the county and still look for somebody, newest first."""
    rows = await list_untaken(work, page.limit, page.cursor)
    return Page(items=rows, next_cursor=next_cursor([row.order_id for row in rows], page))
