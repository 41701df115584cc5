"""The tariffs' verbs: what an item costs where and when, under which circumstances; publishing versions."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.catalogue.factors import PriceContext
from services.catalogue.models import ItemFacts
from services.catalogue.pricing import PriceRule
from services.catalogue.repository import item_by_code
from services.centres.repository import centre_by_id
from services.core.areas import county_of
from services.core.clock import BUSINESS_ZONE
from services.core.database import Work
from services.core.effective import close_open_version, days_of, publishing, require_not_past, slot_of
from services.core.errors import NotFound
from services.core.geo import Point, distance_m
from services.institutions.models import Institution
from services.tariffs import repository
from services.tariffs.days import day_kind
from services.tariffs.errors import WrongBasis
from services.tariffs.models import (
    PriceBasis,
    Publication,
    SupplyPrice,
    SupplyPricePublic,
    SupplyPricePublish,
    Tariff,
    TariffPublic,
    TariffPublish,
)


@dataclass(frozen=True, slots=True)
class SupplyFigure:
    """The price of one unit of a supply, and the version it comes from."""

    name_zh: str
    name_en: str
    unit_fen: int
    source: str
    version: str
    verified: bool


async def price_rule_for(
    work: Work, item: ItemFacts, centre_id: UUID, institution_id: UUID | None, day: date
) -> PriceRule:
    """The price rule of an item on a day: the narrowest tariff in force, else the item's own rule.

    ``institution_id``: whose caregiver comes; ``None`` while nobody knows.
    """
    found = await repository.rule_in_force(work, item.code, centre_id, institution_id, day)
    return item.price_rule if found is None else PriceRule.model_validate(found)


async def supply_figure(
    work: Work, code: str, centre_id: UUID, institution_id: UUID | None, day: date
) -> SupplyFigure | None:
    """The price of a drug or consumable on a day; ``None`` where nobody has published one."""
    row = await repository.supply_in_force(work, code, centre_id, institution_id, day)
    if row is None:
        return None
    return SupplyFigure(
        name_zh=row.name_zh,
        name_en=row.name_en,
        unit_fen=row.unit_fen,
        source=row.source,
        version=row.valid_from.isoformat(),
        verified=row.verified,
    )


async def circumstances(
    work: Work,
    centre_id: UUID,
    home: Point,
    start: datetime,
    *,
    is_urgent: bool,
) -> PriceContext:
    """What a price may depend on for a service at a home: ``start`` is planned for a quote, actual for a bill.

    The distance is the straight line from the centre, in whole metres (rounded down). What the item adds
    (licences, risks) stands in ``catalogue.circumstances``.
    """
    centre = await centre_by_id(work, centre_id)
    if centre is None:
        raise NotFound
    return PriceContext(
        tags=frozenset({"urgent"}) if is_urgent else frozenset(),
        distance_m=int(distance_m(Point(centre.latitude, centre.longitude), home)),
        start=start,
        day_kind=day_kind(start.astimezone(BUSINESS_ZONE).date()),
    )


async def publish_tariff(work: Work, said: TariffPublish) -> TariffPublic:
    """Publish a version; the one in force ends on the day on which this one begins.

    Raises ``NotFound`` for an item, a centre or an institution that is not there or not in reach,
    ``StartsInThePast``, ``PeriodTaken``, ``WrongBasis``.
    """
    if await item_by_code(work, said.item_code) is None:
        raise NotFound
    area_code, institution = await _place(work, said)
    if institution is not None:
        foreign = PriceBasis.MARKET if institution.is_public else PriceBasis.PUBLIC_MEDICAL
        if said.basis is foreign:
            raise WrongBasis(field="basis")
    require_not_past(work, said.valid_from)
    slot = await slot_of(work, f"tariff:{_scope_key(area_code, said)}:{said.item_code}")
    await close_open_version(work, "tariff", slot, said.valid_from)
    row = Tariff(
        **said.model_dump(exclude={"price_rule"}),
        price_rule=said.price_rule.model_dump(mode="json"),
        slot=slot,
        days=days_of(slot, said.valid_from, said.valid_until),
        area_code=area_code,
        published_by=work.actor.account_id,
        published_at=work.now,
    )
    async with publishing(work, said.valid_from):
        work.session.add(row)
    return TariffPublic.model_validate(row)


async def publish_supply_price(work: Work, said: SupplyPricePublish) -> SupplyPricePublic:
    """Publish a supply's price; refusals as for a tariff."""
    area_code, _ = await _place(work, said)
    require_not_past(work, said.valid_from)
    slot = await slot_of(work, f"supply:{_scope_key(area_code, said)}:{said.code}")
    await close_open_version(work, "supply_price", slot, said.valid_from)
    row = SupplyPrice(
        **said.model_dump(),
        slot=slot,
        days=days_of(slot, said.valid_from, said.valid_until),
        area_code=area_code,
        published_by=work.actor.account_id,
        published_at=work.now,
    )
    async with publishing(work, said.valid_from):
        work.session.add(row)
    return SupplyPricePublic.model_validate(row)


async def list_tariffs(
    work: Work,
    limit: int,
    cursor: UUID | None,
    item_code: str | None,
    institution_id: UUID | None,
    day: date | None,
) -> list[TariffPublic]:
    """Versions of the county, newest first; with ``day`` those in force then."""
    rows = await repository.tariffs_page(work, limit, cursor, item_code, institution_id, day)
    return [TariffPublic.model_validate(row) for row in rows]


async def list_supply_prices(
    work: Work, limit: int, cursor: UUID | None, code: str | None, day: date | None
) -> list[SupplyPricePublic]:
    """Versions of the county, newest first; with ``day`` those in force then."""
    rows = await repository.supplies_page(work, limit, cursor, code, day)
    return [SupplyPricePublic.model_validate(row) for row in rows]


def _scope_key(area_code: str, said: Publication) -> str:
    return f"{area_code}:{said.centre_id or ''}:{said.institution_id or ''}"


async def _place(work: Work, said: Publication) -> tuple[str, Institution | None]:
    """The area in which something is to hold, and the institution it is for."""
    area_code: Any = county_of(work.actor.area_code)
    institution = None
    if said.centre_id is not None:
        centre = await centre_by_id(work, said.centre_id)
        if centre is None or not work.actor.covers_area(centre.area_code):
            raise NotFound
        area_code = centre.area_code
    elif not work.actor.covers_area(area_code):
        raise NotFound  # who works for one centre sets the prices of that centre only
    if said.institution_id is not None:
        institution = await work.session.get(Institution, said.institution_id)
        if institution is None or not institution.area_code.startswith(county_of(area_code)):
            raise NotFound
    return area_code, institution
