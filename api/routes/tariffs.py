"""Tariffs and supply prices: what is in force, and publishing versions."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, status

from api.deps import OnceDep, WorkDep
from api.pagination import Page, PageDep, next_cursor
from services.core.calendar import Day
from services.tariffs import service
from services.tariffs.models import SupplyPricePublic, SupplyPricePublish, TariffPublic, TariffPublish

router = APIRouter(tags=["money"])


@router.get("/tariffs", operation_id="list_tariffs", summary="Tariffs of the county")
async def list_tariffs(
    work: WorkDep,
    page: PageDep,
    item_code: str | None = None,
    institution: UUID | None = None,
    day: Day | None = None,
) -> Page[TariffPublic]:
    """Every published version, newest first; with `day` those in force then. The narrowest counts: institution
    and centre, institution, centre, county; without any, the item's own price rule."""
    rows = await service.list_tariffs(work, page.limit, page.cursor, item_code, institution, day)
    return Page(items=rows, next_cursor=next_cursor([row.id for row in rows], page))


@router.post(
    "/tariffs",
    operation_id="publish_tariff",
    summary="Publish a tariff version",
    status_code=status.HTTP_201_CREATED,
    response_model=TariffPublic,
)
async def publish_tariff(work: WorkDep, once: OnceDep, body: TariffPublish) -> Any:
    """Never edits one: the version in force ends on the day on which this one begins.

    Refusals: `starts_in_the_past`, `period_taken`, `wrong_basis`. A manager publishes for the own centre.
    """
    return await once(work, lambda: service.publish_tariff(work, body))


@router.get("/supply-prices", operation_id="list_supply_prices", summary="Prices of drugs and consumables")
async def list_supply_prices(
    work: WorkDep, page: PageDep, code: str | None = None, day: Day | None = None
) -> Page[SupplyPricePublic]:
    """Every published version, newest first; with `day` those in force then."""
    rows = await service.list_supply_prices(work, page.limit, page.cursor, code, day)
    return Page(items=rows, next_cursor=next_cursor([row.id for row in rows], page))


@router.post(
    "/supply-prices",
    operation_id="publish_supply_price",
    summary="Publish the price of a drug or consumable",
    status_code=status.HTTP_201_CREATED,
    response_model=SupplyPricePublic,
)
async def publish_supply_price(work: WorkDep, once: OnceDep, body: SupplyPricePublish) -> Any:
    """By the institution's own policy; refusals as for tariffs."""
    return await once(work, lambda: service.publish_supply_price(work, body))
