"""The bill of an order: once, to the fen, held while a person must look."""

import asyncio

import pytest
from sqlalchemy import text

from services.billing.errors import NotSettled
from services.billing.service import get_settlement, settle
from services.billing.views import SettlementPublic
from services.core.actor import Role
from services.core.errors import NotFound
from services.visits.models import ReviewRequest
from services.visits.service import review
from tests.ordering import Ordering


async def bill_of(ordering: Ordering, order_id: object, role: Role = Role.RESIDENT) -> SettlementPublic:
    async with ordering.work(ordering.actor(role)) as work:
        return await get_settlement(work, order_id)  # type: ignore[arg-type]


async def settle_once(ordering: Ordering, order_id: object) -> None:
    async with ordering.work() as work:
        await settle(work, order_id)  # type: ignore[arg-type]


async def test_a_medical_visit_has_two_lines_that_add_up(ordering: Ordering) -> None:
    order = await ordering.completed("wound_dressing")
    await settle_once(ordering, order.id)
    bill = await bill_of(ordering, order.id)
    assert [line.code for line in bill.lines] == ["medical_service", "home_visit_fee"]
    assert all(line.quantity * line.unit_fen == line.amount_fen for line in bill.lines)
    assert bill.total_fen == sum(line.amount_fen for line in bill.lines) == order.quote.total_fen
    assert {share.payer for line in bill.lines for share in line.shares} == {"self"}
    assert (bill.status, bill.prices_verified) == ("due", False)


@pytest.mark.parametrize(
    ("minutes", "total"),
    [(180, 11_250), (115, 7_500), (200, 11_250), (95, 5_625)],  # two hours less five minutes' grace, …
)
async def test_time_is_billed_as_it_was_and_never_above_the_quote(
    ordering: Ordering, minutes: int, total: int
) -> None:
    order = await ordering.completed("cleaning", minutes=minutes, quantity=3)
    await settle_once(ordering, order.id)
    bill = await bill_of(ordering, order.id)
    assert bill.total_fen == total <= order.quote.total_fen


async def test_settling_is_done_once_however_often_and_at_once(ordering: Ordering) -> None:
    order = await ordering.completed()
    await asyncio.gather(*(settle_once(ordering, order.id) for _ in range(8)))
    await settle_once(ordering, order.id)
    async with ordering.work() as work:
        counts = await work.sql(
            text(
                "SELECT (SELECT count(*) FROM settlement WHERE order_id = :id),"
                " (SELECT count(*) FROM outbox WHERE name = 'order.settled' AND payload->>'order_id' = :text)"
            ),
            {"id": order.id, "text": str(order.id)},
        )
        assert counts.one() == (1, 1)


async def test_a_flag_holds_the_bill_until_the_review(ordering: Ordering) -> None:
    order = await ordering.completed(check_in={"start_code": None})
    await settle_once(ordering, order.id)
    held = await bill_of(ordering, order.id)
    assert held.status == "held"
    (visit,) = (await ordering.read(order.id)).visits
    async with ordering.work(ordering.dispatcher) as work:
        await review(work, visit.id, ReviewRequest(note="长者证实"), None)
    await settle_once(ordering, order.id)
    due = await bill_of(ordering, order.id)
    assert (due.status, due.total_fen, due.version) == ("due", held.total_fen, held.version + 1)


async def test_a_review_before_the_bill_makes_it_due_at_once(ordering: Ordering) -> None:
    order = await ordering.completed(check_in={"start_code": None})
    (visit,) = (await ordering.read(order.id)).visits
    async with ordering.work(ordering.dispatcher) as work:
        await review(work, visit.id, ReviewRequest(note="长者证实"), None)
    await settle_once(ordering, order.id)
    assert (await bill_of(ordering, order.id)).status == "due"


async def test_what_is_not_completed_is_not_billed(ordering: Ordering) -> None:
    order, _ = await ordering.assigned()
    await settle_once(ordering, order.id)
    with pytest.raises(NotSettled):
        await bill_of(ordering, order.id)
    with pytest.raises(NotFound):
        async with ordering.work(ordering.actor(Role.RESIDENT, number=1)) as work:
            await get_settlement(work, order.id)


async def test_a_changed_menu_never_changes_a_placed_order(ordering: Ordering) -> None:
    order = await ordering.completed("tuina")
    async with ordering.work() as work:
        await work.sql(
            text(
                "UPDATE service_item_version SET facts ="
                " jsonb_set(facts, '{price_rule,components,0,unit_fen}', '999999')"
                " WHERE facts->>'code' = 'tuina'"
            )
        )
    try:
        await settle_once(ordering, order.id)
        assert (await bill_of(ordering, order.id)).total_fen == order.quote.total_fen
    finally:
        async with ordering.work() as work:
            await work.sql(
                text(
                    "UPDATE service_item_version SET facts ="
                    " jsonb_set(facts, '{price_rule,components,0,unit_fen}', '3900')"
                    " WHERE facts->>'code' = 'tuina'"
                )
            )
