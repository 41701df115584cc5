"""Prices before an order: kept, taken once, and exactly what is ordered then."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from services.core.actor import Actor, Role
from services.core.errors import DomainError, NotFound
from services.orders.errors import ItemsRefused, QuoteAltered, QuoteExpired, QuoteForeign, QuoteUsed, WindowInvalid
from services.orders.models import OrderPublic, QuotePublic
from services.orders.rules import order_limits
from services.orders.service import ask_price, list_quotes, place_order, read_quote
from services.orders.wishes import OrderCreate, QuoteCreate
from tests.ordering import Ordering

CROWD = 64


def asked(ordering: Ordering, **more: Any) -> QuoteCreate:
    start = ordering.clock.now() + timedelta(hours=2)
    return QuoteCreate(
        **{
            "resident_id": ordering.world.here.households[0].resident.id,
            "items": [{"item_code": "bathing"}, {"item_code": "meal_delivery", "quantity": 2}],
            "windows": [
                {"start": start, "end": start + timedelta(hours=4)},
                {"start": start + timedelta(days=2), "end": start + timedelta(days=2, hours=4)},
            ],
            **more,
        }
    )


async def quote(ordering: Ordering, actor: Actor | None = None, **more: Any) -> QuotePublic:
    async with ordering.work(actor or ordering.resident) as work:
        return await ask_price(work, asked(ordering, **more))


async def order_by(ordering: Ordering, quote_id: UUID, actor: Actor | None = None, **more: Any) -> OrderPublic:
    wish = {"resident_id": ordering.world.here.households[0].resident.id, "quote_id": quote_id, **more}
    async with ordering.work(actor or ordering.resident) as work:
        return await place_order(work, OrderCreate(**wish))


async def count(ordering: Ordering, table: str) -> int:
    async with ordering.work() as work:
        rows = await work.sql(
            text(f"SELECT count(*) FROM {table} WHERE resident_id = :id"),  # noqa: S608  our own tables
            {"id": ordering.world.here.households[0].resident.id},
        )
        return int(rows.scalar_one())


async def test_a_quote_says_what_each_item_costs_and_until_when(ordering: Ordering) -> None:
    told = await quote(ordering)
    assert [(item.item_code, item.quantity) for item in told.items] == [("bathing", 1), ("meal_delivery", 2)]
    assert told.total_fen == told.price.total_fen == sum(line.amount_fen for line in told.price.lines) > 0
    assert {line.item_line for line in told.price.lines} == {1, 2}
    assert told.duration_minutes == sum(item.minutes for item in told.items)
    assert told.expires_at - told.quoted_at == order_limits().quote_life
    assert len(told.windows) == 2
    assert told.used_at is None
    async with ordering.work(ordering.dispatcher) as work:
        assert await read_quote(work, told.id) == told
        assert [one.id for one in await list_quotes(work, 20, None, None)] == [told.id]


async def bathing_costs(ordering: Ordering, fen: int) -> None:
    """Another price on the menu, behind everybody's back."""
    async with ordering.work() as work:
        await work.sql(
            text(
                "UPDATE service_item_version SET facts = jsonb_set(facts, '{price_rule,components,0,unit_fen}',"
                " to_jsonb(CAST(:fen AS int)))"
                " WHERE item_id IN (SELECT id FROM service_item WHERE code = 'bathing')"
            ),
            {"fen": fen},
        )


async def test_exactly_what_was_quoted_is_ordered_at_that_price(ordering: Ordering) -> None:
    told = await quote(ordering, is_urgent=True)
    await bathing_costs(ordering, 999_900)
    try:
        order = await order_by(ordering, told.id)
        dearer = await quote(ordering, is_urgent=True)
    finally:
        await bathing_costs(ordering, told.price.lines[0].unit_fen)
    assert order.quote == told.price
    assert (order.quote_id, order.items, order.windows) == (told.id, told.items, told.windows)
    assert order.is_urgent
    assert (order.window_start, order.window_end) == (told.windows[0].start, told.windows[1].end)
    assert dearer.total_fen > told.total_fen, "the test changed nothing"


async def test_an_order_without_a_quote_keeps_one_of_its_own(ordering: Ordering) -> None:
    order = await ordering.place()
    assert order.quote_id is not None
    async with ordering.work(ordering.resident) as work:
        kept = await read_quote(work, order.quote_id)
    assert (kept.price, kept.used_at) == (order.quote, order.placed_at)
    with pytest.raises(QuoteUsed):
        await order_by(ordering, order.quote_id)


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"items": [{"item_code": "bathing"}, {"item_code": "meal_delivery", "quantity": 3}]}, ["items"]),
        ({"item_code": "bathing"}, ["items"]),
        ({"is_urgent": True}, ["is_urgent"]),
        ({"later": 1}, ["windows"]),
        ({"item_code": "bathing", "later": 1, "is_urgent": True}, ["items", "windows", "is_urgent"]),
    ],
)
async def test_an_altered_quote_is_refused(ordering: Ordering, change: dict[str, Any], fields: list[str]) -> None:
    told = await quote(ordering)
    change = dict(change)
    if hours := change.pop("later", 0):
        moved = [
            {"start": w.start + timedelta(hours=hours), "end": w.end + timedelta(hours=hours)}
            for w in told.windows
        ]
        change["windows"] = moved
    with pytest.raises(QuoteAltered) as refused:
        await order_by(ordering, told.id, **change)
    assert refused.value.extra["fields"] == fields
    await order_by(ordering, told.id)  # what was refused has not used it up


