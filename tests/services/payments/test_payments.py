"""Paying a bill: once, whatever taps, receipts and providers do at the same time."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

from services.billing.adjusting import decide, propose
from services.billing.service import get_settlement, settle
from services.billing.views import AdjustmentCreate, AdjustmentDecision, LineChange
from services.core.actor import Role
from services.core.errors import NotFound
from services.core.settings import Settings
from services.ledger.service import trial_balance
from services.orders.models import OrderPublic
from services.payments.errors import AmountDiffers, NoProvider, NothingToPay, NoticeNotSigned
from services.payments.models import (
    CashPayment,
    NoticeKind,
    NoticeOutcome,
    NoticeTaken,
    PaymentPublic,
    PaymentState,
    ProviderNotice,
    RefundDone,
)
from services.payments.providers import DemoProvider, check_notice, signed_by_demo
from services.payments.service import (
    expire_payments,
    payment_state,
    refund_by_hand,
    start_payment,
    take_cash,
    take_notice,
    want_refund,
)
from tests.ordering import Ordering

DEMO = DemoProvider()


async def owed(ordering: Ordering) -> tuple[OrderPublic, int]:
    """A bill that is due, and what the household owes of it."""
    order = await ordering.completed("cleaning")
    async with ordering.work() as work:
        await settle(work, order.id)
    async with ordering.work(ordering.resident) as work:
        bill = await get_settlement(work, order.id)
    assert bill.status == "due"
    return order, bill.self_fen


async def start(ordering: Ordering, order: OrderPublic) -> PaymentPublic:
    async with ordering.work(ordering.resident) as work:
        return await start_payment(work, order.id, DEMO)


async def hear(ordering: Ordering, said: ProviderNotice) -> NoticeTaken:
    async with ordering.work() as work:
        return await take_notice(work, "demo", said)


async def cash(ordering: Ordering, order: OrderPublic, amount: int, receipt: str) -> PaymentPublic:
    async with ordering.work(ordering.dispatcher) as work:
        return await take_cash(work, order.id, CashPayment(amount_fen=amount, receipt=receipt))


async def state(ordering: Ordering, order: OrderPublic) -> PaymentState:
    async with ordering.work(ordering.resident) as work:
        return await payment_state(work, order.id)


def paid(payment: PaymentPublic, notice_id: str = "n-1", amount: int | None = None) -> ProviderNotice:
    """The provider says that it was paid."""
    return ProviderNotice(
        notice_id=f"{notice_id}-{payment.id}",
        kind=NoticeKind.PAID,
        reference=payment.reference,
        amount_fen=amount or payment.amount_fen,
    )


async def balances(ordering: Ordering) -> dict[str, int]:
    """What stands on each kind of account of this centre's county, all books together."""
    async with ordering.work(ordering.actor(Role.COUNTY_OFFICER)) as work:
        trial = await trial_balance(work, None)
    assert set(trial.sums_fen.values()) == {0}
    found: dict[str, int] = {}
    for account in trial.accounts:
        found[str(account.kind)] = found.get(str(account.kind), 0) + account.balance_fen
    return found


async def test_paid_once_however_often_it_is_tapped_and_reported(ordering: Ordering) -> None:
    order, amount = await owed(ordering)
    taps = await asyncio.gather(*(start(ordering, order) for _ in range(16)))
    assert len({tap.id for tap in taps}) == 1
    assert taps[0].amount_fen == amount
    assert taps[0].checkout
    heard = await asyncio.gather(*(hear(ordering, paid(taps[0])) for _ in range(16)))
    assert {one.outcome for one in heard} == {NoticeOutcome.APPLIED}
    assert (await hear(ordering, paid(taps[0], "another"))).outcome is NoticeOutcome.APPLIED
    after = await state(ordering, order)
    assert (after.owed_fen, after.paid_fen, after.outstanding_fen) == (amount, amount, 0)
    found = await balances(ordering)
    assert (found["cash"], found["receivable_household"], found["income"]) == (amount, 0, -amount)
    with pytest.raises(NothingToPay):
        await start(ordering, order)


async def test_money_that_comes_after_cash_was_taken_goes_back(ordering: Ordering) -> None:
    order, amount = await owed(ordering)
    payment = await start(ordering, order)
    await cash(ordering, order, amount, "SJ-1")
    assert (await hear(ordering, paid(payment))).outcome is NoticeOutcome.SURPLUS
    after = await state(ordering, order)
    assert (after.paid_fen, after.outstanding_fen) == (amount, 0)
    (refund,) = after.refunds
    assert (refund.amount_fen, refund.status, refund.is_surplus) == (amount, "wanted", True)
    found = await balances(ordering)
    assert (found["cash"], found["refund_payable"]) == (2 * amount, -amount)
    for _ in range(2):
        async with ordering.work(ordering.actor(Role.CENTRE_MANAGER)) as work:
            done = await refund_by_hand(work, refund.id, RefundDone(receipt="TK-1"))
    assert done.status == "done"
    found = await balances(ordering)
    assert (found["cash"], found["refund_payable"], found["receivable_household"]) == (amount, 0, 0)


