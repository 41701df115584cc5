"""Service packages: reserved by an order, used when it is done, given back when cancelled; never overdrawn."""

import asyncio
from collections import Counter
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from services.core.actor import Role
from services.core.clock import BUSINESS_ZONE
from services.core.errors import DomainError
from services.dispatch.service import cancel_order
from services.events import OrderCompleted
from services.handlers import HANDLERS
from services.orders.models import OrderPublic
from services.orders.service import ask_price, use_entitlements
from services.orders.wishes import QuoteCreate
from services.packages.errors import EntitlementExhausted, NotGrantable, PackageEnded, UnknownItems
from services.packages.models import (
    EntitlementPublic,
    PackageGrant,
    PackagePublic,
    TemplateContent,
    TemplateCreate,
)
from services.packages.service import (
    add_template,
    change_template,
    expire_packages,
    grant,
    list_packages,
    load_templates,
    read_package,
    revoke,
)
from services.packages.states import PackageStatus
from tests.ordering import Ordering

CROWD = 64
_numbers = iter(range(1_000_000))


def content(**more: Any) -> dict[str, Any]:
    return {
        "name_zh": "测试包",
        "name_en": "Test package",
        "items": [{"item_code": "bathing", "quantity": 5}, {"item_code": "cleaning", "quantity": 10}],
        "validity_days": 30,
        "price_fen": 100,
        "source": "test",
        **more,
    }


async def granted(ordering: Ordering, first: date | None = None, **more: Any) -> PackagePublic:
    """A package of the first household's resident, from today unless said otherwise."""
    async with ordering.work(ordering.actor(Role.COUNTY_OFFICER)) as work:
        code = f"p{ordering.world.here.town}_{next(_numbers)}"
        template = await add_template(work, TemplateCreate(code=code, **content(**more)))
    async with ordering.work(ordering.dispatcher) as work:
        return await grant(
            work,
            PackageGrant(
                resident_id=ordering.world.here.households[0].resident.id,
                template_id=template.id,
                valid_from=first or ordering.clock.now().astimezone(BUSINESS_ZONE).date(),
                contract_reference="签约协议 测试-001",
            ),
        )


async def held(ordering: Ordering, package: PackagePublic, item: str = "bathing") -> EntitlementPublic:
    async with ordering.work(ordering.dispatcher) as work:
        detail = await read_package(work, package.id)
    return next(one for one in detail.entitlements if one.item_code == item)


def counts(one: EntitlementPublic) -> tuple[int, int, int, int]:
    return one.reserved, one.used, one.released, one.left


async def cancel(ordering: Ordering, order: OrderPublic) -> None:
    async with ordering.work(ordering.resident) as work:
        await cancel_order(work, order.id, "不需要了", None)


async def test_an_order_reserves_and_cancelling_gives_back(ordering: Ordering) -> None:
    package = await granted(ordering)
    order = await ordering.place(quantity=2)
    (line,) = order.items
    found = await held(ordering, package)
    assert line.entitlement_id == found.id
    assert counts(found) == (2, 0, 0, 3)
    await cancel(ordering, order)
    await cancel(ordering, order)
    assert counts(await held(ordering, package)) == (0, 0, 2, 5)
    async with ordering.work(ordering.resident) as work:
        detail = await read_package(work, package.id)
    (draw,) = detail.draws
    assert (draw.order_id, draw.quantity, draw.status) == (order.id, 2, "released")


async def test_completion_uses_once_however_often_it_is_told(ordering: Ordering) -> None:
    package = await granted(ordering)
    order = await ordering.completed()
    assert "use_entitlements" in {handler.__name__ for handler in HANDLERS[OrderCompleted]}

    async def handle() -> None:
        async with ordering.work() as work:
            await use_entitlements(work, order.id)

    await asyncio.gather(*(handle() for _ in range(16)))
    assert counts(await held(ordering, package)) == (0, 1, 0, 4)
    async with ordering.work(ordering.dispatcher) as work:
        (draw,) = (await read_package(work, package.id)).draws
    assert (draw.status, draw.closed_at) == ("used", ordering.clock.now())


async def test_many_orders_never_overdraw(ordering: Ordering) -> None:
    package = await granted(ordering)
    placed = await asyncio.gather(*(ordering.place(in_hours=2 + n / 100) for n in range(CROWD)))
    covered = [order for order in placed if order.items[0].entitlement_id is not None]
    assert len(covered) == 5
    assert counts(await held(ordering, package)) == (5, 0, 0, 0)
    await asyncio.gather(*(cancel(ordering, order) for order in placed), *(cancel(ordering, o) for o in covered))
    assert counts(await held(ordering, package)) == (0, 0, 5, 5)


