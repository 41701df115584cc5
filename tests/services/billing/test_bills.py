"""Bills of real orders: tariffs of the day, supplies, agreements, budgets, who would pay for a quote."""

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.billing.agreements import agree
from services.billing.errors import AlreadyBilled
from services.billing.reading import get_settlement, list_bills, list_ledger, split_of_quote
from services.billing.service import settle
from services.billing.views import AgreementCreate, SettlementPublic
from services.core.actor import Role
from services.core.clock import BUSINESS_ZONE
from services.core.errors import NotFound
from services.ledger.models import AccountKind, Book
from services.ledger.service import trial_balance
from services.orders.models import OrderPublic
from services.orders.service import ask_price, place_order
from services.orders.wishes import OrderCreate, QuoteCreate
from services.payers.models import BudgetSet, ProgrammePublish
from services.payers.service import list_budgets, publish, set_budget
from services.tariffs.models import SupplyPricePublish, TariffPublish
from services.tariffs.service import publish_supply_price, publish_tariff
from services.visits.acts.models import ActKind
from services.visits.models import NoShow, Visit
from services.visits.service import act
from services.visits.supplies.models import VisitSupply
from tests.ordering import Ordering


def day_of(ordering: Ordering, days: int = 0) -> date:
    return ordering.clock.now().astimezone(BUSINESS_ZONE).date() + timedelta(days=days)


async def settled(ordering: Ordering, order_id: UUID) -> SettlementPublic:
    async with ordering.work() as work:
        await settle(work, order_id)
    async with ordering.work(ordering.resident) as work:
        return await get_settlement(work, order_id)


def flat(fen: int, day: date) -> dict[str, Any]:
    part = {"code": "service", "name_zh": "服务费", "name_en": "Service fee", "kind": "flat", "unit_fen": fen}
    return {"source": "测试", "version": f"{fen}", "effective_date": day, "verified": False, "components": [part]}


async def tariff(ordering: Ordering, item: str, fen: int, days: int = 0) -> None:
    day = day_of(ordering, days)
    said = TariffPublish(item_code=item, valid_from=day, basis="tender", reason="测试", price_rule=flat(fen, day))
    async with ordering.work(ordering.actor(Role.COUNTY_OFFICER)) as work:
        await publish_tariff(work, said)


async def programme(ordering: Ordering, code: str, **more: Any) -> None:
    said = {
        "code": code,
        "kind": "collective",
        "name_zh": "测试资助",
        "name_en": "Test fund",
        "stacking_order": 30,
        "is_active": True,
        "valid_from": day_of(ordering),
        "source": "测试",
        "reason": "测试",
        **more,
    }
    async with ordering.work(ordering.actor(Role.COUNTY_OFFICER)) as work:
        await publish(work, ProgrammePublish.model_validate(said))


def reasons(bill: SettlementPublic) -> list[tuple[str, int, int]]:
    """And the proof that they explain the whole difference."""
    assert bill.total_fen - bill.quote_total_fen == sum(one.amount_fen for one in bill.differences)
    assert all(one.zh and one.en for one in bill.differences)
    return [(one.reason, one.amount_fen, one.waived_fen) for one in bill.differences]


async def test_the_tariff_of_the_day_counts_where_it_is_lower(ordering: Ordering) -> None:
    await tariff(ordering, "bathing", 9000)
    order = await ordering.place("bathing", in_hours=26)
    assert order.quote.total_fen == 9000
    await tariff(ordering, "bathing", 8000, days=1)
    done = await finish(ordering, order, after_hours=26)
    bill = await settled(ordering, done.id)
    assert bill.total_fen == 8000
    assert reasons(bill) == [("tariff_of_the_day", -1000, 0)]
    assert bill.lines[0].rule_version == "8000"


async def test_a_dearer_tariff_of_the_day_leaves_the_quote(ordering: Ordering) -> None:
    order = await ordering.place("bathing", in_hours=26)
    await tariff(ordering, "bathing", 20_000, days=1)
    bill = await settled(ordering, (await finish(ordering, order, after_hours=26)).id)
    assert bill.total_fen == order.quote.total_fen == 10_500
    assert reasons(bill) == [("tariff_rise_not_billed", 0, 9500)]


async def finish(
    ordering: Ordering, order: OrderPublic, after_hours: float = 0, minutes: int | None = None
) -> OrderPublic:
    """Somebody takes a placed order and does it."""
    team = await ordering.add_caregivers(order.caregivers_required)
    await ordering.assign(order.id, team)
    ordering.clock.forward(hours=after_hours)
    visits = (await ordering.read(order.id)).visits
    for visit in visits:
        await ordering.check_in(order, visit.id, visit.caregiver_id)
    ordering.clock.forward(minutes=order.duration_minutes if minutes is None else minutes)
    for visit in visits:
        await ordering.check_out(order, visit.id, visit.caregiver_id)
    return order


