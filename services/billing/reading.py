"""Bills as people read them: one, a resident's, and who would pay for a quote."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.audit.service import record_read
from services.billing import repository
from services.billing.errors import NotSettled
from services.billing.making import book_of
from services.billing.models import Settlement, SettlementLine, SettlementRevision, SettlementShare
from services.billing.repository import BillRow
from services.billing.states import SettlementStatus
from services.billing.views import (
    BillSummary,
    DifferencePublic,
    PayerPublic,
    SettlementLinePublic,
    SettlementPublic,
    ShareLine,
    ShareOfQuoteLine,
    SplitPublic,
)
from services.catalogue.pricing import Quote, QuoteLine
from services.core.clock import BUSINESS_ZONE
from services.core.database import Work
from services.core.money import yuan
from services.ledger.models import LedgerTransactionPublic
from services.ledger.service import list_transactions
from services.orders.lines import OrderLine
from services.orders.repository import order_in_reach, quote_in_reach
from services.payers.models import SELF_PAY
from services.payers.service import standing
from services.payers.stacking import BillLine, split
from services.payers.vouchers import month_of
from services.residents.service import resident_in_reach


async def get_settlement(work: Work, order_id: UUID) -> SettlementPublic:
    """The bill of an order in reach; leaves a row in the access log. Raises ``NotFound``, ``NotSettled``."""
    order = await order_in_reach(work, order_id)
    bill = await repository.settlement_of(work, order.id)
    if bill is None:
        raise NotSettled
    await record_read(work, [bill.resident_id], "settlement", ["lines", "total_fen", "payers"])
    return await shown(work, bill)


async def shown(work: Work, bill: Settlement) -> SettlementPublic:
    """The bill with everything that explains it."""
    lines, shares = await repository.lines_of(work, bill), await repository.shares_of(work, bill)
    made = await repository.revision_of(work, bill)
    own = sum(one.amount_fen for one in shares if one.payer == SELF_PAY)
    zh, en = _words(bill, own, made)
    return SettlementPublic(
        **bill.model_dump(),
        self_fen=own,
        lines=[_line(line, shares) for line in lines],
        differences=[DifferencePublic.model_validate(one) for one in made.differences],
        payers=[PayerPublic.model_validate(one) for one in made.payers],
        facts=made.facts,
        words_zh=zh,
        words_en=en,
        prices_verified=all(line.verified for line in lines),
    )


async def list_bills(work: Work, resident_id: UUID, limit: int, cursor: UUID | None) -> list[BillSummary]:
    """A page of a resident's bills, newest first; leaves a row in the access log. Raises ``NotFound``."""
    resident = await resident_in_reach(work, resident_id)
    rows = await repository.bills_page(work, resident.id, limit, cursor)
    await record_read(work, [resident.id], "bills", ["total_fen", "self_fen"])
    return [_summary(row) for row in rows]


async def list_ledger(
    work: Work, limit: int, cursor: UUID | None, order_id: UUID | None, kind: str | None
) -> list[LedgerTransactionPublic]:
    """A page of the ledger in reach, newest first; leaves rows in the access log."""
    rows = await list_transactions(work, limit, cursor, order_id, kind)
    await record_read(work, [row.resident_id for row in rows if row.resident_id], "ledger", ["postings"])
    return rows


