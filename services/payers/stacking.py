"""Who pays what of a bill: one pure function over the lines and the programmes in their order.

The rule, exactly (a reader can recompute it by hand; docs/money.md has a worked example):

1. Programmes pay in their stacking order, ties by code. The household pays what is left.
2. A programme's *wish* for a covered line is ``share × line amount``, but never more than is still unpaid of the
   line. Where a cap of hours leaves fewer minutes than the line has, the wish shrinks in that proportion; lines
   use up the minutes in their order.
3. The wishes are added up exactly and rounded once, half up, to the fen; then the caps apply, the smallest wins.
4. That sum is shared among the lines in proportion to their wishes: whole fen first, the fen that remain one each
   to the largest remainders (ties: the earlier line), never beyond what is unpaid of a line.

So the shares of a line add up to its amount, and a payer's shares to what it pays, to the fen.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from services.catalogue.pricing import BASIS_POINTS
from services.core.money import round_half_up
from services.payers.eligibility import Why
from services.payers.models import Coverage, Terms

PAYS = Why("pays", "按规定承担", "Pays its share")


@dataclass(frozen=True, slots=True)
class BillLine:
    """What a programme looks at of a line of a bill.

    ``minutes`` are those of the whole service; lines of one ``item_line`` are parts of its price, and its minutes
    count once.
    """

    line_no: int
    item_code: str
    category: str
    book: str
    amount_fen: int
    item_line: int = 0
    minutes: int = 0
    is_supply: bool = False
    is_entitled: bool = False


@dataclass(frozen=True, slots=True)
class Remaining:
    """What is left of a programme's caps before this bill; ``None``: no such cap."""

    month_fen: int | None = None
    month_minutes: int | None = None
    month_visits: int | None = None
    voucher_fen: int | None = None
    budget_fen: int | None = None


@dataclass(frozen=True, slots=True)
class Programme:
    """One programme for one bill. ``refused``: why it pays nothing, found before (not eligible, no evidence)."""

    code: str
    name_zh: str
    name_en: str
    stacking_order: int
    terms: Terms
    remaining: Remaining = Remaining()
    refused: Why | None = None


@dataclass(frozen=True, slots=True)
class PayerResult:
    """What a programme pays of the bill, and why so much or so little."""

    code: str
    amount_fen: int
    why: Why


@dataclass(frozen=True, slots=True)
class Split:
    """Line number → payer → fen; what is left is the household's (``self_fen``)."""

    shares: Mapping[int, Mapping[str, int]]
    minutes: Mapping[int, Mapping[str, int]]
    payers: Sequence[PayerResult]
    self_fen: Mapping[int, int]

    @property
    def self_total_fen(self) -> int:
        """What the household pays in all."""
        return sum(self.self_fen.values())


@dataclass(slots=True)
class _Bill:
    """The bill while it is being shared out."""

    lines: Sequence[BillLine]
    unpaid: dict[int, int]
    shares: dict[int, dict[str, int]]
    minutes: dict[int, dict[str, int]]
    paid_by: set[str] = field(default_factory=set)


def split(lines: Sequence[BillLine], programmes: Sequence[Programme]) -> Split:
    """Share a bill among programmes and the household."""
    bill = _Bill(
        lines=lines,
        unpaid={line.line_no: line.amount_fen for line in lines},
        shares={line.line_no: {} for line in lines},
        minutes={line.line_no: {} for line in lines},
    )
    named = {programme.code: set(programme.terms.excludes) for programme in programmes}
    results = []
    for programme in sorted(programmes, key=lambda one: (one.stacking_order, one.code)):
        rival = next((code for code in sorted(bill.paid_by) if _exclude(named, code, programme.code)), None)
        if programme.refused is not None:
            result = PayerResult(programme.code, 0, programme.refused)
        elif rival is not None:
            result = PayerResult(programme.code, 0, _excluded_by(rival))
        else:
            result = _pay(bill, programme)
        if result.amount_fen:
            bill.paid_by.add(programme.code)
        results.append(result)
    return Split(bill.shares, bill.minutes, results, bill.unpaid)


def covers(coverage: Coverage, line: BillLine) -> bool:
    """Whether a programme pays for such a line at all."""
    if line.is_supply and not coverage.supplies:
        return False
    if coverage.entitled_only and not line.is_entitled:
        return False
    if line.item_code in coverage.not_items or line.category in coverage.not_categories:
        return False
    if coverage.books and line.book not in coverage.books:
        return False
    if not coverage.items and not coverage.categories:
        return True
    return line.item_code in coverage.items or line.category in coverage.categories


