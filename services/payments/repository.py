"""The SQL of payments, always inside the actor's walls."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, func, select

from services.billing.models import Settlement, SettlementLine, SettlementShare
from services.billing.states import SettlementStatus
from services.core.database import Work
from services.core.errors import NotFound
from services.core.scope import within
from services.payers.models import SELF_PAY
from services.payments.models import Payment, PaymentNotice, Refund
from services.payments.states import PaymentStatus, RefundStatus


async def owed_by_book(work: Work, bill: Settlement) -> dict[str, int]:
    """The household's part of the bill that counts; nothing while it is held."""
    if bill.status is not SettlementStatus.DUE:
        return {}
    statement = (
        select(SettlementLine.book, func.sum(SettlementShare.amount_fen))
        .join(SettlementLine, col(SettlementLine.id) == col(SettlementShare.line_id))
        .where(
            SettlementShare.settlement_id == bill.id,
            SettlementShare.revision == bill.revision,
            SettlementShare.payer == SELF_PAY,
        )
        .group_by(col(SettlementLine.book))
    )
    return {str(book): int(amount) for book, amount in (await work.session.exec(statement)).all()}


async def payments_of(work: Work, settlement_id: UUID) -> Sequence[Payment]:
    """Every payment of a bill in reach, newest first."""
    statement = (
        select(Payment)
        .where(Payment.settlement_id == settlement_id, *within(work.actor, Payment.area_code, Payment.resident_id))
        .order_by(col(Payment.id).desc())
        .execution_options(populate_existing=True)
    )
    return (await work.session.exec(statement)).all()


async def refunds_of(work: Work, settlement_id: UUID) -> Sequence[Refund]:
    """Every refund of a bill in reach, newest first."""
    statement = (
        select(Refund)
        .where(Refund.settlement_id == settlement_id, *within(work.actor, Refund.area_code, Refund.resident_id))
        .order_by(col(Refund.id).desc())
        .execution_options(populate_existing=True)
    )
    return (await work.session.exec(statement)).all()


async def order_of_payment(work: Work, payment_id: UUID) -> UUID:
    """The order of a payment in reach; raises ``NotFound``."""
    return await _order_of(work, Payment.id == payment_id)


async def order_of_reference(work: Work, provider: str, reference: str) -> UUID | None:
    """The order of a provider's reference; ``None`` for one that is not ours."""
    statement = select(Payment.order_id).where(Payment.provider == provider, Payment.reference == reference)
    return (await work.session.exec(statement)).one_or_none()


async def order_of_refund(work: Work, refund_id: UUID) -> UUID:
    """The order of a refund in reach; raises ``NotFound``."""
    statement = (
        select(Payment.order_id)
        .join(Refund, col(Refund.payment_id) == col(Payment.id))
        .where(Refund.id == refund_id, *within(work.actor, Refund.area_code, Refund.resident_id))
    )
    order_id = (await work.session.exec(statement)).one_or_none()
    if order_id is None:
        raise NotFound
    return order_id


async def claim_notice(work: Work, notice: PaymentNotice) -> bool:
    """Keep a provider's message; False when it was kept before."""
    statement = (
        insert(PaymentNotice)
        .values(**notice.model_dump())
        .on_conflict_do_nothing(constraint="payment_notice_once")
        .returning(col(PaymentNotice.id))
    )
    return (await work.sql(statement)).first() is not None


async def notice_kept(work: Work, provider: str, notice_id: str) -> PaymentNotice:
    """The message that was kept under an id."""
    statement = select(PaymentNotice).where(
        PaymentNotice.provider == provider, PaymentNotice.notice_id == notice_id
    )
    return (await work.session.exec(statement)).one()


async def expired_payments(work: Work, limit: int) -> Sequence[Payment]:
    """Pending payments whose time is over, locked; what is busy waits for the next round."""
    statement = (
        select(Payment)
        .where(Payment.status == PaymentStatus.PENDING, col(Payment.expires_at) <= work.now)
        .order_by(col(Payment.expires_at))
        .limit(limit)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return (await work.session.exec(statement)).all()


async def open_refunds(work: Work, limit: int, cursor: UUID | None) -> Sequence[Refund]:
    """Refunds of the actor's centre that wait for somebody, newest first."""
    statement = (
        select(Refund)
        .where(*within(work.actor, Refund.area_code, Refund.resident_id), col(Refund.status) != RefundStatus.DONE)
        .order_by(col(Refund.id).desc())
        .limit(limit)
    )
    if work.actor.centre_id is not None:
        statement = statement.where(Refund.centre_id == work.actor.centre_id)
    if cursor is not None:
        statement = statement.where(col(Refund.id) < cursor)
    return (await work.session.exec(statement)).all()


async def _order_of(work: Work, condition: Any) -> UUID:
    statement = select(Payment.order_id).where(
        condition, *within(work.actor, Payment.area_code, Payment.resident_id)
    )
    order_id = (await work.session.exec(statement)).one_or_none()
    if order_id is None:
        raise NotFound
    return order_id