async def split_of_quote(work: Work, quote_id: UUID) -> SplitPublic:
    """Who would pay for a kept quote, if the visit is verified and nothing else is billed before. Sets nothing
    aside; leaves a row in the access log. Raises ``NotFound``."""
    kept = await quote_in_reach(work, quote_id)
    resident = await resident_in_reach(work, kept.resident_id)
    ordered = {line.line_no: line for line in (OrderLine.model_validate(one) for one in kept.lines)}
    price = Quote.model_validate(kept.price)
    day = datetime.fromisoformat(kept.windows[0][0]).astimezone(BUSINESS_ZONE).date()
    used = await repository.used_in_month(work, resident.id, month_of(day))
    stand = await standing(work, resident, day, used, (), estimate=True)
    lines = _for_payers(price.lines, ordered)
    parts = split(lines, stand.programmes)
    own = parts.self_total_fen
    await record_read(work, [resident.id], "quote_split", ["payers", "self_fen"])
    payers = [
        PayerPublic(
            payer=result.code,
            name_zh=stand.names[result.code][0],
            name_en=stand.names[result.code][1],
            amount_fen=result.amount_fen,
            code=result.why.code,
            zh=result.why.zh,
            en=result.why.en,
        )
        for result in parts.payers
    ]
    return SplitPublic(
        quote_id=kept.id,
        resident_id=resident.id,
        service_day=day,
        total_fen=price.total_fen,
        self_fen=own,
        payers=payers,
        lines=[
            ShareOfQuoteLine(
                **line.model_dump(include={"item_line", "code", "name_zh", "name_en", "amount_fen"}),
                shares=_parts(parts.shares[number], parts.self_fen[number]),
            )
            for number, line in enumerate(price.lines, start=1)
        ],
        words_zh=f"预计共{yuan(price.total_fen)}元，其中个人承担{yuan(own)}元。以实际服务为准。",
        words_en=f"About {yuan(price.total_fen)} yuan, of which {yuan(own)} yours. What is served decides.",
    )


def _summary(row: BillRow) -> BillSummary:
    zh, en = _words(row.bill, row.self_fen, row.made)
    first = row.order.lines[0]["item"]
    return BillSummary(
        **row.bill.model_dump(),
        item_name_zh=first["name_zh"],
        item_name_en=first["name_en"],
        self_fen=row.self_fen,
        words_zh=zh,
        words_en=en,
    )


def _for_payers(quoted: Sequence[QuoteLine], ordered: dict[int, OrderLine]) -> list[BillLine]:
    return [
        BillLine(
            line_no=number,
            item_code=ordered[line.item_line].item.code,
            category=ordered[line.item_line].item.category,
            book=book_of(ordered[line.item_line]),
            amount_fen=line.amount_fen,
            item_line=line.item_line,
            minutes=ordered[line.item_line].minutes,
            is_entitled=ordered[line.item_line].entitlement_id is not None,
        )
        for number, line in enumerate(quoted, start=1)
    ]


def _line(line: SettlementLine, shares: Sequence[SettlementShare]) -> SettlementLinePublic:
    return SettlementLinePublic(
        **line.model_dump(exclude={"minutes"}),
        shares=[ShareLine(payer=one.payer, amount_fen=one.amount_fen) for one in shares if one.line_id == line.id],
    )


def _parts(paid: Any, left: int) -> list[ShareLine]:
    parts = [ShareLine(payer=payer, amount_fen=amount) for payer, amount in paid.items()]
    return parts + ([ShareLine(payer=SELF_PAY, amount_fen=left)] if left else [])


def _words(bill: Settlement, own: int, made: SettlementRevision) -> tuple[str, str]:
    """The bill in one sentence."""
    others_zh = "".join(
        f"{row['name_zh']}承担{yuan(row['amount_fen'])}元，"
        for row in made.payers
        if row["amount_fen"] and row["payer"] != SELF_PAY
    )
    others_en = "".join(
        f"{row['name_en']} pays {yuan(row['amount_fen'])}, "
        for row in made.payers
        if row["amount_fen"] and row["payer"] != SELF_PAY
    )
    held = bill.status is SettlementStatus.HELD
    return (
        f"本次共{yuan(bill.total_fen)}元，{others_zh}个人承担{yuan(own)}元。"
        + ("服务记录待复核，暂不收费。" if held else ""),
        f"{yuan(bill.total_fen)} yuan in all, {others_en}your part is {yuan(own)}."
        + (" Held until the visit has been reviewed." if held else ""),
    )
