"""Bills and payments."""

from typing import ClassVar
from uuid import UUID

from services.core.outbox import Event


class OrderSettled(Event, frozen=True, kw_only=True):
    name: ClassVar[str] = "order.settled"
    order_id: UUID
    settlement_id: UUID


class BillAdjusted(Event, frozen=True, kw_only=True):
    """A bill that was due has been reversed and booked anew, as two people agreed."""

    name: ClassVar[str] = "bill.adjusted"
    order_id: UUID
    settlement_id: UUID
    adjustment_id: UUID


class PaymentMoved(Event, frozen=True, kw_only=True):
    """Paid, or money that came and goes back; a refund that is done."""

    name: ClassVar[str] = "payment.moved"
    payment_id: UUID
    order_id: UUID
    status: str
