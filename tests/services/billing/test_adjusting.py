"""Corrections of bills: two people, reversing entries, new lines beside the old; vouchers are given back."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from services.billing.adjusting import decide, list_adjustments, propose, propose_from_correction
from services.billing.errors import (
    AdjustmentOpen,
    BillHeld,
    LineNotLower,
    NothingToAdjust,
    NotSettled,
    SecondPersonNeeded,
)
from services.billing.service import get_settlement, settle
from services.billing.views import AdjustmentCreate, AdjustmentDecision, AdjustmentPublic, SettlementPublic
from services.core.actor import Role
from services.core.errors import DomainError, IllegalTransition, NotFound
from services.core.ids import new_id
from services.ledger.models import AccountKind
from services.ledger.service import trial_balance
from services.payers.service import issue_vouchers, vouchers_of
from services.residents.models import Resident
from services.visits.models import Visit
from tests.ordering import Ordering
from tests.permits import assess_ability

YES, NO = AdjustmentDecision(approve=True, note="已核对"), AdjustmentDecision(approve=False, note="理由不足")


async def billed(ordering: Ordering, item: str = "bathing", **done: Any) -> SettlementPublic:
    order = await ordering.completed(item, **done)
    async with ordering.work() as work:
        await settle(work, order.id)
    return await bill_of(ordering, order.id)


async def bill_of(ordering: Ordering, order_id: UUID) -> SettlementPublic:
    async with ordering.work(ordering.resident) as work:
        return await get_settlement(work, order_id)


async def ask(
    ordering: Ordering, order_id: UUID, role: Role = Role.CENTRE_MANAGER, **said: Any
) -> AdjustmentPublic:
    async with ordering.work(ordering.actor(role)) as work:
        return await propose(work, order_id, AdjustmentCreate(**{"reason": "投诉成立", **said}))


async def answer(
    ordering: Ordering, adjustment_id: UUID, said: AdjustmentDecision, role: Role = Role.COUNTY_OFFICER
) -> AdjustmentPublic:
    async with ordering.work(ordering.actor(role)) as work:
        return await decide(work, adjustment_id, said, None)


async def voucher_for(ordering: Ordering) -> UUID:
    resident_id: UUID = ordering.world.here.households[0].resident.id
    async with ordering.work() as work:
        assess_ability(work, await work.session.get_one(Resident, resident_id))
    async with ordering.work(ordering.actor(Role.CENTRE_MANAGER)) as work:
        await issue_vouchers(work, resident_id)
    return resident_id


async def test_a_refund_reverses_and_books_anew(ordering: Ordering) -> None:
    resident_id = await voucher_for(ordering)
    before = await billed(ordering)
    asked = await ask(ordering, before.order_id, lines=[{"line_no": 1, "amount_fen": 5000}], complaint_id=new_id())
    assert (asked.status, asked.before_fen, asked.after_fen) == ("proposed", 10_500, 5000)
    assert (await bill_of(ordering, before.order_id)).total_fen == 10_500, "nothing changes before the approval"
    done = await answer(ordering, asked.id, YES)
    assert done.status == "approved"
    after = await bill_of(ordering, before.order_id)
    assert (after.revision, after.total_fen, after.self_fen) == (2, 5000, 2750)
    assert [(one.reason, one.amount_fen) for one in after.differences] == [("refund", -5500)]
    async with ordering.work(ordering.resident) as work:
        (voucher,) = (await vouchers_of(work, resident_id)).vouchers
    assert (voucher.available_fen, voucher.redeemed_fen) == (80_000 - 2250, 2250)
    async with ordering.work(ordering.actor(Role.CENTRE_MANAGER)) as work:
        sums = await trial_balance(work, None)
    assert set(sums.sums_fen.values()) == {0}
    stands = {one.kind: one.balance_fen for one in sums.accounts if one.book == "eldercare"}
    assert stands == {
        AccountKind.INCOME: -5000,
        AccountKind.RECEIVABLE_HOUSEHOLD: 2750,
        AccountKind.RECEIVABLE_PAYER: 2250,
    }
    async with ordering.work() as work:
        kept = await work.sql(
            text(
                "SELECT (SELECT count(*) FROM settlement_line WHERE settlement_id = :id),"
                " (SELECT count(*) FROM ledger_transaction WHERE settlement_id = :id),"
                " (SELECT count(*) FROM ledger_transaction WHERE settlement_id = :id AND reverses_id IS NOT NULL)"
            ),
            {"id": after.id},
        )
        assert kept.one() == (2, 6, 2), "two revisions; two entries, their reversals, two new ones"


async def test_nobody_decides_alone_and_no_means_no(ordering: Ordering) -> None:
    bill = await billed(ordering)
    asked = await ask(ordering, bill.order_id, lines=[{"line_no": 1, "amount_fen": 0}])
    with pytest.raises(SecondPersonNeeded):
        await answer(ordering, asked.id, YES, Role.CENTRE_MANAGER)
    with pytest.raises(AdjustmentOpen):
        await ask(ordering, bill.order_id, Role.COUNTY_OFFICER, lines=[{"line_no": 1, "amount_fen": 1}])
    assert (await answer(ordering, asked.id, NO)).status == "rejected"
    assert (await bill_of(ordering, bill.order_id)).total_fen == 10_500
    with pytest.raises(IllegalTransition):
        await answer(ordering, asked.id, YES)
    again = await ask(ordering, bill.order_id, lines=[{"line_no": 1, "amount_fen": 0}])
    await answer(ordering, again.id, YES)
    after = await bill_of(ordering, bill.order_id)
    assert (after.total_fen, after.self_fen) == (0, 0)


async def test_approved_by_many_at_once_it_is_booked_once(ordering: Ordering) -> None:
    bill = await billed(ordering)
    asked = await ask(ordering, bill.order_id, lines=[{"line_no": 1, "amount_fen": 4000}])
    done = await asyncio.gather(*(answer(ordering, asked.id, YES) for _ in range(16)))
    assert {one.status for one in done} == {"approved"}
    after = await bill_of(ordering, bill.order_id)
    assert (after.revision, after.total_fen) == (2, 4000)


@pytest.mark.parametrize(
    ("said", "refusal"),
    [
        ({"lines": [{"line_no": 1, "amount_fen": 10_500}]}, LineNotLower),
        ({"lines": [{"line_no": 1, "amount_fen": 20_000}]}, LineNotLower),
        ({"lines": [{"line_no": 9, "amount_fen": 1}]}, LineNotLower),
        ({"recalculate": True}, NothingToAdjust),
    ],
)
async def test_refusals(ordering: Ordering, said: dict[str, Any], refusal: type[DomainError]) -> None:
    bill = await billed(ordering)
    with pytest.raises(refusal):
        await ask(ordering, bill.order_id, **said)


async def test_what_is_held_or_not_billed_or_elsewhere_is_not_adjusted(ordering: Ordering) -> None:
    held = await billed(ordering, check_in={"start_code": None})
    lower = {"lines": [{"line_no": 1, "amount_fen": 1}]}
    with pytest.raises(BillHeld):
        await ask(ordering, held.order_id, **lower)
    placed = await ordering.place()
    with pytest.raises(NotSettled):
        await ask(ordering, placed.id, **lower)
    bill = await billed(ordering)
    asked = await ask(ordering, bill.order_id, **lower)
    with pytest.raises(NotFound):
        async with ordering.work(ordering.actor(Role.CENTRE_MANAGER, ordering.world.neighbour)) as work:
            await decide(work, asked.id, YES, None)


async def test_a_corrected_visit_calls_for_a_new_bill(ordering: Ordering) -> None:
    bill = await billed(ordering, "cleaning", quantity=3)
    assert bill.total_fen == 11_250
    (brief,) = (await ordering.read(bill.order_id)).visits
    async with ordering.work() as work:
        visit = await work.session.get_one(Visit, brief.id)
        assert visit.care_started_at is not None
        visit.care_ended_at = visit.care_started_at + timedelta(minutes=95)
    correction_id = new_id()
    for _ in range(2):
        async with ordering.work() as work:
            await propose_from_correction(work, bill.order_id, correction_id)
    async with ordering.work(ordering.actor(Role.CENTRE_MANAGER)) as work:
        (asked,) = await list_adjustments(work, 10, None, None, bill.order_id)
    assert (asked.kind, asked.after_fen, asked.correction_id) == ("recalculation", 5625, correction_id)
    await answer(ordering, asked.id, YES, Role.CENTRE_MANAGER)
    after = await bill_of(ordering, bill.order_id)
    assert after.total_fen == 5625
    assert [(one.reason, one.amount_fen) for one in after.differences] == [("shorter_stay", -5625)]
    async with ordering.work() as work:
        await propose_from_correction(work, bill.order_id, correction_id)
    async with ordering.work(ordering.actor(Role.CENTRE_MANAGER)) as work:
        assert len(await list_adjustments(work, 10, None, None, bill.order_id)) == 1, "nothing is left to correct"
