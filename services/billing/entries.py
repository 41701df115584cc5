"""A bill as entries of the ledger. Pure."""

from collections.abc import Sequence
from uuid import UUID

from services.billing.models import Settlement, SettlementLine, SettlementShare
from services.core.areas import town_of
from services.ledger.entries import Account, Entry, sides
from services.ledger.models import AccountKind, Book
from services.payers.models import SELF_PAY
from services.payers.vouchers import Drawn

BILL = "bill"
"""Kind of the ledger transaction that books a bill."""


def bill_entry(
    bill: Settlement, revision: int, lines: Sequence[SettlementLine], shares: Sequence[SettlementShare]
) -> Entry | None:
    """What each payer owes against the income of each book; ``None`` for a bill of nothing.

    Medical and eldercare income stand in books of their own, and so does what is owed for them.
    """
    books = {line.id: line.book for line in lines}
    pairs = [(_owed(bill, share, books[share.line_id]), share.amount_fen) for share in shares]
    pairs += [(_income(bill, line.book), -line.amount_fen) for line in lines]
    postings = sides(pairs)
    if not postings:
        return None
    return Entry(
        key=f"bill:{bill.id}:{revision}",
        kind=BILL,
        area_code=bill.area_code,
        resident_id=bill.resident_id,
        order_id=bill.order_id,
        settlement_id=bill.id,
        postings=postings,
    )


def drawn_from_vouchers(shares: Sequence[SettlementShare], vouchers: frozenset[str]) -> list[Drawn]:
    """What a bill takes of each voucher, by programme."""
    amounts: dict[tuple[str, str], int] = {}
    for share in shares:
        if share.payer in vouchers:
            key = (share.payer, share.month)
            amounts[key] = amounts.get(key, 0) + share.amount_fen
    return [Drawn(payer, month, amount) for (payer, month), amount in sorted(amounts.items()) if amount]


def _owed(bill: Settlement, share: SettlementShare, book: Book) -> Account:
    if share.payer == SELF_PAY:
        return Account(book, AccountKind.RECEIVABLE_HOUSEHOLD, bill.area_code, resident_id=bill.resident_id)
    return Account(book, AccountKind.RECEIVABLE_PAYER, town_of(bill.area_code), share.payer)


def _income(bill: Settlement, book: Book) -> Account:
    institution: UUID | None = bill.institution_id
    return Account(book, AccountKind.INCOME, town_of(bill.area_code), institution_id=institution)
