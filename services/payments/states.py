"""A payment's life: pending → paid, or expired or cancelled. A refund's: wanted → sent → done or failed."""

from enum import StrEnum

from services.core.transitions import Transitions


class PaymentStatus(StrEnum):
    PENDING = "pending"  # the payer has been shown where to pay
    PAID = "paid"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    SURPLUS = "surplus"  # money came for a bill that was paid already: it goes back


PAYMENT = Transitions[PaymentStatus](
    "payment",
    {
        PaymentStatus.PENDING: frozenset(
            {PaymentStatus.PAID, PaymentStatus.EXPIRED, PaymentStatus.CANCELLED, PaymentStatus.SURPLUS}
        ),
        # Money that was on its way when we stopped waiting for it still counts.
        PaymentStatus.EXPIRED: frozenset({PaymentStatus.PAID, PaymentStatus.SURPLUS}),
        PaymentStatus.CANCELLED: frozenset({PaymentStatus.PAID, PaymentStatus.SURPLUS}),
    },
)


class RefundStatus(StrEnum):
    WANTED = "wanted"  # waits for a person at the centre
    SENT = "sent"  # the provider has been asked
    DONE = "done"
    FAILED = "failed"


REFUND = Transitions[RefundStatus](
    "refund",
    {
        RefundStatus.WANTED: frozenset({RefundStatus.SENT, RefundStatus.DONE}),
        RefundStatus.SENT: frozenset({RefundStatus.DONE, RefundStatus.FAILED}),
        RefundStatus.FAILED: frozenset({RefundStatus.SENT, RefundStatus.DONE}),
    },
)
