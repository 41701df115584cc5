"""Tariffs in versions: the narrowest in force counts, overlaps are impossible, what is published stays."""

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.catalogue.service import seed_items
from services.core.actor import Role
from services.core.clock import BUSINESS_ZONE
from services.core.effective import PeriodTaken, StartsInThePast
from services.core.errors import DomainError, NotFound
from services.core.ids import new_id
from services.institutions.models import Institution, InstitutionKind
from services.institutions.states import InstitutionStatus
from services.tariffs.errors import WrongBasis
from services.tariffs.models import SupplyPricePublish, TariffPublic, TariffPublish
from services.tariffs.service import price_rule_for, publish_supply_price, publish_tariff, supply_figure
from tests.ordering import Ordering

ITEM = next(item for item in seed_items() if item.code == "cleaning")


def day_after(ordering: Ordering, days: int) -> date:
    return ordering.clock.now().astimezone(BUSINESS_ZONE).date() + timedelta(days=days)


def said(first: date, fen: int, **more: Any) -> TariffPublish:
    return TariffPublish.model_validate(
        {
            "item_code": "cleaning",
            "valid_from": first,
            "basis": "tender",
            "reason": "测试",
            "price_rule": {
                "source": "测试",
                "version": str(fen),
                "effective_date": first,
                "verified": False,
                "components": [
                    {"code": "service", "name_zh": "费", "name_en": "Fee", "kind": "flat", "unit_fen": fen}
                ],
            },
            **more,
        }
    )


async def publish(ordering: Ordering, role: Role, wish: TariffPublish) -> TariffPublic:
    async with ordering.work(ordering.actor(role)) as work:
        return await publish_tariff(work, wish)


async def price(ordering: Ordering, day: date, institution_id: UUID | None = None) -> int:
    async with ordering.work() as work:
        rule = await price_rule_for(work, ITEM, ordering.world.here.centre.id, institution_id, day)
        return rule.components[0].unit_fen


async def institution(ordering: Ordering, *, is_public: bool = False) -> UUID:
    async with ordering.work() as work:
        row = Institution(
            area_code=ordering.world.here.county,
            name="测试机构（虚构）",
            kind=InstitutionKind.HOME_CARE,
            is_public=is_public,
            licence_number=f"T-{new_id()}",
            licence_issuer="测试机关",
            licence_from=date(2020, 1, 1),
            licence_until=date(2040, 1, 1),
            agreement_from=date(2020, 1, 1),
            agreement_until=date(2040, 1, 1),
            review_due=date(2040, 1, 1),
            status=InstitutionStatus.ACTIVE,
            created_at=work.now,
        )
        work.session.add(row)
    return row.id


async def test_the_narrowest_tariff_in_force_counts(ordering: Ordering) -> None:
    here, today = ordering.world.here.centre.id, day_after(ordering, 0)
    provider = await institution(ordering)
    own = ITEM.price_rule.components[0].unit_fen
    assert await price(ordering, today, provider) == own
    await publish(ordering, Role.COUNTY_OFFICER, said(today, 100))
    assert await price(ordering, today) == 100
    await publish(ordering, Role.CENTRE_MANAGER, said(today, 200, centre_id=here))
    assert await price(ordering, today) == 200
    await publish(ordering, Role.COUNTY_OFFICER, said(today, 300, institution_id=provider, basis="market"))
    await publish(
        ordering, Role.CENTRE_MANAGER, said(day_after(ordering, 2), 400, institution_id=provider, centre_id=here)
    )
    assert [await price(ordering, today, whose) for whose in (None, provider)] == [200, 300]
    assert await price(ordering, day_after(ordering, 2), provider) == 400
    assert await price(ordering, day_after(ordering, -1), provider) == own


async def test_a_new_version_ends_the_one_in_force_and_edits_nothing(ordering: Ordering) -> None:
    first, second = day_after(ordering, 1), day_after(ordering, 5)
    old = await publish(ordering, Role.COUNTY_OFFICER, said(first, 100))
    await publish(ordering, Role.COUNTY_OFFICER, said(second, 150))
    assert [await price(ordering, day_after(ordering, n)) for n in (4, 5)] == [100, 150]
    async with ordering.work() as work:
        row = (await work.sql(text("SELECT valid_until FROM tariff WHERE id = :id"), {"id": old.id})).one()
    assert row.valid_until == second
    for broken in (
        "UPDATE tariff SET item_code = 'x'",
        "UPDATE tariff SET valid_until = NULL",
        "DELETE FROM tariff",
    ):
        with pytest.raises(DBAPIError, match="never edited"):
            async with ordering.work() as work:
                await work.sql(text(f"{broken} WHERE id = '{old.id}'"))


async def test_of_many_at_once_one_is_published(ordering: Ordering) -> None:
    first = day_after(ordering, 1)
    outcomes = await asyncio.gather(
        *(publish(ordering, Role.COUNTY_OFFICER, said(first, 100 + number)) for number in range(16)),
        return_exceptions=True,
    )
    assert sum(isinstance(one, TariffPublic) for one in outcomes) == 1
    assert sum(isinstance(one, PeriodTaken) for one in outcomes) == 15


@pytest.mark.parametrize(
    ("role", "days", "more", "refusal"),
    [
        (Role.COUNTY_OFFICER, -1, {}, StartsInThePast),
        (Role.COUNTY_OFFICER, 1, {"item_code": "no_such_item"}, NotFound),
        (Role.COUNTY_OFFICER, 1, {"centre_id": "abroad"}, NotFound),
        (Role.COUNTY_OFFICER, 1, {"institution_id": "nobody"}, NotFound),
        (Role.CENTRE_MANAGER, 1, {}, NotFound),
        (Role.CENTRE_MANAGER, 1, {"centre_id": "neighbour"}, NotFound),
        (Role.COUNTY_OFFICER, 1, {"institution_id": "public", "basis": "market"}, WrongBasis),
    ],
)
async def test_refusals(
    ordering: Ordering, role: Role, days: int, more: dict[str, Any], refusal: type[DomainError]
) -> None:
    world = ordering.world
    ids = {
        "abroad": world.abroad.centre.id,
        "neighbour": world.neighbour.centre.id,
        "nobody": new_id(),
        "public": await institution(ordering, is_public=True),
    }
    wish = said(day_after(ordering, days), 100, **{name: ids.get(value, value) for name, value in more.items()})
    with pytest.raises(refusal):
        await publish(ordering, role, wish)


async def test_supply_prices_by_day_and_place(ordering: Ordering) -> None:
    here = ordering.world.here.centre.id

    async def put(role: Role, first: int, fen: int, centre_id: UUID | None = None) -> None:
        wish = SupplyPricePublish(
            centre_id=centre_id,
            valid_from=day_after(ordering, first),
            code="gauze",
            kind="consumable",
            name_zh="纱布",
            name_en="Gauze",
            unit="pack",
            unit_fen=fen,
            source="测试",
        )
        async with ordering.work(ordering.actor(role)) as work:
            await publish_supply_price(work, wish)

    async def found(day: int) -> int | None:
        async with ordering.work() as work:
            figure = await supply_figure(work, "gauze", here, None, day_after(ordering, day))
            return None if figure is None else figure.unit_fen

    await put(Role.COUNTY_OFFICER, 1, 350)
    await put(Role.COUNTY_OFFICER, 3, 360)
    await put(Role.CENTRE_MANAGER, 4, 300, here)
    assert [await found(day) for day in range(5)] == [None, 350, 350, 360, 300]
