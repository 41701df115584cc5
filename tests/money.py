"""A bill that is due, with a correction that waits, for a case of the access tests."""

from uuid import UUID

from services.billing.models import Adjustment, Settlement, SettlementLine, SettlementRevision, SettlementShare
from services.billing.states import AdjustmentStatus, SettlementStatus
from services.core.database import Work
from services.core.ids import new_id
from services.ledger.models import Book
from services.orders.models import Order


async def add_bill(work: Work, order: Order) -> UUID:
    """The order's bill and the id of a proposed adjustment of it."""
    bill = Settlement(
        order_id=order.id,
        resident_id=order.resident_id,
        centre_id=order.centre_id,
        area_code=order.area_code,
        status=SettlementStatus.DUE,
        service_day=work.now.date(),
        quote_total_fen=1300,
        total_fen=1300,
        settled_at=work.now,
    )
    work.session.add(bill)
    await work.session.flush()
    whose = {"settlement_id": bill.id, "resident_id": bill.resident_id, "area_code": bill.area_code}
    line = SettlementLine(
        **whose,
        line_no=1,
        item_code=order.item_code,
        book=Book.ELDERCARE,
        code="service",
        name_zh="服务费",
        name_en="Service fee",
        quantity=1,
        unit_fen=1300,
        amount_fen=1300,
        rule_source="test",
        rule_version="1",
    )
    made = SettlementRevision(**whose, revision=1, total_fen=1300, facts={}, made_at=work.now)
    work.session.add_all((line, made))
    await work.session.flush()
    work.session.add(
        SettlementShare(
            **whose, line_id=line.id, revision=1, payer="self", month=f"{work.now:%Y-%m}", amount_fen=1300
        )
    )
    adjustment = Adjustment(
        **whose,
        order_id=order.id,
        centre_id=order.centre_id,
        status=AdjustmentStatus.PROPOSED,
        kind="refund",
        from_revision=1,
        lines=[{"line_no": 1, "amount_fen": 300}],
        before_fen=1300,
        after_fen=300,
        reason="服务未完成",
        proposed_by=new_id(),
        proposed_at=work.now,
    )
    work.session.add(adjustment)
    await work.session.flush()
    return adjustment.id
