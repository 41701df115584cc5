"""A payment, its refund and a claim, for the tests that walk every route."""

from dataclasses import dataclass
from uuid import UUID

from sqlmodel import select

from services.billing.models import Settlement
from services.claims.models import Claim, ClaimLine
from services.claims.states import ClaimStatus
from services.core.database import Work
from services.ledger.models import Book
from services.orders.models import Order
from services.payments.models import CASH, Payment, Refund
from services.payments.states import PaymentStatus, RefundStatus


@dataclass(frozen=True, slots=True)
class Paid:
    """Their keys."""

    refund_id: UUID
    claim_id: UUID
    claim_line_id: UUID


async def add_paid(work: Work, order: Order) -> Paid:
    """Cash that was taken for the order's stored bill, of which a part waits to go back; a claim with one line."""
    bill = (await work.session.exec(select(Settlement).where(Settlement.order_id == order.id))).one()
    payment = Payment(
        settlement_id=bill.id,
        order_id=order.id,
        resident_id=order.resident_id,
        centre_id=order.centre_id,
        area_code=order.area_code,
        provider=CASH,
        reference=f"test-{order.id}",
        amount_fen=200,
        split={"eldercare": 200},
        status=PaymentStatus.PAID,
        started_by=order.placed_by,
        started_at=work.now,
        paid_at=work.now,
    )
    work.session.add(payment)
    await work.session.flush()
    refund = Refund(
        payment_id=payment.id,
        settlement_id=bill.id,
        resident_id=order.resident_id,
        centre_id=order.centre_id,
        area_code=order.area_code,
        amount_fen=100,
        split={"eldercare": 100},
        is_surplus=False,
        status=RefundStatus.WANTED,
        wanted_at=work.now,
        reason="多收",
    )
    claim = Claim(
        payer="government_purchase",
        payer_name_zh="政府购买服务",
        payer_name_en="Government purchase",
        month="2026-11",
        centre_id=order.centre_id,
        area_code=order.area_code[:9],
        status=ClaimStatus.ANSWERED,
        lines=1,
        asked_fen=100,
        approved_fen=100,
        made_at=work.now,
    )
    work.session.add_all((refund, claim))
    await work.session.flush()
    line = ClaimLine(
        claim_id=claim.id,
        making=claim.making,
        settlement_id=bill.id,
        order_id=order.id,
        resident_id=order.resident_id,
        area_code=order.area_code,
        payer=claim.payer,
        book=Book.ELDERCARE,
        service_day=work.now.date(),
        asked_fen=100,
    )
    work.session.add(line)
    return Paid(refund.id, claim.id, line.id)
