"""The verbs of payments. Every change locks the order first, then its bill; money is booked where it moves."""

from collections.abc import Sequence
from uuid import UUID

from services.audit.service import record_read
from services.billing.models import Settlement
from services.billing.repository import lock_settlement
from services.billing.states import SettlementStatus
from services.core.database import Work
from services.core.errors import Forbidden, NotFound
from services.core.ids import new_id
from services.orders.repository import lock_order
from services.orders.service import require_may_order
from services.payments import booking, repository
from services.payments.balance import outstanding, portions, to_pay, to_refund
from services.payments.errors import AmountDiffers, BillHeld, NoProvider, NothingToPay, RefundNotOpen
from services.payments.models import (
    CASH,
    CashPayment,
    NoticeKind,
    NoticeOutcome,
    NoticeTaken,
    Payment,
    PaymentNotice,
    PaymentPublic,
    PaymentState,
    ProviderNotice,
    Refund,
    RefundDone,
    RefundPublic,
)
from services.payments.providers import Provider
from services.payments.states import PAYMENT, REFUND, PaymentStatus, RefundStatus


async def start_payment(work: Work, order_id: UUID, provider: Provider | None) -> PaymentPublic:
    """Begin to pay everything that the household owes of a bill; one that is pending is shown again.

    Raises ``NotFound``, ``MayNotOrder``, ``NoProvider``, ``BillHeld``, ``NothingToPay``.
    """
    bill = await _lock_bill(work, order_id)
    await require_may_order(work, bill.resident_id)
    if provider is None:
        raise NoProvider
    payments = await repository.payments_of(work, bill.id)
    pending = next((one for one in payments if one.status is PaymentStatus.PENDING), None)
    split = await _to_pay(work, bill, payments)
    if pending is not None and pending.split == split and pending.expires_at and pending.expires_at > work.now:
        return _shown(pending, provider)
    if pending is not None:
        PAYMENT.move(work, pending, PaymentStatus.CANCELLED, "bill_changed")
        await work.session.flush()
    payment = _payment(work, bill, provider.name, split)
    payment.expires_at = work.now + provider.valid_for
    work.session.add(payment)
    PAYMENT.begin(work, payment)
    await work.session.flush()
    return _shown(payment, provider)


async def take_cash(work: Work, order_id: UUID, said: CashPayment) -> PaymentPublic:
    """Money handed over at the centre, in full. The same receipt again is the same payment.

    Raises ``NotFound``, ``BillHeld``, ``NothingToPay``, ``AmountDiffers``.
    """
    bill = await _lock_bill(work, order_id)
    payments = await repository.payments_of(work, bill.id)
    same = next((one for one in payments if one.provider == CASH and one.receipt == said.receipt), None)
    if same is not None and same.amount_fen == said.amount_fen:
        return _shown(same, None)
    split = await _to_pay(work, bill, payments)
    if sum(split.values()) != said.amount_fen:
        raise AmountDiffers(field="amount_fen", outstanding_fen=sum(split.values()))
    for one in payments:
        if one.status is PaymentStatus.PENDING:
            PAYMENT.move(work, one, PaymentStatus.CANCELLED, "paid_in_cash")
    await work.session.flush()
    payment = _payment(work, bill, CASH, split)
    payment.receipt = said.receipt
    work.session.add(payment)
    PAYMENT.begin(work, payment)
    await work.session.flush()
    await booking.paid(work, payment)
    return _shown(payment, None)


async def take_notice(work: Work, provider: str, said: ProviderNotice) -> NoticeTaken:
    """A provider's genuine message; the same one again changes nothing and gets the same answer.

    Money for a bill that was paid otherwise is booked as surplus and wanted back at once. An amount that is not
    what was asked for is kept for a person to look at. For the system's own actor.
    """
    notice = PaymentNotice(
        provider=provider,
        notice_id=said.notice_id,
        outcome=NoticeOutcome.UNKNOWN,
        body=said.model_dump(mode="json"),
        received_at=work.now,
    )
    order_id = await repository.order_of_reference(work, provider, said.reference)
    if order_id is None:
        await repository.claim_notice(work, notice)
        return NoticeTaken(outcome=(await repository.notice_kept(work, provider, said.notice_id)).outcome)
    bill = await _lock_bill(work, order_id)
    payments = await repository.payments_of(work, bill.id)
    payment = next(one for one in payments if one.provider == provider and one.reference == said.reference)
    notice.payment_id, notice.area_code = payment.id, payment.area_code
    notice.outcome = await _outcome(work, bill, payment, payments, said)
    if not await repository.claim_notice(work, notice):
        return NoticeTaken(outcome=(await repository.notice_kept(work, provider, said.notice_id)).outcome)
    if said.kind is NoticeKind.REFUNDED:
        await booking.refund_done(work, payment, await repository.refunds_of(work, bill.id), notice.outcome)
    elif notice.outcome is NoticeOutcome.APPLIED and payment.status is not PaymentStatus.PAID:
        await booking.paid(work, payment)
    elif notice.outcome is NoticeOutcome.SURPLUS and payment.status is not PaymentStatus.SURPLUS:
        await booking.surplus(work, payment)
    await work.session.flush()
    return NoticeTaken(outcome=notice.outcome)


async def payment_state(work: Work, order_id: UUID) -> PaymentState:
    """What is owed, paid and going back of an order's bill; leaves a row in the access log. ``NotFound``."""
    bill = await _lock_bill(work, order_id)
    await record_read(work, [bill.resident_id], "payments", ["amounts", "status"])
    return await _state(work, bill)


