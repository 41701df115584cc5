"""The life of a voucher: issued once, set aside, redeemed, given back, expired; never spent twice."""

import asyncio
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text

from services.billing.service import get_settlement, settle
from services.billing.views import SettlementPublic
from services.core.actor import Role
from services.core.clock import BUSINESS_ZONE
from services.ledger.repository import wrong_balances
from services.ledger.service import trial_balance
from services.payers import service as payers
from services.payers.models import VoucherBalance
from services.payers.vouchers import expire_due, issue_due
from services.residents.models import Resident
from services.visits.models import ReviewRequest
from services.visits.service import review
from tests.ordering import Ordering
from tests.permits import assess_ability

CROWD = 64


def resident_id(ordering: Ordering) -> UUID:
    return ordering.world.here.households[0].resident.id


async def disabled(ordering: Ordering, points: int = 50) -> None:
    """She is assessed; 50 points are level 2."""
    async with ordering.work() as work:
        assess_ability(work, await work.session.get_one(Resident, resident_id(ordering)), points)


async def issue(ordering: Ordering) -> list[str]:
    """Ask for this month's voucher; gives why not."""
    async with ordering.work(ordering.actor(Role.CENTRE_MANAGER)) as work:
        return [one.code for one in (await payers.issue_vouchers(work, resident_id(ordering))).not_issued]


async def voucher(ordering: Ordering) -> VoucherBalance:
    async with ordering.work(ordering.resident) as work:
        (found,) = (await payers.vouchers_of(work, resident_id(ordering))).vouchers
        assert found.issued_fen == (
            found.available_fen + found.reserved_fen + found.redeemed_fen + found.expired_fen
        )
        return found


async def settled(ordering: Ordering, order_id: UUID) -> SettlementPublic:
    async with ordering.work() as work:
        await settle(work, order_id)
    async with ordering.work(ordering.resident) as work:
        return await get_settlement(work, order_id)


async def test_a_bill_takes_its_share_from_the_voucher(ordering: Ordering) -> None:
    await disabled(ordering)
    assert await issue(ordering) == []
    order = await ordering.completed("bathing")
    bill = await settled(ordering, order.id)
    assert bill.total_fen == 10_500
    assert [(s.payer, s.amount_fen) for s in bill.lines[0].shares] == [
        ("consumption_voucher", 4725),
        ("self", 5775),
    ]
    assert {p.payer: (p.amount_fen, p.code) for p in bill.payers}["consumption_voucher"] == (4725, "pays")
    assert bill.self_fen == 5775
    assert "57.75" in bill.words_zh
    left = await voucher(ordering)
    assert (left.available_fen, left.redeemed_fen) == (75_275, 4725)
    assert "752.75" in left.words_zh


async def test_without_an_assessment_or_with_a_mild_one_there_is_none(ordering: Ordering) -> None:
    assert await issue(ordering) == ["not_assessed"]
    await disabled(ordering, points=80)
    assert await issue(ordering) == ["ability_outside"]
    order = await ordering.completed("bathing")
    bill = await settled(ordering, order.id)
    assert bill.self_fen == bill.total_fen
    assert {p.payer: p.code for p in bill.payers}["consumption_voucher"] == "ability_outside"


async def test_the_nightly_round_issues_once(ordering: Ordering) -> None:
    await disabled(ordering)

    async def round_() -> None:
        async with ordering.work() as work:
            await issue_due(work)

    for _ in range(3):
        await round_()
    await asyncio.gather(*(round_() for _ in range(8)))
    assert (await voucher(ordering)).issued_fen == 80_000
    assert await issue(ordering) == []
    assert (await voucher(ordering)).issued_fen == 80_000


async def test_asked_for_by_many_at_once_it_is_issued_once(ordering: Ordering) -> None:
    await disabled(ordering)
    await asyncio.gather(*(issue(ordering) for _ in range(16)))
    assert (await voucher(ordering)).issued_fen == 80_000


async def test_a_held_bill_sets_its_part_aside(ordering: Ordering) -> None:
    await disabled(ordering)
    await issue(ordering)
    order = await ordering.completed("bathing", check_in={"start_code": None})
    bill = await settled(ordering, order.id)
    assert bill.status == "held"
    held = await voucher(ordering)
    assert (held.available_fen, held.reserved_fen, held.redeemed_fen) == (75_275, 4725, 0)
    async with ordering.work() as work:
        booked = await work.sql(
            text("SELECT count(*) FROM ledger_transaction WHERE kind = 'bill' AND order_id = :id"),
            {"id": order.id},
        )
        assert booked.scalar_one() == 0
    (visit,) = (await ordering.read(order.id)).visits
    async with ordering.work(ordering.dispatcher) as work:
        await review(work, visit.id, ReviewRequest(note="长者证实"), None)
    bill = await settled(ordering, order.id)
    assert (bill.status, bill.revision, bill.self_fen) == ("due", 1, 5775)
    due = await voucher(ordering)
    assert (due.available_fen, due.reserved_fen, due.redeemed_fen) == (75_275, 0, 4725)


async def test_what_is_left_expires_after_the_days_of_grace(ordering: Ordering) -> None:
    await disabled(ordering)
    await issue(ordering)
    month_end = (ordering.clock.now().astimezone(BUSINESS_ZONE).replace(day=28) + timedelta(days=4)).replace(day=1)

    async def expire(days: int) -> VoucherBalance:
        ordering.clock.forward(seconds=(month_end + timedelta(days=days) - ordering.clock.now()).total_seconds())
        async with ordering.work() as work:
            while await expire_due(work):
                pass
        return await voucher(ordering)

    assert (await expire(6)).available_fen == 80_000
    gone = await expire(8)
    assert (gone.available_fen, gone.expired_fen) == (0, 80_000)
    assert "800.00" in gone.words_zh


async def test_64_bills_at_once_never_spend_a_voucher_twice(ordering: Ordering) -> None:
    """45 % of 105 yuan is 47.25; the month's cap of 500 yuan is reached in the eleventh bill, whichever it is."""
    await disabled(ordering)
    await issue(ordering)
    orders = [(await ordering.completed("bathing")).id for _ in range(CROWD)]
    lanes = asyncio.Semaphore(16)  # they wait for one another in the database, not for a connection of the pool

    async def one(order_id: UUID) -> None:
        async with lanes:
            await settled(ordering, order_id)

    await asyncio.gather(*(one(order_id) for order_id in orders))
    bills = [await settled(ordering, order_id) for order_id in orders]
    paid = sorted(share.amount_fen for bill in bills for share in bill.lines[0].shares if share.payer != "self")
    assert paid == [50_000 - 10 * 4725, *[4725] * 10]
    assert all(sum(share.amount_fen for share in bill.lines[0].shares) == 10_500 for bill in bills)
    left = await voucher(ordering)
    assert (left.available_fen, left.redeemed_fen) == (30_000, 50_000)
    async with ordering.work() as work:
        assert await wrong_balances(work) == 0
        assert set((await trial_balance(work, None)).sums_fen.values()) == {0}
        owed = await work.sql(
            text(
                "SELECT sum(p.amount_fen) FROM ledger_posting p JOIN ledger_account a ON a.id = p.account_id"
                " WHERE a.kind = 'receivable_household' AND a.resident_id = :id"
            ),
            {"id": resident_id(ordering)},
        )
        assert owed.scalar_one() == CROWD * 10_500 - 50_000
