"""The bill of an order: made once from what really happened, shared among the payers, booked at once."""

from collections.abc import Sequence
from uuid import UUID

from services.billing import repository
from services.billing.making import Draft, draft_of, evidence_of
from services.billing.models import Settlement, SettlementLine, SettlementShare
from services.billing.reading import get_settlement as get_settlement
from services.billing.sharing import Shared, book, by_payer, set_aside, share, unuse, write_revision
from services.billing.states import SETTLEMENT, SettlementStatus
from services.core.database import Work
from services.events import OrderSettled
from services.orders.models import Order
from services.orders.repository import lock_order
from services.orders.states import OrderStatus
from services.payers.service import use_budgets
from services.residents.models import Resident
from services.visits.models import Visit
from services.visits.repository import visits_of_order
from services.visits.states import VisitStatus


async def settle(work: Work, order_id: UUID) -> None:
    """Bill a completed order; call it as often as you like. For the handlers.

    While a visit is flagged the bill is held: its vouchers are set aside, nothing is booked. When the last flag
    has been reviewed it is made anew from the visit as it then stands, booked, and due. A bill that is due stays
    as it is: what changes later is an adjustment. Nobody at home makes a bill of nothing. An order that is not
    over is left alone.
    """
    order = await lock_order(work, order_id)
    if order.status not in (OrderStatus.COMPLETED, OrderStatus.NOT_SERVED):
        return
    visits = await visits_of_order(work, order.id)
    flagged = any(visit.status is VisitStatus.FLAGGED for visit in visits)
    bill = await repository.lock_settlement(work, order.id)
    if bill is not None and (flagged or bill.status is SettlementStatus.DUE):
        return
    await repository.lock_money_of(work, order.resident_id)
    if bill is None:
        await _make(work, order, visits, SettlementStatus.HELD if flagged else SettlementStatus.DUE)
    else:
        await _release(work, order, visits, bill)


async def _make(work: Work, order: Order, visits: Sequence[Visit], status: SettlementStatus) -> None:
    draft = await draft_of(work, order, visits)
    bill = Settlement(
        order_id=order.id,
        resident_id=order.resident_id,
        centre_id=order.centre_id,
        institution_id=draft.institution_id,
        area_code=order.area_code,
        status=status,
        service_day=draft.service_day,
        quote_total_fen=draft.quote_total_fen,
        total_fen=draft.total_fen,
        settled_at=work.now,
    )
    work.session.add(bill)
    SETTLEMENT.begin(work, bill)
    await work.session.flush()
    shared = await _shared(work, order, draft, visits)
    lines, shares = await write_revision(work, bill, shared)
    if status is SettlementStatus.DUE:
        await book(work, bill, shared, lines, shares)
    else:
        await set_aside(work, bill, shared, shares)
    work.record(
        OrderSettled(
            area_code=order.area_code, centre_id=order.centre_id, order_id=order.id, settlement_id=bill.id
        )
    )
    await work.session.flush()


async def _release(work: Work, order: Order, visits: Sequence[Visit], bill: Settlement) -> None:
    """A held bill falls due: what it had set aside is given back, and it is made from the visits as they stand."""
    old_lines, old_shares = await repository.lines_of(work, bill), await repository.shares_of(work, bill)
    await unuse(work, bill, "reviewed")
    draft = await draft_of(work, order, visits)
    shared = await _shared(work, order, draft, visits, bill.id)
    if _says_the_same(draft, shared, old_lines, old_shares):
        lines, shares = old_lines, old_shares
        await use_budgets(work, bill.area_code, bill.service_day.year, by_payer(shares))
    else:
        bill.revision += 1
        bill.total_fen, bill.service_day = draft.total_fen, draft.service_day
        bill.institution_id = draft.institution_id
        lines, shares = await write_revision(work, bill, shared)
    await book(work, bill, shared, lines, shares)
    SETTLEMENT.move(work, bill, SettlementStatus.DUE, "reviewed")
    await work.session.flush()


async def _shared(
    work: Work, order: Order, draft: Draft, visits: Sequence[Visit], except_settlement: UUID | None = None
) -> Shared:
    resident = await work.session.get_one(Resident, order.resident_id)
    return await share(work, draft, resident, evidence_of(visits), except_settlement)


def _says_the_same(
    draft: Draft, shared: Shared, lines: Sequence[SettlementLine], shares: Sequence[SettlementShare]
) -> bool:
    """Whether a bill made anew is the one that stands, to the line and the payer."""
    then = [(line.code, line.quantity, line.unit_fen, line.rule_version) for line in lines]
    now = [
        (line.priced.code, line.priced.quantity, line.priced.unit_fen, line.priced.version) for line in draft.lines
    ]
    numbers = {line.id: line.line_no for line in lines}
    paid_then = {(numbers[one.line_id], one.payer): one.amount_fen for one in shares}
    return then == now and paid_then == shared.amounts()