async def want_refund(work: Work, order_id: UUID, reason: str) -> PaymentState:
    """What was paid too much, after a correction of the bill, goes back. A repeat finds nothing left to do."""
    bill = await _lock_bill(work, order_id)
    payments = await repository.payments_of(work, bill.id)
    refunds = await repository.refunds_of(work, bill.id)
    split = to_refund(await _rest(work, bill, payments, refunds))
    if split:
        paid = [one for one in payments if one.status is PaymentStatus.PAID]
        free = [
            one.amount_fen - sum(back.amount_fen for back in refunds if back.payment_id == one.id) for one in paid
        ]
        for payment, part in zip(paid, portions(split, free), strict=False):
            if part:
                booking.want(work, payment, part, reason, is_surplus=False)
        await work.session.flush()
    return await _state(work, bill)


async def refund_by_hand(work: Work, refund_id: UUID, said: RefundDone) -> RefundPublic:
    """The money was handed back at the centre. A repeat changes nothing; raises ``RefundNotOpen``."""
    bill = await _lock_bill(work, await repository.order_of_refund(work, refund_id))
    refunds = await repository.refunds_of(work, bill.id)
    refund = next((one for one in refunds if one.id == refund_id), None)
    if refund is None:
        raise NotFound
    if refund.status is RefundStatus.DONE and refund.receipt == said.receipt:
        return RefundPublic.model_validate(refund)
    if not REFUND.allows(refund.status, RefundStatus.DONE):
        raise RefundNotOpen(current=str(refund.status))
    payment = next(one for one in await repository.payments_of(work, bill.id) if one.id == refund.payment_id)
    refund.receipt = said.receipt
    await booking.refunded(work, payment, refund, CASH)
    await work.session.flush()
    return RefundPublic.model_validate(refund)


async def list_refunds(work: Work, limit: int, cursor: UUID | None) -> list[RefundPublic]:
    """Refunds that wait for somebody, newest first; leaves rows in the access log."""
    rows = await repository.open_refunds(work, limit, cursor)
    await record_read(work, [row.resident_id for row in rows], "refunds", ["amount", "reason"])
    return [RefundPublic.model_validate(row) for row in rows]


async def expire_payments(work: Work, limit: int = 200) -> int:
    """Payments that nobody finished in time. For the worker."""
    due = await repository.expired_payments(work, limit)
    for payment in due:
        PAYMENT.move(work, payment, PaymentStatus.EXPIRED)
    return len(due)


async def _lock_bill(work: Work, order_id: UUID) -> Settlement:
    order = await lock_order(work, order_id)
    bill = await lock_settlement(work, order.id)
    if bill is None:
        raise NotFound
    return bill


async def _rest(
    work: Work, bill: Settlement, payments: Sequence[Payment], refunds: Sequence[Refund]
) -> dict[str, int]:
    return outstanding(
        await repository.owed_by_book(work, bill),
        [one.split for one in payments if one.status is PaymentStatus.PAID],
        [one.split for one in refunds if not one.is_surplus],
    )


async def _to_pay(work: Work, bill: Settlement, payments: Sequence[Payment]) -> dict[str, int]:
    if bill.status is SettlementStatus.HELD:
        raise BillHeld
    rest = await _rest(work, bill, payments, await repository.refunds_of(work, bill.id))
    split = to_pay(rest)
    if not split:
        raise NothingToPay(outstanding_fen=sum(rest.values()))
    return split


async def _outcome(
    work: Work, bill: Settlement, payment: Payment, payments: Sequence[Payment], said: ProviderNotice
) -> NoticeOutcome:
    if said.kind is NoticeKind.REFUNDED:
        refunds = await repository.refunds_of(work, bill.id)
        fits = [one for one in refunds if one.payment_id == payment.id and one.amount_fen == said.amount_fen]
        return NoticeOutcome.APPLIED if fits else NoticeOutcome.AMOUNT_DIFFERS
    if said.amount_fen != payment.amount_fen:
        return NoticeOutcome.AMOUNT_DIFFERS
    if payment.status in (PaymentStatus.PAID, PaymentStatus.PENDING):
        return NoticeOutcome.APPLIED
    rest = await _rest(work, bill, payments, await repository.refunds_of(work, bill.id))
    return NoticeOutcome.APPLIED if to_pay(rest) == payment.split else NoticeOutcome.SURPLUS


def _payment(work: Work, bill: Settlement, provider: str, split: dict[str, int]) -> Payment:
    if work.actor.account_id is None:
        raise Forbidden
    key = new_id()
    return Payment(
        id=key,
        settlement_id=bill.id,
        order_id=bill.order_id,
        resident_id=bill.resident_id,
        centre_id=bill.centre_id,
        area_code=bill.area_code,
        provider=provider,
        reference=f"gy-{key.hex}",
        amount_fen=sum(split.values()),
        split=split,
        status=PaymentStatus.PENDING,
        started_by=work.actor.account_id,
        started_at=work.now,
    )


async def _state(work: Work, bill: Settlement) -> PaymentState:
    payments = await repository.payments_of(work, bill.id)
    refunds = await repository.refunds_of(work, bill.id)
    owed = await repository.owed_by_book(work, bill)
    return PaymentState(
        order_id=bill.order_id,
        owed_fen=sum(owed.values()),
        paid_fen=sum(one.amount_fen for one in payments if one.status is PaymentStatus.PAID),
        refunded_fen=sum(one.amount_fen for one in refunds if not one.is_surplus),
        outstanding_fen=sum((await _rest(work, bill, payments, refunds)).values()),
        payments=[_shown(one, None) for one in payments],
        refunds=[RefundPublic.model_validate(one) for one in refunds],
    )


def _shown(payment: Payment, provider: Provider | None) -> PaymentPublic:
    public = PaymentPublic.model_validate(payment)
    if provider is not None and payment.status is PaymentStatus.PENDING:
        public.checkout = provider.checkout(payment)
    return public
