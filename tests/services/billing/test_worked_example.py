"""The worked example of docs/money.md, to the fen."""

from datetime import timedelta
from pathlib import Path

from services.billing.reading import get_settlement, list_ledger
from services.billing.service import settle
from services.catalogue.service import seed_items
from services.core.actor import Role
from services.core.clock import BUSINESS_ZONE
from services.core.money import yuan
from services.orders.service import place_order
from services.orders.wishes import OrderCreate
from services.payers.service import issue_vouchers
from services.residents.models import Resident
from services.tariffs.models import SupplyPricePublish
from services.tariffs.service import publish_supply_price
from services.visits.models import ReviewRequest
from services.visits.service import review
from tests.ordering import Ordering
from tests.permits import assess_ability

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "money.md"


async def prepared(ordering: Ordering) -> None:
    """Level 2, this month's voucher, a listed price of gauze."""
    resident_id = ordering.world.here.households[0].resident.id
    gauze = SupplyPricePublish(
        valid_from=ordering.clock.now().astimezone(BUSINESS_ZONE).date(),
        code="gauze",
        kind="consumable",
        name_zh="纱布",
        name_en="Gauze",
        unit="pack",
        unit_fen=350,
        source="测试价目",
    )
    async with ordering.work() as work:
        assess_ability(work, await work.session.get_one(Resident, resident_id))
    async with ordering.work(ordering.actor(Role.CENTRE_MANAGER)) as work:
        await issue_vouchers(work, resident_id)
    async with ordering.work(ordering.actor(Role.COUNTY_OFFICER)) as work:
        await publish_supply_price(work, gauze)


async def test_the_worked_example(ordering: Ordering) -> None:
    await prepared(ordering)
    start = ordering.clock.now() + timedelta(hours=1)
    wish = OrderCreate(
        resident_id=ordering.world.here.households[0].resident.id,
        items=[{"item_code": "cleaning", "quantity": 2}, {"item_code": "meal_delivery", "quantity": 2}],
        windows=[{"start": start, "end": start + timedelta(hours=4)}],
    )
    async with ordering.work(ordering.resident) as work:
        order = await place_order(work, wish)
    (one,) = await ordering.add_caregivers(1)
    await ordering.assign(order.id, [one])
    (visit,) = (await ordering.read(order.id)).visits
    await ordering.check_in(order, visit.id, one.id)
    ordering.clock.forward(minutes=100, seconds=20)
    tasks = {
        task.code for item in seed_items() if item.code in ("cleaning", "meal_delivery") for task in item.checklist
    }
    supplies = [{"code": "gauze", "name": "纱布", "kind": "consumable", "quantity": 2}]
    await ordering.check_out(order, visit.id, one.id, tasks_done=sorted(tasks), supplies=supplies)
    if (await ordering.read(order.id)).visits[0].flags:
        async with ordering.work(ordering.dispatcher) as work:
            await review(work, visit.id, ReviewRequest(note="长者证实，提前做完"), None)
    async with ordering.work() as work:
        await settle(work, order.id)
    async with ordering.work(ordering.resident) as work:
        bill = await get_settlement(work, order.id)

    assert bill.quote_total_fen == 10_100
    assert [(line.code, line.quantity, line.unit_fen, line.amount_fen) for line in bill.lines] == [
        ("service", 3, 1875, 5625),
        ("service", 2, 1300, 2600),
        ("supply:gauze", 2, 350, 700),
    ]
    assert [(one.reason, one.amount_fen) for one in bill.differences] == [
        ("shorter_stay", -1875),
        ("supply_used", 700),
    ]
    assert [{share.payer: share.amount_fen for share in line.shares} for line in bill.lines] == [
        {"consumption_voucher": 2531, "self": 3094},
        {"consumption_voucher": 1170, "self": 1430},
        {"self": 700},
    ]
    assert (bill.total_fen, bill.self_fen) == (8925, 5224)
    async with ordering.work(ordering.actor(Role.COUNTY_OFFICER)) as work:
        entries = await list_ledger(work, 10, None, order.id, "bill")
    assert {(side.book, side.kind): side.amount_fen for side in entries[0].postings} == {
        ("eldercare", "receivable_payer"): 3701,
        ("eldercare", "receivable_household"): 5224,
        ("eldercare", "income"): -8925,
    }
    words = DOCUMENT.read_text("utf-8")
    for fen in (10_100, 5625, 2600, 700, 8925, 3701, 2531, 1170, 5224):
        assert yuan(fen) in words, f"docs/money.md does not say {yuan(fen)}"
