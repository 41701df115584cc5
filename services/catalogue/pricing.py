"""What a service costs: a price rule (data) and the one function that reads it.

Everything is integer fen. Rounding happens in one place a component, by the rule that the price rule names
(``half_up_fen``: 四舍五入 to the fen), and always on the unit price, so that ``quantity × unit_fen`` is the
amount of every line and the lines add up to the total exactly.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Literal, Self

from pydantic import BaseModel, Field, model_validator

from services.catalogue.factors import Factor
from services.catalogue.factors import PriceContext as PriceContext
from services.core.money import round_half_up
from services.core.refused import refused

BASIS_POINTS = 10_000
"""Parts of a whole in which a percentage is written, so that no price rule holds a float."""

MOST_FEN = 100_000_00
"""No single figure of a tariff is larger, nor any line at its worst: a slip must not become a bill."""


class ComponentKind(StrEnum):
    FLAT = "flat"  # so much for each unit that was ordered
    TIMED = "timed"  # so much for each started step of time
    TRAVEL = "travel"  # so much for each started step of distance beyond what is free
    PERCENT = "percent"  # a share of all lines before it


class Component(BaseModel):
    """One part of a price; medical items have two, 医药服务价格 and 上门服务费."""

    code: str
    name_zh: str
    name_en: str
    kind: ComponentKind
    unit_fen: int = Field(
        0,
        ge=0,
        le=MOST_FEN,
        description="Fen for one unit (flat), for `per_minutes` (timed) or for `step_m` (travel).",
    )
    per_minutes: int = Field(60, ge=1, description="Timed: what `unit_fen` buys.")
    step_minutes: int = Field(30, ge=1, description="Timed: a started step counts whole.")
    grace_minutes: int = Field(0, ge=0, description="Timed: so much beyond a step is not counted.")
    minimum_minutes: int = Field(0, ge=0, description="Timed: billed at least.")
    step_m: int = Field(1_000, ge=1, description="Travel: a started step of so many metres counts whole.")
    free_m: int = Field(0, ge=0, description="Travel: the first so many metres cost nothing.")
    basis_points: int = Field(0, ge=0, le=100_000, description="Percent: 10 000 is the whole.")
    when: str | None = Field(None, description="Only where the context has this tag, for example `urgent`.")
    factors: list[Factor] = Field([], description="Only where all of these hold.")
    range_fen: tuple[int, int] | None = Field(
        None, description="The span in the source; the default is its middle."
    )

    def applies(self, context: PriceContext) -> bool:
        """Whether the circumstances call for this part."""
        if self.when is not None and self.when not in context.tags:
            return False
        return all(factor.holds(context) for factor in self.factors)


class PriceRule(BaseModel):
    """How an item is priced, and where the figures come from. ``verified`` is false for placeholders."""

    components: list[Component] = Field(min_length=1)
    rounding: Literal["half_up_fen"] = "half_up_fen"
    source: str
    version: str
    effective_date: date
    verified: bool
    note_zh: str = ""
    note_en: str = ""

    @model_validator(mode="after")
    def _percentages_last(self) -> Self:
        kinds = [component.kind is ComponentKind.PERCENT for component in self.components]
        if kinds != sorted(kinds):
            raise refused("percentages_not_last", "components")
        return self


class QuoteLine(BaseModel):
    """``quantity × unit_fen = amount_fen``, always. ``item_line`` is the order line that it prices."""

    item_line: int = 1
    code: str
    name_zh: str
    name_en: str
    quantity: int
    unit_fen: int
    amount_fen: int
    source: str = Field(description="Where the figures of this line come from.")
    version: str
    verified: bool = Field(description="False while the price rule holds placeholders.")


class Quote(BaseModel):
    """The lines of a price and their exact sum; each line names the rule it rests on."""

    lines: list[QuoteLine]
    total_fen: int
    rounding: str
    verified: bool


def together(quotes: Sequence[Quote]) -> Quote:
    """One price of several items, their lines in order."""
    lines = [line for one in quotes for line in one.lines]
    return Quote(
        lines=lines,
        total_fen=sum(line.amount_fen for line in lines),
        rounding=quotes[0].rounding,
        verified=all(one.verified for one in quotes),
    )


def quote(rule: PriceRule, quantity: int, minutes: int, context: PriceContext, item_line: int = 1) -> Quote:
    """Price ``quantity`` units that take ``minutes`` in all. ``ValueError`` for less than one of either."""
    if quantity < 1 or minutes < 1:
        raise ValueError("a price needs at least one unit and one minute")
    lines: list[QuoteLine] = []
    for part in rule.components:
        if not part.applies(context):
            continue
        if part.kind is ComponentKind.FLAT:
            lines.append(_line(rule, part, item_line, quantity, part.unit_fen))
        elif part.kind is ComponentKind.TIMED:
            lines.append(_line(rule, part, item_line, billed_steps(part, minutes), step_fen(part)))
        elif part.kind is ComponentKind.TRAVEL:
            steps = travel_steps(part, context.distance_m)
            lines += [_line(rule, part, item_line, steps, part.unit_fen)] if steps else []
        else:
            base = sum(line.amount_fen for line in lines)
            share = round_half_up(Decimal(base * part.basis_points) / BASIS_POINTS)
            lines.append(_line(rule, part, item_line, 1, share))
    return Quote(
        lines=lines,
        total_fen=sum(line.amount_fen for line in lines),
        rounding=rule.rounding,
        verified=rule.verified,
    )


def step_fen(part: Component) -> int:
    """The price of one step of a timed component, rounded half up to the fen."""
    return round_half_up(Decimal(part.unit_fen * part.step_minutes) / part.per_minutes)


def billed_steps(part: Component, minutes: int) -> int:
    """Started steps after the grace, at least one and at least the minimum."""
    counted = max(minutes - part.grace_minutes, part.minimum_minutes, 1)
    return -(-counted // part.step_minutes)


def travel_steps(part: Component, distance_m: int | None) -> int:
    """Started steps of distance beyond the free metres; none where the distance is not known."""
    beyond = 0 if distance_m is None else max(distance_m - part.free_m, 0)
    return -(-beyond // part.step_m)


def dearest(rule: PriceRule) -> int:
    """What the rule could come to at its worst: every part applies, 12 units, a whole day, 100 kilometres."""
    bare = [part.model_copy(update={"when": None, "factors": []}) for part in rule.components]
    worst = rule.model_copy(update={"components": bare})
    return quote(worst, 12, 1440, PriceContext(distance_m=100_000)).total_fen


def planned_minutes(rule: PriceRule, duration_minutes: int, quantity: int) -> int:
    """How long an order takes: items priced by time grow with their quantity, others do not."""
    timed = any(part.kind is ComponentKind.TIMED for part in rule.components)
    return duration_minutes * quantity if timed else duration_minutes


def _line(rule: PriceRule, part: Component, item_line: int, quantity: int, unit_fen: int) -> QuoteLine:
    return QuoteLine(
        item_line=item_line,
        code=part.code,
        name_zh=part.name_zh,
        name_en=part.name_en,
        quantity=quantity,
        unit_fen=unit_fen,
        amount_fen=quantity * unit_fen,
        source=rule.source,
        version=rule.version,
        verified=rule.verified,
    )
