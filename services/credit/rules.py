"""The published rules of credit, and the score they give: pure, so that anybody can recompute it.

A score is the weighted mean of its parts (those with anything to count) on 100 points, less the deductions, and
never below 0. Every part keeps its numerator and denominator.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from importlib.resources import files
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

BEST: Final = 100
_BEST_RATING: Final = 5
_WORST_RATING: Final = 1


class Part(BaseModel):
    """One thing that is measured, and how much it weighs."""

    model_config = ConfigDict(extra="forbid")

    code: str
    weight: int = Field(ge=1, le=100)
    zh: str
    en: str


class Deduction(BaseModel):
    """What is taken off for each case."""

    model_config = ConfigDict(extra="forbid")

    code: str
    points: int = Field(ge=0, le=100)
    zh: str
    en: str


class Grade(BaseModel):
    """From how many points on a grade is given."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    grade: str
    from_points: int = Field(alias="from", ge=0, le=100)


class CreditRules(BaseModel):
    """One version of the rules, with its source."""

    model_config = ConfigDict(extra="ignore")

    version: str
    source: str
    verified: bool
    window_days: int = Field(ge=30, le=1100)
    least_visits: int = Field(ge=1)
    on_time_minutes: int = Field(ge=0, le=120)
    parts: list[Part] = Field(min_length=1)
    deductions: list[Deduction]
    grades: list[Grade] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class CreditFacts:
    """What was counted in the window of one caregiver or institution."""

    ended_visits: int = 0
    started_visits: int = 0
    on_time_visits: int = 0
    agreed_visits: int = 0
    ratings: int = 0
    rating_points: int = 0
    offers: int = 0
    answered_offers: int = 0
    upheld: int = 0
    upheld_serious: int = 0


class CreditPart(BaseModel):
    """A part as it was counted. ``points`` of ``of``; none where there was nothing to count."""

    code: str
    zh: str
    en: str
    numerator: int
    denominator: int
    points: float | None
    of: float


class CreditResult(BaseModel):
    """A score with all that it was made of; no score where there was too little to go by."""

    score: float | None
    grade: str | None
    parts: list[CreditPart]
    deductions: list[CreditPart]


def seed_rules() -> CreditRules:
    """The rules that a county starts with (``data/rules.json``)."""
    raw = files("services.credit").joinpath("data/rules.json").read_text("utf-8")
    return CreditRules.model_validate_json(raw)


def counted(facts: CreditFacts) -> Mapping[str, tuple[int, int]]:
    """Numerator and denominator of every part that rules may name. A new part is one line here."""
    span = _BEST_RATING - _WORST_RATING
    return {
        "punctuality": (facts.on_time_visits, facts.started_visits),
        "evidence": (facts.agreed_visits, facts.ended_visits),
        "satisfaction": (facts.rating_points - facts.ratings * _WORST_RATING, facts.ratings * span),
        "answering": (facts.answered_offers, facts.offers),
    }


def cases(facts: CreditFacts) -> Mapping[str, int]:
    """How often each deduction applies. A new one is one line here."""
    return {"upheld": facts.upheld, "upheld_serious": facts.upheld_serious}


def score(facts: CreditFacts, rules: CreditRules) -> CreditResult:
    """The score by these rules; rounded half up to a tenth, once, at the end."""
    figures, often = counted(facts), cases(facts)
    weighed = [(part, *figures[part.code]) for part in rules.parts]
    whole = sum(part.weight for part, _, below in weighed if below)
    parts = [
        CreditPart(
            code=part.code,
            zh=part.zh,
            en=part.en,
            numerator=above,
            denominator=below,
            points=_tenth(_points(part, above, below, whole)) if below else None,
            of=_tenth(Decimal(BEST * part.weight) / whole) if below else 0.0,
        )
        for part, above, below in weighed
    ]
    deductions = [
        CreditPart(
            code=one.code,
            zh=one.zh,
            en=one.en,
            numerator=often[one.code],
            denominator=1,
            points=-float(one.points * often[one.code]),
            of=0.0,
        )
        for one in rules.deductions
    ]
    if facts.ended_visits < rules.least_visits or not whole:
        return CreditResult(score=None, grade=None, parts=parts, deductions=deductions)
    earned = sum((_points(part, above, below, whole) for part, above, below in weighed if below), Decimal(0))
    taken = sum(one.points * often[one.code] for one in rules.deductions)
    final = _tenth(max(earned - taken, Decimal(0)))
    return CreditResult(score=final, grade=grade_of(final, rules.grades), parts=parts, deductions=deductions)


def grade_of(points: float, grades: Sequence[Grade]) -> str:
    """The best grade whose points are reached."""
    reached = [grade for grade in grades if points >= grade.from_points]
    return max(reached or grades, key=lambda grade: grade.from_points).grade


def _points(part: Part, above: int, below: int, whole: int) -> Decimal:
    return Decimal(BEST * part.weight * above) / (below * whole)


def _tenth(points: Decimal) -> float:
    return float(points.quantize(Decimal("0.1"), rounding=ROUND_HALF_UP))
