"""How long a service took, and how many minutes of it each line of the order is billed for. Pure."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from services.catalogue.pricing import ComponentKind
from services.core.money import round_half_up, split_by_weight
from services.orders.lines import OrderLine

Stay = tuple[datetime | None, datetime | None]
"""When care began and ended."""


def stayed(stays: Sequence[Stay]) -> int | None:
    """Whole minutes of the longest visit, seconds rounded half up, at least 1; ``None`` where no visit has both
    ends: then the ordered time stands until a person has looked."""
    seconds = [(end - start).total_seconds() for start, end in stays if start is not None and end is not None]
    return max(round_half_up(Decimal(str(max(seconds))) / 60), 1) if seconds else None


def is_timed(line: OrderLine) -> bool:
    """Whether time changes its price."""
    return any(part.kind is ComponentKind.TIMED for part in line.item.price_rule.components)


def billed_minutes(lines: Sequence[OrderLine], stay: int | None, agreed: int) -> list[int]:
    """The minutes that each line is billed for, in the order of the lines.

    A shorter stay is shared among all lines in proportion to their planned minutes, by the largest remainder, at
    least one minute each: nobody can tell afterwards which of several services was the shorter one. A longer one
    is billed only as far as the household agreed (``agreed`` minutes), shared in the same way among the lines that
    are priced by time.
    """
    planned = [line.minutes for line in lines]
    if stay is None or stay == sum(planned):
        return planned
    if stay < sum(planned):
        return [max(part, 1) for part in split_by_weight(stay, planned)]
    weights = [line.minutes if is_timed(line) else 0 for line in lines]
    extra = min(stay - sum(planned), agreed)
    if not extra or not any(weights):
        return planned
    return [own + more for own, more in zip(planned, split_by_weight(extra, weights), strict=True)]
