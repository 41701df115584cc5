"""From the quote of an order line to its bill, one cause at a time, each with its amount. Pure.

The steps, in this order: the time that was served; the tariff of the service day; the circumstances as they were.
Every step compares the line's price before and after, part by part, so that all differences add up to exactly what
the bill differs from the quote. A step that would make the line dearer without the household's agreement is not
taken: it is noted with what was not billed (``waived_fen``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from services.billing.words import WORDS
from services.catalogue.factors import PriceContext
from services.catalogue.pricing import (
    BASIS_POINTS,
    Component,
    ComponentKind,
    PriceRule,
    QuoteLine,
    billed_steps,
    quote,
)
from services.core.money import round_half_up
from services.orders.lines import OrderLine


@dataclass(frozen=True, slots=True)
class Difference:
    """Why a part of the bill is not what was quoted: ``amount_fen`` more (or, below zero, less) than the quote.

    ``waived_fen``: what the cause would have cost and was not billed.
    """

    item_line: int
    code: str
    reason: str
    amount_fen: int
    waived_fen: int = 0

    def as_row(self) -> dict[str, object]:
        """With its words, as it is kept."""
        zh, en = WORDS[self.reason]
        return {
            "item_line": self.item_line,
            "code": self.code,
            "reason": self.reason,
            "zh": zh,
            "en": en,
            "amount_fen": self.amount_fen,
            "waived_fen": self.waived_fen,
        }


@dataclass(frozen=True, slots=True)
class LineCase:
    """An order line on its way to the bill. ``day_rule``: the tariff in force on the service day."""

    ordered: OrderLine
    quoted: Sequence[QuoteLine]
    minutes: int
    stayed: int | None
    day_rule: PriceRule
    planned: PriceContext
    actual: PriceContext
    agreed_circumstances: bool = False
    is_late: bool = False


def bill_line(case: LineCase) -> tuple[list[QuoteLine], list[Difference]]:
    """The line as it is billed, and how it came from the quote."""
    differences: list[Difference] = []
    number = case.ordered.line_no
    billed = requoted(case.quoted, case.ordered.item.price_rule, case.minutes)
    reason = "shorter_stay" if case.minutes < case.ordered.minutes else "extra_time_agreed"
    differences += _changes(number, case.quoted, billed, reason)
    if case.is_late:
        differences.append(Difference(number, "", "longer_stay_not_billed", 0))
    rule, billed, found = _tariff_step(case, billed)
    differences += found
    billed, found = _circumstances_step(case, rule, billed)
    return billed, differences + found


def requoted(quoted: Sequence[QuoteLine], rule: PriceRule, minutes: int) -> list[QuoteLine]:
    """The quoted lines for another time: the same parts at the same rates; parts that time does not touch stay."""
    parts = {part.code: part for part in rule.components}
    lines: list[QuoteLine] = []
    for line in quoted:
        part = parts.get(line.code)
        if part is not None and part.kind is ComponentKind.TIMED:
            lines.append(_with(line, billed_steps(part, minutes), line.unit_fen))
        elif part is not None and part.kind is ComponentKind.PERCENT:
            base = sum(one.amount_fen for one in lines)
            lines.append(_with(line, 1, round_half_up(Decimal(base * part.basis_points) / BASIS_POINTS)))
        else:
            lines.append(line)
    return lines


def total(lines: Sequence[QuoteLine]) -> int:
    """Their sum."""
    return sum(line.amount_fen for line in lines)


def same_rates(one: PriceRule, other: PriceRule) -> bool:
    """Whether two rules price alike, whatever their names and notes."""
    return [_rates(part) for part in one.components] == [_rates(part) for part in other.components]


def _rates(part: Component) -> dict[str, object]:
    return part.model_dump(exclude={"name_zh", "name_en", "range_fen"})


def _tariff_step(case: LineCase, billed: list[QuoteLine]) -> tuple[PriceRule, list[QuoteLine], list[Difference]]:
    """The service day's tariff where it is cheaper than the quoted one; the quote is a ceiling."""
    quoted_rule = case.ordered.item.price_rule
    if same_rates(quoted_rule, case.day_rule):
        return quoted_rule, billed, []
    on_the_day = _priced(case, case.day_rule, case.planned)
    more = total(on_the_day) - total(billed)
    number = case.ordered.line_no
    if more > 0:
        return quoted_rule, billed, [Difference(number, "", "tariff_rise_not_billed", 0, more)]
    return case.day_rule, on_the_day, _changes(number, billed, on_the_day, "tariff_of_the_day")


def _circumstances_step(
    case: LineCase, rule: PriceRule, billed: list[QuoteLine]
) -> tuple[list[QuoteLine], list[Difference]]:
    """Hour, kind of day, distance … as they were; dearer ones only where the household agreed."""
    as_it_was = _priced(case, rule, case.actual)
    more = total(as_it_was) - total(billed)
    number = case.ordered.line_no
    if more > 0 and not case.agreed_circumstances:
        return billed, [Difference(number, "", "circumstances_not_billed", 0, more)]
    kinds = {part.code: _cause(part) for part in rule.components}
    changes = [
        Difference(number, code, kinds.get(code, "other_circumstances"), amount)
        for code, amount in _deltas(billed, as_it_was)
    ]
    return as_it_was, changes


def _cause(part: Component) -> str:
    """What a part's price depended on, as a reason for people."""
    if part.kind is ComponentKind.TRAVEL:
        return "distance_changed"
    kinds = [factor.kind for factor in part.factors]
    return f"{kinds[0]}_changed" if kinds else "other_circumstances"


def _priced(case: LineCase, rule: PriceRule, context: PriceContext) -> list[QuoteLine]:
    return quote(rule, case.ordered.quantity, case.minutes, context, case.ordered.line_no).lines


def _changes(
    number: int, before: Sequence[QuoteLine], after: Sequence[QuoteLine], reason: str
) -> list[Difference]:
    return [Difference(number, code, reason, amount) for code, amount in _deltas(before, after)]


def _deltas(before: Sequence[QuoteLine], after: Sequence[QuoteLine]) -> list[tuple[str, int]]:
    """Part by part what changed, in the order in which the parts stand."""
    amounts: dict[str, int] = {}
    for line in before:
        amounts[line.code] = amounts.get(line.code, 0) - line.amount_fen
    for line in after:
        amounts[line.code] = amounts.get(line.code, 0) + line.amount_fen
    return [(code, amount) for code, amount in amounts.items() if amount]


def _with(line: QuoteLine, quantity: int, unit_fen: int) -> QuoteLine:
    return line.model_copy(update={"quantity": quantity, "unit_fen": unit_fen, "amount_fen": quantity * unit_fen})