async def test_many_that_need_the_package_and_those_who_came_too_late(ordering: Ordering) -> None:
    package = await granted(ordering)
    outcomes = await asyncio.gather(
        *(ordering.place(in_hours=2 + n / 100, packages="required") for n in range(CROWD)), return_exceptions=True
    )
    told = Counter(one.code if isinstance(one, DomainError) else type(one).__name__ for one in outcomes)
    assert told == {"OrderPublic": 5, "entitlement_exhausted": CROWD - 5}
    assert counts(await held(ordering, package)) == (5, 0, 0, 0)
    async with ordering.work() as work:
        resident_id = ordering.world.here.households[0].resident.id
        rows = await work.sql(
            text("SELECT count(*) FROM service_order WHERE resident_id = :id"), {"id": resident_id}
        )
        assert rows.scalar_one() == 5, "who was refused has left no order behind"


async def test_placing_cancelling_and_completing_at_once_add_up(ordering: Ordering) -> None:
    """Whatever the order in which they happen, every unit is somewhere once."""
    package = await granted(ordering, items=[{"item_code": "bathing", "quantity": 40}])
    first = await asyncio.gather(*(ordering.place(in_hours=2 + n / 100) for n in range(20)))

    async def use(order: OrderPublic) -> None:
        async with ordering.work() as work:
            await use_entitlements(work, order.id)

    await asyncio.gather(
        *(cancel(ordering, order) for order in first[:10]),
        *(use(order) for order in first[5:]),
        *(ordering.place(in_hours=5 + n / 100) for n in range(30)),
    )
    found = await held(ordering, package)
    assert found.used + found.released == 20
    assert found.reserved + found.used + found.left == 40
    assert found.reserved >= 20, "twenty units were free from the beginning"
    async with ordering.work() as work:
        rows = await work.sql(
            text("SELECT status, sum(quantity) FROM entitlement_draw WHERE entitlement_id = :id GROUP BY status"),
            {"id": found.id},
        )
        drawn = {str(status): int(quantity) for status, quantity in rows.all()}
    assert drawn == {"reserved": found.reserved, "used": found.used, "released": found.released}


async def test_orders_over_two_entitlements_crosswise_do_not_deadlock(ordering: Ordering) -> None:
    package = await granted(ordering)
    there = [{"item_code": "bathing"}, {"item_code": "cleaning"}]
    outcomes = await asyncio.gather(
        *(
            ordering.place(item_code=None, items=there[:: 1 if n % 2 else -1], hours=8, in_hours=2 + n / 100)
            for n in range(24)
        )
    )
    assert sum(all(line.entitlement_id for line in order.items) for order in outcomes) == 5
    assert counts(await held(ordering, package, "cleaning")) == (10, 0, 0, 0)


async def test_the_package_that_ends_first_is_used_first(ordering: Ordering) -> None:
    late = await granted(ordering, validity_days=300)
    soon = await granted(ordering, validity_days=20)
    order = await ordering.place()
    assert order.items[0].entitlement_id == (await held(ordering, soon)).id
    await asyncio.gather(*(ordering.place(in_hours=3 + n / 100) for n in range(4)))
    assert (await ordering.place()).items[0].entitlement_id == (await held(ordering, late)).id


async def test_only_for_services_within_its_days(ordering: Ordering) -> None:
    today = ordering.clock.now().astimezone(BUSINESS_ZONE).date()
    await granted(ordering, today + timedelta(days=2), validity_days=3)
    hours = (24 * 0.5, 24 * 3, 24 * 6)
    covered = [(await ordering.place(in_hours=h, hours=2)).items[0].entitlement_id is not None for h in hours]
    assert covered == [False, True, False]


async def test_a_line_is_covered_whole_or_not_at_all_and_may_decline(ordering: Ordering) -> None:
    package = await granted(ordering)
    assert (await ordering.place(quantity=6)).items[0].entitlement_id is None
    assert (await ordering.place(packages="none")).items[0].entitlement_id is None
    with pytest.raises(EntitlementExhausted) as refused:
        await ordering.place(quantity=6, packages="required")
    assert refused.value.extra["items"] == ["bathing"]
    assert counts(await held(ordering, package)) == (0, 0, 0, 5)


