"""What is counted of an order, and the shares that come of it: pure. A new figure is one entry of ``SHARES``."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from services.catalogue.models import Category


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """One order of the month, and what became of it."""

    centre_id: UUID
    category: Category
    status: str
    was_assigned: bool
    visits_due: int
    visits_on_time: int
    visits_ended: int
    visits_agreed: int
    complaints: int
    score: int | None


@dataclass(frozen=True, slots=True)
class ShareRule:
    """One figure: what counts, of what."""

    code: str
    zh: str
    en: str
    above: Callable[[OrderFacts], int]
    below: Callable[[OrderFacts], int]


def _one(_: OrderFacts) -> int:
    return 1


SHARES: Final = (
    ShareRule("assigned", "接单率", "Orders that found somebody", lambda one: int(one.was_assigned), _one),
    ShareRule("completed", "完成率", "Orders completed", lambda one: int(one.status == "completed"), _one),
    ShareRule("cancelled", "取消率", "Orders cancelled", lambda one: int(one.status == "cancelled"), _one),
    ShareRule(
        "on_time",
        "准时到达率",
        "Visits begun on time",
        lambda one: one.visits_on_time,
        lambda one: one.visits_due,
    ),
    ShareRule(
        "agreed",
        "服务记录核实率",
        "Visits whose evidence agreed",
        lambda one: one.visits_agreed,
        lambda one: one.visits_ended,
    ),
    ShareRule(
        "complained",
        "投诉率",
        "Completed orders with a complaint",
        lambda one: int(one.complaints > 0 and one.status == "completed"),
        lambda one: int(one.status == "completed"),
    ),
    ShareRule(
        "rated",
        "评价率",
        "Completed orders rated",
        lambda one: int(one.score is not None and one.status == "completed"),
        lambda one: int(one.status == "completed"),
    ),
    ShareRule(
        "satisfied",
        "满意率",
        "Ratings of 4 or 5",
        lambda one: int(one.score is not None and one.score >= 4),
        lambda one: int(one.score is not None),
    ),
)


def count(rule: ShareRule, facts: Sequence[OrderFacts]) -> tuple[int, int]:
    """Numerator and denominator."""
    return sum(rule.above(one) for one in facts), sum(rule.below(one) for one in facts)


def mean_score(facts: Sequence[OrderFacts]) -> float | None:
    """Mean rating to a hundredth; ``None`` without one."""
    scores = [one.score for one in facts if one.score is not None]
    return round(sum(scores) / len(scores), 2) if scores else None
