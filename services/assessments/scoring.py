"""Scores and levels of assessments: pure functions over the tables in ``data/``.

Ability: GB/T 42195-2022, 26 items of which more points mean more ability, 90 in all. Self-care: the self-rated
table of 国家基本公共卫生服务规范（第三版）, of which more points mean more need.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files
from typing import Any

from dateutil.relativedelta import relativedelta
from pydantic import BaseModel, Field

MOST_DISABLED = 4


class AbilityItem(BaseModel):
    """One question, from 0 to ``max`` points."""

    code: str
    zh: str
    en: str
    max: int


class AbilityGroup(BaseModel):
    code: str
    zh: str
    en: str
    items: list[AbilityItem]


class AbilityLevel(BaseModel):
    """From so many points; 0 is able, 4 completely disabled."""

    level: int
    from_points: int = Field(alias="from", serialization_alias="from_points")
    zh: str
    en: str


class AbilityStandard(BaseModel):
    """The table as it is in force, with where it comes from."""

    standard: str
    version: str
    effective_date: date
    source: str
    verified: bool
    groups: list[AbilityGroup]
    levels: list[AbilityLevel]
    risk_events_from: int
    risk_events_days: int
    assessors: int
    valid_months: int

    @property
    def items(self) -> list[AbilityItem]:
        """All items, in the order of the form."""
        return [item for group in self.groups for item in group.items]


class Adjustment(StrEnum):
    """Why the level is another than the points say (appendix C)."""

    COMA = "coma"
    MENTAL_DISORDER = "mental_disorder"  # dementia F00–F03, or F04–F99 diagnosed by a psychiatrist
    CARE_RISK_EVENTS = "care_risk_events"  # falls, choking, wandering off, self-harm


@dataclass(frozen=True, slots=True)
class Findings:
    """What stands beside the points. ``risk_events`` in the last 30 days."""

    coma: bool = False
    mental_disorder: bool = False
    risk_events: int = 0


@dataclass(frozen=True, slots=True)
class Ability:
    """The outcome; ``level_by_points`` is before the adjustments that are named."""

    total: int
    sums: dict[str, int]
    level_by_points: int
    level: int
    adjustments: tuple[Adjustment, ...]


@lru_cache(maxsize=1)
def ability_standard() -> AbilityStandard:
    """GB/T 42195-2022 as loaded."""
    raw = _data("ability.json")
    return AbilityStandard.model_validate(raw | raw["adjustments"])


def score_problems(scores: Mapping[str, int]) -> list[tuple[str, str]]:
    """What is wrong with a filled form: (item, missing | unknown | out_of_range); empty when it is whole."""
    known = {item.code: item.max for item in ability_standard().items}
    problems = [(code, "missing") for code in known if code not in scores]
    problems += [(code, "unknown") for code in scores if code not in known]
    problems += [
        (code, "out_of_range")
        for code, points in scores.items()
        if code in known and not 0 <= points <= known[code]
    ]
    return problems


def score_ability(scores: Mapping[str, int], findings: Findings) -> Ability:
    """Points, level by points, and the level after the adjustments. ``ValueError`` for a form that is not whole.

    Coma is level 4 directly. A mental disorder or two care-risk events make it one level worse, once however many
    hold ("有以下情况之一"), and never beyond 4.
    """
    if score_problems(scores):
        raise ValueError("the form is not whole")
    standard = ability_standard()
    sums = {group.code: sum(scores[item.code] for item in group.items) for group in standard.groups}
    total = sum(sums.values())
    by_points = next(band.level for band in standard.levels if total >= band.from_points)
    adjustments = tuple(_adjustments(findings, standard))
    level = by_points
    if Adjustment.COMA in adjustments:
        level = MOST_DISABLED
    elif adjustments:
        level = min(by_points + 1, MOST_DISABLED)
    return Ability(total, sums, by_points, level, adjustments)


def _adjustments(findings: Findings, standard: AbilityStandard) -> Sequence[Adjustment]:
    found = {
        Adjustment.COMA: findings.coma,
        Adjustment.MENTAL_DISORDER: findings.mental_disorder,
        Adjustment.CARE_RISK_EVENTS: findings.risk_events >= standard.risk_events_from,
    }
    return [adjustment for adjustment, holds in found.items() if holds]


def last_day(first: date, months: int) -> date:
    """The last day of a term of months: a year from 1 March 2026 ends on 28 February 2027."""
    return first + relativedelta(months=months, days=-1)


class SelfCareItem(BaseModel):
    """One row; ``points`` for 可自理, 轻度, 中度, 不能自理."""

    code: str
    zh: str
    en: str
    points: list[int]


class SelfCareLevel(BaseModel):
    level: str
    from_points: int = Field(alias="from", serialization_alias="from_points")
    zh: str
    en: str


class SelfCareTable(BaseModel):
    """The self-rated table, with where it comes from."""

    title: str
    version: str
    effective_date: date | None
    source: str
    verified: bool
    items: list[SelfCareItem]
    levels: list[SelfCareLevel]


@lru_cache(maxsize=1)
def self_care_table() -> SelfCareTable:
    """老年人生活自理能力评估表 as loaded."""
    return SelfCareTable.model_validate(_data("self_care.json"))


def rate_self_care(answers: Mapping[str, int]) -> tuple[int, str]:
    """Points and level. ``answers`` are columns 0 (可自理) to 3 (不能自理); ``ValueError`` unless whole."""
    table = self_care_table()
    if set(answers) != {item.code for item in table.items} or not all(0 <= a <= 3 for a in answers.values()):
        raise ValueError("the table is not whole")
    total = sum(item.points[answers[item.code]] for item in table.items)
    return total, next(band.level for band in reversed(table.levels) if total >= band.from_points)


@dataclass(frozen=True, slots=True)
class FirstAssessmentTerm:
    """How long an institution's first assessment holds: project defaults, in months."""

    usual: int
    most: int


@lru_cache(maxsize=1)
def first_assessment_term() -> FirstAssessmentTerm:
    """The terms in force."""
    raw = _data("first_assessment.json")
    return FirstAssessmentTerm(usual=raw["valid_months"], most=raw["most_months"])


def _data(name: str) -> dict[str, Any]:
    raw: dict[str, Any] = json.loads(files("services.assessments").joinpath(f"data/{name}").read_text("utf-8"))
    return raw
