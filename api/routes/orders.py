"""Orders from placing to rating."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, status

from api.deps import IfMatch, OnceDep, WorkDep
from api.pagination import Page, PageDep, next_cursor
from services.billing.reading import get_settlement as read_settlement
from services.billing.views import SettlementPublic
from services.dispatch import service as dispatch
from services.orders import service
from services.orders.models import CancelRequest, OrderChangePublic, OrderPublic, StatusChangePublic
from services.orders.states import OrderStatus
from services.orders.wishes import OrderCreate, RescheduleRequest, WishesChange
from services.quality.models import RatingCreate, RatingPublic
from services.quality.service import rate
from services.reports import service as reports
from services.reports.models import OrderDetail

router = APIRouter(tags=["orders"])


@router.post(
    "/orders",
    operation_id="place_order",
    summary="Order a service",
    status_code=status.HTTP_201_CREATED,
    response_model=OrderPublic,
)
async def place_order(work: WorkDep, once: OnceDep, wish: OrderCreate) -> Any:
    """Goes to the centre of the resident's area. One or several items and windows; the quote is kept.

    Refusals: `may_not_order`, `items_refused` (every item with all its problems), `window_invalid`, `no_centre`,
    `entitlement_exhausted`, `quote_expired`, `quote_used`, `quote_foreign`, `quote_altered`, `gender_missing`,
    `caregiver_unknown`, `caller_not_by_phone`.
    """
    return await once(work, lambda: service.place_order(work, wish))


@router.get("/orders", operation_id="list_orders", summary="List orders in reach")
async def list_orders(
    work: WorkDep,
    page: PageDep,
    statuses: Annotated[list[OrderStatus], Query(alias="status", max_length=6)] = [],  # noqa: B006  never changed
    resident_id: UUID | None = None,
    care_plan_id: UUID | None = None,
) -> Page[OrderPublic]:
    """Newest first. `status` may be given several times."""
    rows = await service.list_orders(work, page.limit, page.cursor, statuses, resident_id, care_plan_id)
    return Page(items=rows, next_cursor=next_cursor([row.id for row in rows], page))


@router.get("/orders/{order_id}", operation_id="get_order", summary="Read one order")
async def get_order(work: WorkDep, order_id: UUID) -> OrderDetail:
    """With its offers, bookings and visits. Leaves a row in the access log."""
    return await reports.read_order(work, order_id)


@router.get("/orders/{order_id}/history", operation_id="get_order_history", summary="An order's history")
async def get_order_history(work: WorkDep, order_id: UUID) -> Page[StatusChangePublic]:
    """Every status change of the order, its visits, offers and bill, oldest first; one page."""
    return Page(items=await reports.read_history(work, order_id))


@router.get("/orders/{order_id}/changes", operation_id="list_order_changes", summary="An order's changes")
async def list_order_changes(work: WorkDep, page: PageDep, order_id: UUID) -> Page[OrderChangePublic]:
    """Other times and other wishes, newest first, as they were before and after."""
    rows = await service.list_changes(work, order_id, page.limit, page.cursor)
    return Page(items=rows, next_cursor=next_cursor([row.id for row in rows], page))


@router.post("/orders/{order_id}/reschedule", operation_id="reschedule_order", summary="Give an order other times")
async def reschedule_order(
    work: WorkDep, if_match: IfMatch, order_id: UUID, wish: RescheduleRequest
) -> OrderDetail:
    """At the quoted price; offers for the old times are withdrawn. `taken_already`: release it first."""
    await dispatch.reschedule_order(work, order_id, wish, if_match)
    return await reports.read_order(work, order_id)


@router.patch("/orders/{order_id}/wishes", operation_id="change_order_wishes", summary="Change an order's wishes")
async def change_order_wishes(
    work: WorkDep, if_match: IfMatch, order_id: UUID, change: WishesChange
) -> OrderDetail:
    """What is left out stays. Who should come: while nobody has it. Note and access: until they are on the way."""
    await dispatch.change_order_wishes(work, order_id, change, if_match)
    return await reports.read_order(work, order_id)


@router.post("/orders/{order_id}/cancel", operation_id="cancel_order", summary="Cancel an order")
async def cancel_order(work: WorkDep, if_match: IfMatch, order_id: UUID, body: CancelRequest) -> OrderDetail:
    """Takes back offers, bookings and visits with it. Not once somebody is on the way (`not_cancellable`)."""
    await dispatch.cancel_order(work, order_id, body.reason, if_match)
    return await reports.read_order(work, order_id)


@router.get(
    "/orders/{order_id}/settlement", operation_id="get_settlement", summary="The bill of a completed order"
)
async def get_settlement(work: WorkDep, order_id: UUID) -> SettlementPublic:
    """Lines in fen that add up exactly. `not_settled` shortly after completion; `held` while flagged."""
    return await read_settlement(work, order_id)


@router.post(
    "/orders/{order_id}/rating",
    operation_id="rate_order",
    summary="Rate a completed order, once",
    status_code=status.HTTP_201_CREATED,
    response_model=RatingPublic,
)
async def rate_order(work: WorkDep, once: OnceDep, order_id: UUID, said: RatingCreate) -> Any:
    """By the resident or the family. A second rating is refused (`already_rated`)."""
    return await once(work, lambda: rate(work, order_id, said))
