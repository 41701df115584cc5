"""From a draft to a written bill: the payers' shares, the rows of a revision, the entries of the ledger."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.billing import repository
from services.billing.entries import BILL, bill_entry, drawn_from_vouchers
from services.billing.making import Draft
from services.billing.models import Settlement, SettlementLine, SettlementRevision, SettlementShare
from services.core.database import Work
from services.core.ids import new_id
from services.ledger.entries import Entry
from services.ledger.repository import open_transactions
from services.ledger.service import post, reverse
from services.payers.models import SELF_PAY, Evidence
from services.payers.service import Standing, standing, use_budgets
from services.payers.stacking import Split, split
from services.payers.vouchers import REDEEM, RESERVE, month_of, redeem_entry, reserve_entry
from services.residents.models import Resident


@dataclass(frozen=True, slots=True)
class Shared:
    """A draft with everybody's part of it."""

    draft: Draft
    parts: Split
    standing: Standing

    def amounts(self) -> dict[tuple[int, str], int]:
        """Line number and payer → fen, without zeros."""
        paid = {(number, payer): fen for number, by in self.parts.shares.items() for payer, fen in by.items()}
        paid |= {(number, SELF_PAY): fen for number, fen in self.parts.self_fen.items() if fen}
        return paid

    def payer_rows(self) -> list[dict[str, Any]]:
        """What each payer pays and why, the household last, as it is kept."""
        rows = []
        for result in self.parts.payers:
            zh, en = self.standing.names[result.code]
            rows.append(
                {
                    "payer": result.code,
                    "name_zh": zh,
                    "name_en": en,
                    "amount_fen": result.amount_fen,
                    "code": result.why.code,
                    "zh": result.why.zh,
                    "en": result.why.en,
                }
            )
        return [*rows, _household_row(self.parts.self_total_fen)]


async def share(
    work: Work,
    draft: Draft,
    resident: Resident,
    evidence: Collection[Evidence],
    except_settlement: UUID | None = None,
) -> Shared:
    """Who pays what of a draft on its day. The caller holds the lock of the resident's money."""
    used = await repository.used_in_month(work, resident.id, month_of(draft.service_day), except_settlement)
    stand = await standing(work, resident, draft.service_day, used, evidence)
    lines = [line.for_payers(number) for number, line in enumerate(draft.lines, start=1)]
    return Shared(draft, split(lines, stand.programmes), stand)


async def write_revision(
    work: Work, bill: Settlement, shared: Shared, adjustment_id: UUID | None = None
) -> tuple[list[SettlementLine], list[SettlementShare]]:
    """The rows of ``bill.revision``. What the bill said before stays."""
    draft = shared.draft
    work.session.add(
        SettlementRevision(
            settlement_id=bill.id,
            revision=bill.revision,
            resident_id=bill.resident_id,
            area_code=bill.area_code,
            total_fen=draft.total_fen,
            facts=draft.facts,
            differences=[one.as_row() for one in draft.differences],
            payers=shared.payer_rows(),
            adjustment_id=adjustment_id,
            made_at=work.now,
        )
    )
    lines = [_line(bill, number, draft) for number in range(1, len(draft.lines) + 1)]
    work.session.add_all(lines)
    await work.session.flush()
    shares = [one for line in lines for one in _shares(bill, line, shared)]
    work.session.add_all(shares)
    await work.session.flush()
    await use_budgets(work, bill.area_code, bill.service_day.year, by_payer(shares))
    return lines, shares


async def unuse(work: Work, bill: Settlement, reason: str) -> None:
    """Take a bill's shares off the budgets and its entries out of the ledger, before it is made anew."""
    amounts = by_payer(await repository.shares_of(work, bill))
    given_back = {payer: -amount for payer, amount in amounts.items()}
    await use_budgets(work, bill.area_code, bill.service_day.year, given_back)
    await take_back(work, bill, reason)


def by_payer(shares: Sequence[SettlementShare]) -> dict[str, int]:
    """What each payer pays in all."""
    amounts: dict[str, int] = {}
    for one in shares:
        amounts[one.payer] = amounts.get(one.payer, 0) + one.amount_fen
    return amounts


async def book(
    work: Work,
    bill: Settlement,
    shared: Shared,
    lines: Sequence[SettlementLine],
    shares: Sequence[SettlementShare],
) -> None:
    """Redeem the vouchers and book the income, in one posting."""
    entries: list[Entry] = [
        redeem_entry(bill.id, bill.revision, bill.resident_id, bill.area_code, drawn)
        for drawn in drawn_from_vouchers(shares, shared.standing.vouchers)
    ]
    entry = bill_entry(bill, bill.revision, lines, shares)
    if entry is not None:
        entries.append(entry)
    if entries:
        await post(work, *entries)


async def set_aside(work: Work, bill: Settlement, shared: Shared, shares: Sequence[SettlementShare]) -> None:
    """Reserve what a held bill will take of the vouchers, so that no other bill spends it."""
    entries = [
        reserve_entry(bill.id, bill.revision, bill.resident_id, bill.area_code, drawn)
        for drawn in drawn_from_vouchers(shares, shared.standing.vouchers)
    ]
    if entries:
        await post(work, *entries)


async def take_back(work: Work, bill: Settlement, reason: str) -> None:
    """Reverse whatever of a bill stands in the ledger: reservations, redemptions, the booked bill."""
    for transaction in await open_transactions(work, bill.id, (RESERVE, REDEEM, BILL)):
        await reverse(work, transaction.id, reason)


def _line(bill: Settlement, number: int, draft: Draft) -> SettlementLine:
    line = draft.lines[number - 1]
    return SettlementLine(
        id=new_id(),
        settlement_id=bill.id,
        revision=bill.revision,
        resident_id=bill.resident_id,
        area_code=bill.area_code,
        line_no=number,
        item_line=line.priced.item_line,
        item_code=line.item_code,
        book=line.book,
        code=line.priced.code,
        name_zh=line.priced.name_zh,
        name_en=line.priced.name_en,
        quantity=line.priced.quantity,
        unit_fen=line.priced.unit_fen,
        amount_fen=line.priced.amount_fen,
        minutes=line.minutes,
        rule_source=line.priced.source,
        rule_version=line.priced.version,
        verified=line.priced.verified,
    )


def _shares(bill: Settlement, line: SettlementLine, shared: Shared) -> list[SettlementShare]:
    paid = dict(shared.parts.shares[line.line_no])
    left = shared.parts.self_fen[line.line_no]
    if left:
        paid[SELF_PAY] = left
    minutes = shared.parts.minutes[line.line_no]
    return [
        SettlementShare(
            settlement_id=bill.id,
            line_id=line.id,
            revision=bill.revision,
            resident_id=bill.resident_id,
            area_code=bill.area_code,
            payer=payer,
            programme_id=shared.standing.versions.get(payer),
            month=month_of(shared.draft.service_day),
            amount_fen=amount,
            minutes=minutes.get(payer, 0),
        )
        for payer, amount in paid.items()
    ]


def _household_row(amount_fen: int) -> dict[str, Any]:
    return {
        "payer": SELF_PAY,
        "name_zh": "个人（家庭）",
        "name_en": "Household",
        "amount_fen": amount_fen,
        "code": "rest",
        "zh": "其余由个人承担",
        "en": "Pays what is left",
    }
