"""The demo's bills as billing would have written them: lines, shares and, once due, the ledger's entries.

All of it is paid by the households: the demo's past lies before anybody had a voucher.
"""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from ops.demo.ids import Seed
from services.billing.entries import bill_entry
from services.billing.making import book_of
from services.billing.models import Settlement, SettlementLine, SettlementRevision, SettlementShare
from services.catalogue.pricing import Quote
from services.core.clock import BUSINESS_ZONE
from services.ledger.models import LedgerAccount, LedgerPosting, LedgerTransaction
from services.orders.lines import OrderLine
from services.orders.models import Order
from services.payers.models import SELF_PAY
from services.payers.vouchers import month_of


@dataclass(slots=True)
class MoneyRows:
    """The rows of all bills, by table."""

    settlements: list[Settlement] = field(default_factory=list)
    revisions: list[SettlementRevision] = field(default_factory=list)
    lines: list[SettlementLine] = field(default_factory=list)
    shares: list[SettlementShare] = field(default_factory=list)
    accounts: dict[str, LedgerAccount] = field(default_factory=dict)
    transactions: list[LedgerTransaction] = field(default_factory=list)
    postings: list[LedgerPosting] = field(default_factory=list)
    of_bill: dict[UUID, tuple[list[SettlementLine], list[SettlementShare]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Purse:
    """Writes the bill of one order; ``path`` tells it from all others."""

    seed: Seed
    rows: MoneyRows
    path: tuple[object, ...]

    def write(self, bill: Settlement, order: Order, price: Quote, minutes: int) -> None:
        """Lines and shares of a bill that is made at ``bill.settled_at``."""
        at = bill.settled_at
        self.rows.settlements.append(bill)
        self.rows.revisions.append(
            SettlementRevision(
                id=self.seed.key("revision", *self.path, at=at),
                settlement_id=bill.id,
                revision=1,
                resident_id=bill.resident_id,
                area_code=bill.area_code,
                total_fen=bill.total_fen,
                facts={"stay_minutes": minutes, "agreed_extra_minutes": 0},
                made_at=at,
            )
        )
        lines: list[SettlementLine] = []
        ordered = {line.line_no: line for line in (OrderLine.model_validate(one) for one in order.lines)}
        for number, priced in enumerate(price.lines, start=1):
            line = SettlementLine(
                id=self.seed.key("line", *self.path, number, at=at),
                settlement_id=bill.id,
                resident_id=bill.resident_id,
                area_code=bill.area_code,
                line_no=number,
                item_code=ordered[priced.item_line].item.code,
                book=book_of(ordered[priced.item_line]),
                minutes=minutes,
                rule_source=priced.source,
                rule_version=priced.version,
                **priced.model_dump(exclude={"source", "version"}),
            )
            lines.append(line)
        shares = [self._share(bill, line, at) for line in lines if line.amount_fen]
        self.rows.lines.extend(lines)
        self.rows.shares.extend(shares)
        self.rows.of_bill[bill.id] = (lines, shares)

    def book(self, bill: Settlement, at: datetime) -> None:
        """The bill is due: what the household owes against the income."""
        lines, shares = self.rows.of_bill[bill.id]
        entry = bill_entry(bill, bill.revision, lines, shares)
        if entry is None:
            return
        transaction = LedgerTransaction(
            id=self.seed.key("ledger", *self.path, at=at),
            business_day=at.astimezone(BUSINESS_ZONE).date(),
            at=at,
            role="system",
            fingerprint=entry.fingerprint,
            postings=len(entry.postings),
            key=entry.key,
            kind=entry.kind,
            area_code=entry.area_code,
            resident_id=entry.resident_id,
            order_id=entry.order_id,
            settlement_id=entry.settlement_id,
        )
        self.rows.transactions.append(transaction)
        for number, posting in enumerate(entry.postings):
            named = posting.account
            account = self.rows.accounts.get(named.key)
            if account is None:
                account = LedgerAccount(
                    id=self.seed.key("account of", named.key),
                    key=named.key,
                    book=named.book,
                    kind=named.kind,
                    area_code=named.area_code,
                    programme=named.programme,
                    resident_id=named.resident_id,
                    institution_id=named.institution_id,
                    period=named.period,
                )
                self.rows.accounts[named.key] = account
            self.rows.postings.append(
                LedgerPosting(
                    id=self.seed.key("posting", *self.path, number, at=at),
                    transaction_id=transaction.id,
                    account_id=account.id,
                    area_code=named.area_code,
                    resident_id=named.resident_id,
                    amount_fen=posting.amount_fen,
                )
            )

    def _share(self, bill: Settlement, line: SettlementLine, at: datetime) -> SettlementShare:
        key: UUID = self.seed.key("share", *self.path, line.line_no, at=at)
        return SettlementShare(
            id=key,
            settlement_id=bill.id,
            line_id=line.id,
            revision=1,
            resident_id=bill.resident_id,
            area_code=bill.area_code,
            payer=SELF_PAY,
            month=month_of(bill.service_day),
            amount_fen=line.amount_fen,
        )
