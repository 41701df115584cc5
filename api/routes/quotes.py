"""Prices before an order: asked for, kept, and taken by one order."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, status

from api.deps import OnceDep, WorkDep
from api.pagination import Page, PageDep, next_cursor
from services.orders import service
from services.orders.models import QuotePublic
from services.orders.wishes import QuoteCreate

router = APIRouter(tags=["orders"])


@router.post(
    "/quotes",
    operation_id="ask_price",
    summary="Ask what an order would cost",
    status_code=status.HTTP_201_CREATED,
    response_model=QuotePublic,
)
async def ask_price(work: WorkDep, once: OnceDep, wish: QuoteCreate) -> Any:
    """Checked like an order and kept until `expires_at`. The same question within a double tap: the same quote.

    Refusals: `may_not_order`, `items_refused`, `window_invalid`, `entitlement_exhausted`, `no_centre`.
    """
    return await once(work, lambda: service.ask_price(work, wish))


@router.get("/quotes", operation_id="list_quotes", summary="List quotes in reach")
async def list_quotes(work: WorkDep, page: PageDep, resident_id: UUID | None = None) -> Page[QuotePublic]:
    """Newest first. Orders without a quote of their own made one as well."""
    rows = await service.list_quotes(work, page.limit, page.cursor, resident_id)
    return Page(items=rows, next_cursor=next_cursor([row.id for row in rows], page))


@router.get("/quotes/{quote_id}", operation_id="get_quote", summary="Read a quote")
async def get_quote(work: WorkDep, quote_id: UUID) -> QuotePublic:
    """Its lines, its total and until when it holds; the bill is compared with it."""
    return await service.read_quote(work, quote_id)