def _exclude(named: Mapping[str, set[str]], one: str, other: str) -> bool:
    """Exclusion holds both ways, whichever of the two names the other."""
    return other in named.get(one, set()) or one in named.get(other, set())


def _excluded_by(rival: str) -> Why:
    return Why(
        f"excluded_by:{rival}",
        "已由其他项目承担，不可重复",
        "Another programme has paid; the two exclude each other",
    )


def _pay(bill: _Bill, programme: Programme) -> PayerResult:
    terms, left = programme.terms, programme.remaining
    covered = [line for line in bill.lines if covers(terms.covers, line)]
    if not any(line.amount_fen for line in covered):
        return PayerResult(
            programme.code, 0, Why("not_covered", "服务内容不在支付范围", "Nothing here is covered")
        )
    if left.month_visits is not None and left.month_visits <= 0:
        return PayerResult(programme.code, 0, Why("visits_used_up", "本月次数已用完", "No visits left this month"))
    counted, short = _counted_minutes(covered, left.month_minutes)
    wishes = {line.line_no: _wish(bill, terms, line, counted[line.item_line]) for line in covered}
    wanted = _rounded(sum(wishes.values(), Fraction()))
    amount, why = _capped(wanted, terms, left)
    amount = min(amount, sum(bill.unpaid[number] for number in wishes))
    if why is PAYS and short:
        why = Why("hours_used_up", "本月支付时长已用完，超出部分不承担", "The month's hours are used up")
    if amount == 0:
        if why is PAYS:
            why = Why("nothing_left", "前序项目已全部承担", "Nothing was left to pay")
        return PayerResult(programme.code, 0, why)
    for number, part in _share_out(amount, wishes, bill.unpaid).items():
        bill.unpaid[number] -= part
        if part:
            bill.shares[number][programme.code] = part
    for line in covered:  # the minutes stand with the first part of each service that it pays
        if programme.code in bill.shares[line.line_no] and line.item_line in counted:
            bill.minutes[line.line_no][programme.code] = counted.pop(line.item_line)
    return PayerResult(programme.code, amount, why)


def _counted_minutes(covered: Sequence[BillLine], left: int | None) -> tuple[dict[int, int], bool]:
    """The minutes of each service that the month's hours still cover, and whether some were left out."""
    counted: dict[int, int] = {}
    for line in covered:
        if line.item_line not in counted:
            counted[line.item_line] = line.minutes if left is None else min(line.minutes, max(left, 0))
            left = None if left is None else left - counted[line.item_line]
    return counted, any(counted[line.item_line] < line.minutes for line in covered)


def _wish(bill: _Bill, terms: Terms, line: BillLine, counted: int) -> Fraction:
    share = Fraction(line.amount_fen * terms.share_basis_points, BASIS_POINTS)
    if line.minutes and counted < line.minutes:
        share = share * counted / line.minutes
    return min(share, Fraction(bill.unpaid[line.line_no]))


def _rounded(exact: Fraction) -> int:
    """Half up, by the house's one rule; a denominator of basis points and minutes has no binary trouble."""
    return round_half_up(Decimal(exact.numerator) / Decimal(exact.denominator))


def _capped(wanted: int, terms: Terms, left: Remaining) -> tuple[int, Why]:
    """The smallest cap wins and is the reason; of equal ones the first."""
    caps: list[tuple[int | None, Why]] = [
        (terms.caps.visit_fen, Why("capped_per_visit", "达到单次限额", "The cap for one visit is reached")),
        (left.month_fen, Why("capped_per_month", "达到本月限额", "The cap for the month is reached")),
        (left.voucher_fen, Why("voucher_used_up", "本月券额已用完", "The month's voucher is used up")),
        (left.budget_fen, Why("budget_used_up", "年度预算已用完", "The year's budget is used up")),
    ]
    amount, why = wanted, PAYS
    for cap, reason in caps:
        if cap is not None and max(cap, 0) < amount:
            amount, why = max(cap, 0), reason
    return amount, why


def _share_out(amount: int, wishes: Mapping[int, Fraction], unpaid: Mapping[int, int]) -> dict[int, int]:
    """The amount over the lines in proportion to their wishes, exactly, by the largest remainder."""
    whole = sum(wishes.values(), Fraction())
    exact = {number: Fraction(amount) * wish / whole for number, wish in wishes.items()}
    parts = {number: min(int(part), unpaid[number]) for number, part in exact.items()}
    order = sorted(exact, key=lambda number: (parts[number] - exact[number], number))
    missing = amount - sum(parts.values())
    while missing:
        for number in order:
            if missing and parts[number] < unpaid[number]:
                parts[number] += 1
                missing -= 1
    return parts
