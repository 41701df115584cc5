"""The settlements' SQL, always inside the actor's walls."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import and_, func, text
from sqlmodel import col, select

from services.billing.models import (
    Adjustment,
    BillAgreement,
    Settlement,
    SettlementLine,
    SettlementRevision,
    SettlementShare,
)
from services.billing.states import AdjustmentStatus
from services.caregivers.models import Caregiver
from services.core.database import Work
from services.core.errors import NotFound
from services.core.scope import within
from services.orders.models import Order
from services.payers.models import SELF_PAY
from services.payers.service import Used


async def settlement_of(work: Work, order_id: UUID) -> Settlement | None:
    """The bill of an order, when there is one in reach."""
    statement = select(Settlement).where(
        Settlement.order_id == order_id, *within(work.actor, Settlement.area_code, Settlement.resident_id)
    )
    return (await work.session.exec(statement)).one_or_none()


async def lock_settlement(work: Work, order_id: UUID) -> Settlement | None:
    """The same, locked. The order's lock comes first."""
    statement = (
        select(Settlement)
        .where(Settlement.order_id == order_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return (await work.session.exec(statement)).one_or_none()


async def lock_money_of(work: Work, resident_id: UUID) -> None:
    """One bill of a resident at a time: caps and vouchers are read and used without a gap.

    After the settlement's lock and before those of budgets.
    """
    await work.sql(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": f"money:{resident_id}"}
    )


async def lines_of(work: Work, bill: Settlement) -> Sequence[SettlementLine]:
    """The lines of a bill that count, in their order."""
    statement = (
        select(SettlementLine)
        .where(SettlementLine.settlement_id == bill.id, SettlementLine.revision == bill.revision)
        .order_by(col(SettlementLine.line_no))
    )
    return (await work.session.exec(statement)).all()


async def shares_of(work: Work, bill: Settlement) -> Sequence[SettlementShare]:
    """Who pays what of the lines that count."""
    statement = (
        select(SettlementShare)
        .where(SettlementShare.settlement_id == bill.id, SettlementShare.revision == bill.revision)
        .order_by(col(SettlementShare.id))
    )
    return (await work.session.exec(statement)).all()


async def revisions_of(work: Work, settlement_id: UUID) -> Sequence[SettlementRevision]:
    """Every making of a bill, oldest first."""
    statement = (
        select(SettlementRevision)
        .where(SettlementRevision.settlement_id == settlement_id)
        .order_by(col(SettlementRevision.revision))
    )
    return (await work.session.exec(statement)).all()


async def revision_of(work: Work, bill: Settlement) -> SettlementRevision:
    """The making that counts."""
    statement = select(SettlementRevision).where(
        SettlementRevision.settlement_id == bill.id, SettlementRevision.revision == bill.revision
    )
    return (await work.session.exec(statement)).one()


class BillRow(NamedTuple):
    """A bill with what a list shows of it."""

    bill: Settlement
    order: Order
    made: SettlementRevision
    self_fen: int


async def bills_page(work: Work, resident_id: UUID, limit: int, cursor: UUID | None) -> list[BillRow]:
    """A resident's bills in reach, newest first."""
    own = (
        select(func.coalesce(func.sum(SettlementShare.amount_fen), 0))
        .where(
            SettlementShare.settlement_id == Settlement.id,
            SettlementShare.revision == Settlement.revision,
            SettlementShare.payer == SELF_PAY,
        )
        .scalar_subquery()
    )
    statement = (
        select(Settlement, Order, SettlementRevision, own)
        .join(Order, col(Order.id) == col(Settlement.order_id))
        .join(
            SettlementRevision,
            and_(
                col(SettlementRevision.settlement_id) == col(Settlement.id),
                col(SettlementRevision.revision) == col(Settlement.revision),
            ),
        )
        .where(
            Settlement.resident_id == resident_id,
            *within(work.actor, Settlement.area_code, Settlement.resident_id),
        )
        .order_by(col(Settlement.id).desc())
        .limit(limit)
    )
    if cursor is not None:
        statement = statement.where(col(Settlement.id) < cursor)
    return [BillRow(*row) for row in (await work.session.exec(statement)).all()]


async def institution_of(work: Work, caregiver_id: UUID) -> UUID | None:
    """The institution that a caregiver belongs to."""
    statement = select(Caregiver.institution_id).where(Caregiver.id == caregiver_id)
    return (await work.session.exec(statement)).one_or_none()


async def agreements_of(work: Work, order_id: UUID) -> Sequence[BillAgreement]:
    """What the household agreed to beyond the quote, oldest first."""
    statement = select(BillAgreement).where(BillAgreement.order_id == order_id).order_by(col(BillAgreement.id))
    return (await work.session.exec(statement)).all()


_USED = text(
    """
    SELECT h.payer, sum(h.amount_fen)::bigint, sum(h.minutes)::bigint, count(DISTINCT h.settlement_id)
    FROM settlement_share h JOIN settlement s ON s.id = h.settlement_id AND s.revision = h.revision
    WHERE h.resident_id = :resident_id AND h.month = :month
      AND (CAST(:except AS uuid) IS NULL OR s.id <> :except)
    GROUP BY h.payer
    """
)


async def used_in_month(
    work: Work, resident_id: UUID, month: str, except_settlement: UUID | None = None
) -> Mapping[str, Used]:
    """What each payer has paid for a resident in a month, held bills included, one bill perhaps left out."""
    rows = await work.sql(_USED, {"resident_id": resident_id, "month": month, "except": except_settlement})
    return {payer: Used(fen, minutes, visits) for payer, fen, minutes, visits in rows}


async def lock_adjustment(work: Work, adjustment_id: UUID) -> Adjustment:
    """An adjustment in reach, locked; the settlement's lock comes first. Raises ``NotFound``."""
    statement = (
        select(Adjustment)
        .where(Adjustment.id == adjustment_id, *within(work.actor, Adjustment.area_code, Adjustment.resident_id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    found = (await work.session.exec(statement)).one_or_none()
    if found is None:
        raise NotFound
    return found


async def adjustment_in_reach(work: Work, adjustment_id: UUID) -> Adjustment:
    """The same without a lock."""
    statement = select(Adjustment).where(
        Adjustment.id == adjustment_id, *within(work.actor, Adjustment.area_code, Adjustment.resident_id)
    )
    found = (await work.session.exec(statement)).one_or_none()
    if found is None:
        raise NotFound
    return found


async def open_adjustment(work: Work, settlement_id: UUID) -> Adjustment | None:
    """The proposal that waits for its decision, if there is one."""
    statement = select(Adjustment).where(
        Adjustment.settlement_id == settlement_id, Adjustment.status == AdjustmentStatus.PROPOSED
    )
    return (await work.session.exec(statement)).one_or_none()


async def adjustments_page(
    work: Work, limit: int, cursor: UUID | None, status: AdjustmentStatus | None, order_id: UUID | None
) -> Sequence[Adjustment]:
    """Adjustments in reach, newest first."""
    statement = (
        select(Adjustment)
        .where(*within(work.actor, Adjustment.area_code, Adjustment.resident_id))
        .order_by(col(Adjustment.id).desc())
        .limit(limit)
    )
    if status is not None:
        statement = statement.where(Adjustment.status == status)
    if order_id is not None:
        statement = statement.where(Adjustment.order_id == order_id)
    if cursor is not None:
        statement = statement.where(col(Adjustment.id) < cursor)
    return (await work.session.exec(statement)).all()