async def test_cash_and_the_provider_at_once_leave_one_payment(ordering: Ordering) -> None:
    order, amount = await owed(ordering)
    payment = await start(ordering, order)
    tries = [cash(ordering, order, amount, f"SJ-{n}") for n in range(8)]
    heard = [hear(ordering, paid(payment, f"n{n}")) for n in range(8)]
    await asyncio.gather(*tries, *heard, return_exceptions=True)
    after = await state(ordering, order)
    assert (after.paid_fen, after.outstanding_fen) == (amount, 0)
    assert sum(one.status == "paid" for one in after.payments) == 1
    assert (await balances(ordering))["receivable_household"] == 0


async def test_cash_is_taken_in_full_and_a_receipt_counts_once(ordering: Ordering) -> None:
    order, amount = await owed(ordering)
    with pytest.raises(AmountDiffers) as refused:
        await cash(ordering, order, amount - 1, "SJ-1")
    assert refused.value.extra["outstanding_fen"] == amount
    first, again = await cash(ordering, order, amount, "SJ-2"), await cash(ordering, order, amount, "SJ-2")
    assert first.id == again.id
    assert (await balances(ordering))["cash"] == amount


async def test_what_a_correction_takes_off_a_paid_bill_goes_back_once(ordering: Ordering) -> None:
    order, amount = await owed(ordering)
    await cash(ordering, order, amount, "SJ-1")
    less = AdjustmentCreate(lines=[LineChange(line_no=1, amount_fen=amount // 2)], reason="投诉成立，退一半")
    async with ordering.work(ordering.dispatcher) as work:
        proposed = await propose(work, order.id, less)
    async with ordering.work(ordering.actor(Role.CENTRE_MANAGER)) as work:
        await decide(work, proposed.id, AdjustmentDecision(approve=True, note="同意"), None)
    for _ in range(2):
        async with ordering.work() as work:
            await want_refund(work, order.id, "bill_adjusted")
    after = await state(ordering, order)
    assert [one.amount_fen for one in after.refunds] == [amount - amount // 2]
    assert (after.owed_fen, after.outstanding_fen) == (amount // 2, 0)
    async with ordering.work(ordering.actor(Role.CENTRE_MANAGER)) as work:
        await refund_by_hand(work, after.refunds[0].id, RefundDone(receipt="TK-1"))
    found = await balances(ordering)
    assert (found["cash"], found["receivable_household"], found["income"]) == (amount // 2, 0, -(amount // 2))


async def test_another_amount_books_nothing_and_is_kept(ordering: Ordering) -> None:
    order, amount = await owed(ordering)
    payment = await start(ordering, order)
    assert (await hear(ordering, paid(payment, amount=amount + 1))).outcome is NoticeOutcome.AMOUNT_DIFFERS
    unknown = ProviderNotice(notice_id=f"x-{payment.id}", kind=NoticeKind.PAID, reference="gy-none", amount_fen=1)
    assert (await hear(ordering, unknown)).outcome is NoticeOutcome.UNKNOWN
    assert (await state(ordering, order)).paid_fen == 0


async def test_a_payment_nobody_finished_ends_and_late_money_still_counts(ordering: Ordering) -> None:
    order, amount = await owed(ordering)
    payment = await start(ordering, order)
    ordering.clock.forward(minutes=31)
    async with ordering.work() as work:
        await expire_payments(work, 1_000)
    assert [one.status for one in (await state(ordering, order)).payments] == ["expired"]
    assert (await hear(ordering, paid(payment))).outcome is NoticeOutcome.APPLIED
    assert (await state(ordering, order)).paid_fen == amount


async def test_nobody_pays_for_strangers_or_without_a_provider(ordering: Ordering) -> None:
    order, _ = await owed(ordering)
    with pytest.raises(NotFound):
        async with ordering.work(ordering.actor(Role.RESIDENT, number=1)) as work:
            await start_payment(work, order.id, DEMO)
    with pytest.raises(NoProvider):
        async with ordering.work(ordering.resident) as work:
            await start_payment(work, order.id, None)


def test_only_the_provider_in_use_is_believed() -> None:
    settings = Settings(_env_file=None, mode="demo", token_secret="x" * 32)
    other = Settings(_env_file=None, mode="demo", token_secret="y" * 32)
    now = datetime(2026, 11, 22, tzinfo=UTC)
    body = json.dumps({"notice_id": "n"}).encode()
    headers = signed_by_demo(settings, body, now)
    said = (headers["X-Guoyuan-Timestamp"], headers["X-Guoyuan-Signature"])
    check_notice(settings, "demo", *said, body, now)
    for case in (
        (other, "demo", *said, body, now),
        (settings, "other", *said, body, now),
        (settings, "demo", *said, body + b" ", now),
        (settings, "demo", *said, body, now + timedelta(minutes=6)),
        (settings, "demo", said[0], "", body, now),
    ):
        with pytest.raises(NoticeNotSigned):
            check_notice(*case)