async def test_more_time_is_billed_only_as_agreed(ordering: Ordering) -> None:
    plain = await settled(ordering, (await ordering.completed("cleaning", minutes=100)).id)
    assert plain.total_fen == 3750
    assert reasons(plain) == [("longer_stay_not_billed", 0, 0)]
    order = await ordering.place("cleaning")
    async with ordering.work(ordering.resident) as work:
        await agree(work, order.id, AgreementCreate(extra_minutes=30, note="多打扫一间"))
    bill = await settled(ordering, (await finish(ordering, order, minutes=100)).id)
    # 60 ordered and 30 agreed of the 40 more: 90 less 5 of grace are three half hours
    assert bill.total_fen == 3 * 1875
    assert reasons(bill) == [("extra_time_agreed", 1875, 0), ("longer_stay_not_billed", 0, 0)]
    with pytest.raises(AlreadyBilled):
        async with ordering.work(ordering.resident) as work:
            await agree(work, order.id, AgreementCreate(extra_minutes=60, note="太晚"))
    with pytest.raises(NotFound):
        async with ordering.work(ordering.actor(Role.RESIDENT, number=1)) as work:
            await agree(work, order.id, AgreementCreate(extra_minutes=60, note="邻居"))


async def use(ordering: Ordering, order_id: UUID, *used: tuple[str, int, int | None]) -> None:
    """Things used at the order's visit: code, quantity, recorded cost."""
    (brief,) = (await ordering.read(order_id)).visits
    async with ordering.work() as work:
        visit = await work.session.get_one(Visit, brief.id)
        for code, quantity, unit_fen in used:
            work.session.add(
                VisitSupply(
                    visit_id=visit.id,
                    order_id=order_id,
                    resident_id=visit.resident_id,
                    caregiver_id=visit.caregiver_id,
                    centre_id=visit.centre_id,
                    area_code=visit.area_code,
                    code=code,
                    name="测试耗材",
                    kind="consumable",
                    quantity=quantity,
                    unit_fen=unit_fen,
                    used_at=work.now,
                    recorded_at=work.now,
                )
            )


async def test_supplies_are_billed_at_the_list_then_at_their_recorded_cost(ordering: Ordering) -> None:
    listed = SupplyPricePublish(
        valid_from=day_of(ordering),
        code="gauze",
        kind="consumable",
        name_zh="纱布",
        name_en="Gauze",
        unit="pack",
        unit_fen=350,
        source="测试价目",
    )
    async with ordering.work(ordering.actor(Role.COUNTY_OFFICER)) as work:
        await publish_supply_price(work, listed)
    order = await ordering.completed("bathing")
    await use(ordering, order.id, ("gauze", 2, 999), ("cream", 1, 1200), ("tape", 3, None))
    bill = await settled(ordering, order.id)
    assert reasons(bill) == [
        ("supply_at_recorded_price", 1200, 0),
        ("supply_used", 700, 0),
        ("supply_without_price", 0, 0),
    ]
    assert [(line.code, line.quantity, line.unit_fen) for line in bill.lines[1:]] == [
        ("supply:cream", 1, 1200),
        ("supply:gauze", 2, 350),
        ("supply:tape", 3, 0),
    ]
    assert bill.total_fen == 10_500 + 1900


async def test_medical_and_eldercare_income_stand_in_books_of_their_own(ordering: Ordering) -> None:
    async with ordering.work(ordering.actor(Role.CENTRE_MANAGER)) as work:
        before = income(await trial_balance(work, None))
    for item in ("bathing", "round_visit"):
        order = await ordering.completed(item)
        bill = await settled(ordering, order.id)
    async with ordering.work(ordering.actor(Role.CENTRE_MANAGER)) as work:
        sums = await trial_balance(work, None)
        entries = await list_ledger(work, 10, None, bill.order_id, None)
    assert set(sums.sums_fen.values()) == {0}
    assert income(sums) == {
        Book.ELDERCARE: before.get(Book.ELDERCARE, 0) + 10_500,
        Book.MEDICAL: before.get(Book.MEDICAL, 0) + bill.total_fen,
    }
    assert [len(entry.postings) for entry in entries] == [2]


def income(balances: Any) -> dict[Book, int]:
    return {one.book: -one.balance_fen for one in balances.accounts if one.kind is AccountKind.INCOME}