async def test_saying_the_same_again_is_no_alteration(ordering: Ordering) -> None:
    told = await quote(ordering)
    same = asked(ordering).model_dump(include={"items", "windows"})
    order = await order_by(ordering, told.id, **same, is_urgent=False)
    assert order.quote_id == told.id


async def test_expired_foreign_and_unknown_quotes(ordering: Ordering) -> None:
    told = await quote(ordering)
    second = ordering.world.here.households[1].resident.id
    with pytest.raises(QuoteForeign):
        await order_by(ordering, told.id, ordering.dispatcher, resident_id=second)
    with pytest.raises(NotFound):
        await order_by(ordering, told.id, ordering.actor(Role.RESIDENT, number=1), resident_id=second)
    with pytest.raises(NotFound):
        await order_by(ordering, uuid4())
    ordering.clock.forward(seconds=order_limits().quote_life.total_seconds())
    with pytest.raises(QuoteExpired):
        await order_by(ordering, told.id)


async def test_the_desk_may_order_what_the_resident_was_quoted(ordering: Ordering) -> None:
    told = await quote(ordering)
    order = await order_by(ordering, told.id, ordering.dispatcher, caller={"name": "王女士", "relation": "女儿"})
    assert order.caller is not None
    assert order.caller.relation == "女儿"


async def test_many_orders_on_one_quote_and_exactly_one_wins(ordering: Ordering) -> None:
    told = await quote(ordering)
    outcomes = await asyncio.gather(*(order_by(ordering, told.id) for _ in range(CROWD)), return_exceptions=True)
    placed = [one for one in outcomes if isinstance(one, OrderPublic)]
    refused = [one for one in outcomes if isinstance(one, QuoteUsed)]
    assert (len(placed), len(refused)) == (1, CROWD - 1)
    assert (await count(ordering, "service_order"), await count(ordering, "order_quote")) == (1, 1)


async def test_many_taps_are_one_quote(ordering: Ordering) -> None:
    told = await asyncio.gather(*(quote(ordering) for _ in range(CROWD)))
    assert len({one.id for one in told}) == 1
    assert await count(ordering, "order_quote") == 1
    ordering.clock.forward(seconds=order_limits().double_tap.total_seconds() + 1)
    assert (await quote(ordering, windows=asked(ordering).windows)).id != told[0].id


async def test_a_quote_is_checked_like_an_order(ordering: Ordering) -> None:
    with pytest.raises(WindowInvalid):
        await quote(
            ordering, items=[{"item_code": "bathing", "quantity": 1}, {"item_code": "escort", "quantity": 2}]
        )
    with pytest.raises(ItemsRefused):
        await quote(ordering, items=[{"item_code": "no_such_item"}])
    assert await count(ordering, "order_quote") == 0


async def test_every_item_is_told_everything_at_once(ordering: Ordering) -> None:
    wish = [{"item_code": "no_such_item"}, {"item_code": "bathing"}, {"item_code": "another_one"}]
    with pytest.raises(ItemsRefused) as refused:
        await quote(ordering, items=wish)
    told = {(one["line_no"], one["item_code"]): one["problems"] for one in refused.value.extra["items"]}
    assert set(told) == {(1, "no_such_item"), (3, "another_one")}
    assert all(problem.keys() == {"code", "zh", "en"} for problems in told.values() for problem in problems)


async def test_quotes_end_at_the_walls(ordering: Ordering) -> None:
    told = await quote(ordering)
    for actor in (
        ordering.actor(Role.RESIDENT, number=1),
        ordering.actor(Role.DISPATCHER, ordering.world.neighbour),
        ordering.actor(Role.COUNTY_OFFICER, ordering.world.abroad),
    ):
        with pytest.raises(DomainError) as refused:
            async with ordering.work(actor) as work:
                await read_quote(work, told.id)
        assert refused.value.code == "not_found"
        async with ordering.work(actor) as work:
            assert await list_quotes(work, 20, None, None) == []
            rows = await work.sql(text("SELECT id FROM order_quote WHERE id = :id"), {"id": told.id})
            assert rows.all() == [], "row-level security holds the same wall"