async def test_what_was_quoted_as_paid_is_paid_or_refused(ordering: Ordering) -> None:
    package = await granted(ordering, items=[{"item_code": "bathing", "quantity": 1}])
    start = ordering.clock.now() + timedelta(hours=2)
    wish = QuoteCreate(
        resident_id=ordering.world.here.households[0].resident.id,
        item_code="bathing",
        window_start=start,
        window_end=start + timedelta(hours=4),
    )
    async with ordering.work(ordering.resident) as work:
        quote = await ask_price(work, wish)
    assert (quote.package_fen, quote.items[0].entitlement_id) == (
        quote.total_fen,
        (await held(ordering, package)).id,
    )
    taken = await ordering.place()
    by_quote: dict[str, Any] = {"quote_id": quote.id, "item_code": None, "window_start": None, "window_end": None}
    with pytest.raises(EntitlementExhausted):
        await ordering.place(**by_quote)
    await cancel(ordering, taken)
    order = await ordering.place(**by_quote)
    assert order.items[0].entitlement_id is not None


async def test_expired_and_revoked_packages_pay_no_more(ordering: Ordering) -> None:
    package = await granted(ordering, validity_days=2)
    order = await ordering.place(hours=2)
    assert order.items[0].entitlement_id is not None
    ordering.clock.forward(days=2)
    async with ordering.work() as work:
        assert await expire_packages(work) >= 1
    assert (await ordering.place()).items[0].entitlement_id is None
    async with ordering.work() as work:
        await use_entitlements(work, order.id)
    assert counts(await held(ordering, package)) == (0, 1, 0, 4), "what was reserved in time is used"
    with pytest.raises(PackageEnded):
        async with ordering.work(ordering.actor(Role.CENTRE_MANAGER)) as work:
            await revoke(work, package.id, "太迟了", None)
    other = await granted(ordering)
    for _ in range(2):
        async with ordering.work(ordering.actor(Role.CENTRE_MANAGER)) as work:
            ended = await revoke(work, other.id, "解约", None)
    assert (ended.status, ended.end_reason, ended.version) == (PackageStatus.REVOKED, "解约", 2)
    assert (await ordering.place()).items[0].entitlement_id is None


async def test_granted_packages_stay_as_they_were(ordering: Ordering) -> None:
    package = await granted(ordering)
    async with ordering.work(ordering.actor(Role.COUNTY_OFFICER)) as work:
        changed = TemplateContent(**content(price_fen=999, is_active=False))
        await change_template(work, package.template_id, changed, None)
    wish = PackageGrant(
        resident_id=package.resident_id,
        template_id=package.template_id,
        valid_from=package.valid_from,
        contract_reference="x",
    )
    async with ordering.work(ordering.dispatcher) as work:
        assert (await read_package(work, package.id)).price_fen == 100
        with pytest.raises(NotGrantable):
            await grant(work, wish)


async def test_templates_hold_items_that_exist_and_placeholders_say_so(ordering: Ordering) -> None:
    bad = TemplateCreate(code="bad_one", **content(items=[{"item_code": "no_such_item", "quantity": 1}]))
    async with ordering.work(ordering.actor(Role.COUNTY_OFFICER)) as work:
        with pytest.raises(UnknownItems):
            await add_template(work, bad)
    async with ordering.work() as work:
        await load_templates(work)
        assert await load_templates(work) == 0
        rows = await work.sql(text("SELECT verified FROM package_template WHERE code = 'frail_at_home'"))
        assert rows.scalar_one() is False


async def test_the_database_refuses_what_no_verb_does(ordering: Ordering) -> None:
    package = await granted(ordering)
    found = await held(ordering, package)
    for change in ("reserved = 6", "used = -1", "reserved = 3, used = 3", "released = -1", "granted = 0"):
        with pytest.raises(IntegrityError):
            async with ordering.work() as work:
                await work.sql(
                    text(f"UPDATE entitlement SET {change} WHERE id = :id"),  # noqa: S608  the table above
                    {"id": found.id},
                )


async def test_packages_end_at_the_walls(ordering: Ordering) -> None:
    package = await granted(ordering)

    async def seen(role: Role, number: int = 0) -> list[UUID]:
        async with ordering.work(ordering.actor(role, number=number)) as work:
            return [one.id for one in await list_packages(work, 20, None, None, [])]

    assert await seen(Role.RESIDENT) == await seen(Role.FAMILY) == await seen(Role.COUNTY_OFFICER) == [package.id]
    assert await seen(Role.RESIDENT, 1) == []
    async with ordering.work(ordering.actor(Role.DISPATCHER, ordering.world.neighbour)) as work:
        assert await list_packages(work, 20, None, None, []) == []
        rows = await work.sql(text("SELECT id FROM entitlement WHERE package_id = :id"), {"id": package.id})
        assert rows.all() == []