async def test_a_budget_is_never_passed_by_many_at_once(ordering: Ordering) -> None:
    """Two households, 16 bills at the same moment, 100 yuan in the budget of the year."""
    await programme(ordering, "fund", terms={"share_basis_points": 10_000})
    async with ordering.work(ordering.actor(Role.COUNTY_OFFICER)) as work:
        await set_budget(work, BudgetSet(programme="fund", year=day_of(ordering).year, budget_fen=10_000))
    orders = [(await ordering.completed("companionship")).id for _ in range(16)]

    async def one(order_id: UUID) -> None:
        async with ordering.work() as work:
            await settle(work, order_id)

    await asyncio.gather(*(one(order_id) for order_id in orders))
    bills = [await settled(ordering, order_id) for order_id in orders]
    paid = sorted(payer.amount_fen for bill in bills for payer in bill.payers if payer.payer == "fund")
    assert paid == [0] * 9 + [1000] + [1500] * 6
    codes = {
        payer.code for bill in bills for payer in bill.payers if payer.payer == "fund" and not payer.amount_fen
    }
    assert codes == {"budget_used_up"}
    async with ordering.work(ordering.actor(Role.COUNTY_OFFICER)) as work:
        (budget,) = await list_budgets(work, 10, None)
    assert (budget.used_fen, budget.left_fen) == (10_000, 0)


async def test_payers_stand_in_their_order_with_a_cap_of_hours(ordering: Ordering) -> None:
    await programme(
        ordering, "hours", stacking_order=20, terms={"share_basis_points": 5000, "caps": {"month_minutes": 90}}
    )
    await programme(ordering, "fund", stacking_order=25, terms={"share_basis_points": 2000, "excludes": ["hours"]})
    first = await settled(ordering, (await ordering.completed("cleaning")).id)
    second = await settled(ordering, (await ordering.completed("cleaning")).id)
    third = await settled(ordering, (await ordering.completed("cleaning")).id)
    told = [{p.payer: (p.amount_fen, p.code) for p in bill.payers} for bill in (first, second, third)]
    assert [one["hours"] for one in told] == [(1875, "pays"), (938, "hours_used_up"), (0, "hours_used_up")]
    assert [one["fund"] for one in told] == [
        (0, "excluded_by:hours"),
        (0, "excluded_by:hours"),
        (750, "pays"),
    ]
    assert [bill.self_fen for bill in (first, second, third)] == [1875, 2812, 3000]


async def test_who_would_pay_a_quote_is_what_the_bill_says(ordering: Ordering) -> None:
    await programme(ordering, "fund", terms={"share_basis_points": 3000, "caps": {"visit_fen": 2000}})
    start = ordering.clock.now() + timedelta(hours=2)
    wish = QuoteCreate(
        resident_id=ordering.world.here.households[0].resident.id,
        items=[{"item_code": "bathing"}, {"item_code": "meal_delivery", "quantity": 2}],
        windows=[{"start": start, "end": start + timedelta(hours=4)}],
    )
    async with ordering.work(ordering.resident) as work:
        kept = await ask_price(work, wish)
    async with ordering.work(ordering.resident) as work:
        estimate = await split_of_quote(work, kept.id)
    assert estimate.total_fen == 13_100
    assert estimate.self_fen == 11_100
    for line in estimate.lines:
        assert sum(share.amount_fen for share in line.shares) == line.amount_fen
    async with ordering.work(ordering.resident) as work:
        order = await place_order(work, OrderCreate(resident_id=kept.resident_id, quote_id=kept.id))
    bill = await settled(ordering, (await finish(ordering, order)).id)
    assert (bill.self_fen, bill.total_fen) == (estimate.self_fen, estimate.total_fen)
    assert [line.shares for line in bill.lines] == [line.shares for line in estimate.lines]
    with pytest.raises(NotFound):
        async with ordering.work(ordering.actor(Role.RESIDENT, number=1)) as work:
            await split_of_quote(work, kept.id)


async def test_a_resident_reads_her_bills_in_plain_words(ordering: Ordering) -> None:
    order = await ordering.completed("bathing")
    await settled(ordering, order.id)
    async with ordering.work(ordering.resident) as work:
        (bill,) = await list_bills(work, order.resident_id, 10, None)
    assert bill.words_zh == "本次共105.00元，个人承担105.00元。"
    assert bill.item_name_zh.startswith("助浴")
    with pytest.raises(NotFound):
        async with ordering.work(ordering.actor(Role.RESIDENT, number=1)) as work:
            await list_bills(work, order.resident_id, 10, None)


async def test_nobody_at_home_costs_nothing(ordering: Ordering) -> None:
    order, detail = await ordering.assigned("bathing")
    (visit,) = detail.visits
    async with ordering.work(ordering.as_caregiver(visit.caregiver_id)) as work:
        said = NoShow(device_at=ordering.clock.now(), latitude=28.3, longitude=113.2, accuracy_m=20)
        await act(work, visit.id, ActKind.NO_SHOW, said, None)
    bill = await settled(ordering, order.id)
    assert (bill.status, bill.total_fen, bill.lines) == ("due", 0, [])
    assert reasons(bill) == [("no_show", -10_500, 0)]
    async with ordering.work(ordering.actor(Role.CENTRE_MANAGER)) as work:
        assert await list_ledger(work, 10, None, order.id, None) == []
