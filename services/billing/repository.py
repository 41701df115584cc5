"""The settlements' SQL, always inside the actor's walls."""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import col, select

from services.billing.models import Settlement, SettlementLine
from services.core.database import Work
from services.core.scope import within


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


async def lines_of(work: Work, settlement_id: UUID) -> Sequence[SettlementLine]:
    """The lines of a bill, in their order."""
    statement = (
        select(SettlementLine)
        .where(SettlementLine.settlement_id == settlement_id)
        .order_by(col(SettlementLine.line_no))
    )
    return (await work.session.exec(statement)).all()
