"""The bill of an order: made once, from the price rule as it was when the order was placed."""

from collections.abc import Sequence
from uuid import UUID

from services.audit.service import record_read
from services.billing import repository
from services.billing.errors import NotSettled
from services.billing.models import Settlement, SettlementLine, SettlementLinePublic, SettlementPublic
from services.billing.states import SETTLEMENT, SettlementStatus
from services.core.database import Work
from services.events import OrderSettled
from services.orders.lines import price_of
from services.orders.models import Order
from services.orders.repository import lock_order, order_in_reach
from services.orders.service import lines_of, price_context
from services.orders.states import OrderStatus
from services.visits.models import Visit
from services.visits.repository import visits_of_order
from services.visits.states import VisitStatus

SELF_PAY = "self"
"""The resident. Vouchers and insurance become payers of their own."""


async def settle(work: Work, order_id: UUID) -> None:
    """Bill a completed order; call it as often as you like. For the handlers.

    While a visit is flagged the bill is held; it falls due when the last flag has been reviewed. An order
    that is not completed is left alone.
    """
    order = await lock_order(work, order_id)
    if order.status is not OrderStatus.COMPLETED:
        return
    visits = await visits_of_order(work, order.id)
    flagged = any(visit.status is VisitStatus.FLAGGED for visit in visits)
    bill = await repository.lock_settlement(work, order.id)
    if bill is None:
        await _bill(work, order, visits, SettlementStatus.HELD if flagged else SettlementStatus.DUE)
    elif bill.status is SettlementStatus.HELD and not flagged:
        SETTLEMENT.move(work, bill, SettlementStatus.DUE, "reviewed")


async def get_settlement(work: Work, order_id: UUID) -> SettlementPublic:
    """The bill of an order in reach. Raises ``NotFound``, ``NotSettled``."""
    order = await order_in_reach(work, order_id)
    bill = await repository.settlement_of(work, order.id)
    if bill is None:
        raise NotSettled
    await record_read(work, [bill.resident_id], "settlement", ["lines", "total_fen"])
    lines = await repository.lines_of(work, bill.id)
    return SettlementPublic(
        **bill.model_dump(),
        lines=[SettlementLinePublic.model_validate(line) for line in lines],
        prices_verified=all(line.item.price_rule.verified for line in lines_of(order)),
    )


def actual_minutes(ordered: int, visits: Sequence[Visit]) -> int:
    """What timed lines are billed for: the longest visit, never more than was ordered and quoted.

    Where no visit has both ends (no check-in), the ordered time stands until a person has looked.
    """
    stays = [
        round((visit.care_ended_at - visit.care_started_at).total_seconds() / 60)
        for visit in visits
        if visit.care_started_at is not None and visit.care_ended_at is not None
    ]
    return min(ordered, max(*stays, 1)) if stays else ordered


async def _bill(work: Work, order: Order, visits: Sequence[Visit], status: SettlementStatus) -> None:
    ordered = lines_of(order)
    if len(ordered) == 1:  # nobody can tell how a shorter stay was shared by several services
        ordered[0].minutes = actual_minutes(order.duration_minutes, visits)
    final = price_of(ordered, price_context(order.is_urgent))
    bill = Settlement(
        order_id=order.id,
        resident_id=order.resident_id,
        centre_id=order.centre_id,
        area_code=order.area_code,
        status=status,
        total_fen=final.total_fen,
        settled_at=work.now,
    )
    work.session.add(bill)
    SETTLEMENT.begin(work, bill)
    await work.session.flush()
    work.session.add_all(
        SettlementLine(
            settlement_id=bill.id,
            resident_id=order.resident_id,
            area_code=order.area_code,
            line_no=number,
            payer=SELF_PAY,
            rule_source=line.source,
            rule_version=line.version,
            **line.model_dump(exclude={"item_line", "source", "version", "verified"}),
        )
        for number, line in enumerate(final.lines, start=1)
    )
    work.record(
        OrderSettled(
            area_code=order.area_code, centre_id=order.centre_id, order_id=order.id, settlement_id=bill.id
        )
    )
    await work.session.flush()
