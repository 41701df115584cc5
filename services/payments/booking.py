"""Where money moves: the states of payments and refunds, and the entries of the ledger, in one step."""

from collections.abc import Sequence

from services.core.areas import town_of
from services.core.database import Work
from services.events import PaymentMoved
from services.ledger.entries import Account, Entry, sides
from services.ledger.models import AccountKind, Book
from services.ledger.service import post
from services.payments.models import NoticeOutcome, Payment, Refund
from services.payments.states import PAYMENT, REFUND, PaymentStatus, RefundStatus


async def paid(work: Work, payment: Payment) -> None:
    """The money is in: cash against what the household owed."""
    payment.paid_at = work.now
    PAYMENT.move(work, payment, PaymentStatus.PAID)
    pairs = []
    for book, amount in payment.split.items():
        pairs += [(_cash(payment, book, payment.provider), amount), (_receivable(payment, book), -amount)]
    await post(work, _entry(payment, f"payment:{payment.id}", "payment", pairs))
    _tell(work, payment, str(payment.status))


async def surplus(work: Work, payment: Payment) -> None:
    """Money that nobody owed any more: it stands apart and is wanted back at once."""
    payment.paid_at = work.now
    PAYMENT.move(work, payment, PaymentStatus.SURPLUS)
    pairs = []
    for book, amount in payment.split.items():
        pairs += [(_cash(payment, book, payment.provider), amount), (_payable(payment, book), -amount)]
    await post(work, _entry(payment, f"payment:{payment.id}", "surplus", pairs))
    want(work, payment, dict(payment.split), "surplus", is_surplus=True)
    _tell(work, payment, str(payment.status))


def want(work: Work, payment: Payment, split: dict[str, int], reason: str, *, is_surplus: bool) -> None:
    """So much of a payment is to go back."""
    refund = Refund(
        payment_id=payment.id,
        settlement_id=payment.settlement_id,
        resident_id=payment.resident_id,
        centre_id=payment.centre_id,
        area_code=payment.area_code,
        amount_fen=sum(split.values()),
        split=split,
        is_surplus=is_surplus,
        status=RefundStatus.WANTED,
        wanted_at=work.now,
        reason=reason,
        handled_by=work.actor.account_id,
    )
    work.session.add(refund)
    REFUND.begin(work, refund)


async def refund_done(work: Work, payment: Payment, refunds: Sequence[Refund], outcome: NoticeOutcome) -> None:
    """A provider's refund of the same amount closes the one that was wanted."""
    for refund in refunds:
        open_one = refund.payment_id == payment.id and refund.status is not RefundStatus.DONE
        if outcome is NoticeOutcome.APPLIED and open_one:
            await refunded(work, payment, refund, payment.provider)
            return


async def refunded(work: Work, payment: Payment, refund: Refund, way: str) -> None:
    """The money went back, by this way."""
    refund.done_at, refund.handled_by = work.now, work.actor.account_id
    REFUND.move(work, refund, RefundStatus.DONE)
    account = _payable if refund.is_surplus else _receivable
    pairs = []
    for book, amount in refund.split.items():
        pairs += [(account(payment, book), amount), (_cash(payment, book, way), -amount)]
    await post(work, _entry(payment, f"refund:{refund.id}", "refund", pairs))
    _tell(work, payment, "refunded")


def _entry(payment: Payment, key: str, kind: str, pairs: list[tuple[Account, int]]) -> Entry:
    return Entry(
        key=key,
        kind=kind,
        area_code=payment.area_code,
        postings=sides(pairs),
        resident_id=payment.resident_id,
        order_id=payment.order_id,
        settlement_id=payment.settlement_id,
    )


def _cash(payment: Payment, book: str, way: str) -> Account:
    return Account(Book(book), AccountKind.CASH, town_of(payment.area_code), way)


def _receivable(payment: Payment, book: str) -> Account:
    return Account(
        Book(book), AccountKind.RECEIVABLE_HOUSEHOLD, payment.area_code, resident_id=payment.resident_id
    )


def _payable(payment: Payment, book: str) -> Account:
    return Account(Book(book), AccountKind.REFUND_PAYABLE, payment.area_code, resident_id=payment.resident_id)


def _tell(work: Work, payment: Payment, status: str) -> None:
    work.record(
        PaymentMoved(
            area_code=payment.area_code,
            centre_id=payment.centre_id,
            payment_id=payment.id,
            order_id=payment.order_id,
            status=status,
        )
    )
