"""For whom a programme pays. One class a condition, one name in ``Condition``: nothing else to change.

A condition looks at the resident as she is on the day of service and says whether she fits, and if not, why.
A new kind of condition is: a field of ``ResidentFacts`` if the fact is new (``vouchers.facts_of`` fills it), a
class here, its name in ``Condition``, a row in docs/money.md.
"""

from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.core.refused import refused


class Why(NamedTuple):
    """A reason: a stable code and its words."""

    code: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class ResidentFacts:
    """The resident on the day of service. ``ability_level``: GB/T 42195, 0 (able) to 4; ``None``: not assessed."""

    age: int
    categories: frozenset[str]
    ability_level: int | None


class _Condition(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AgeCondition(_Condition):
    """Full years on the day of service."""

    kind: Literal["age"]
    at_least: int = Field(0, ge=0, le=130)
    at_most: int = Field(130, ge=0, le=130)

    def problem(self, resident: ResidentFacts) -> Why | None:
        if self.at_least <= resident.age <= self.at_most:
            return None
        return Why("age_outside", "年龄不符合条件", "The age does not fit")


class AbilityCondition(_Condition):
    """Level of the assessment in force (GB/T 42195: 0 完好 … 4 完全失能)."""

    kind: Literal["ability_level"]
    at_least: int = Field(0, ge=0, le=4)
    at_most: int = Field(4, ge=0, le=4)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.at_most < self.at_least:
            raise refused("band_upside_down", "at_least", "at_most")
        return self

    def problem(self, resident: ResidentFacts) -> Why | None:
        if resident.ability_level is None:
            return Why("not_assessed", "当日没有有效的能力评估", "No ability assessment is in force on the day")
        if self.at_least <= resident.ability_level <= self.at_most:
            return None
        return Why("ability_outside", "能力等级不符合条件", "The ability level does not fit")


class CategoryCondition(_Condition):
    """At least one of these resident categories (特困, 低保, 高龄, …)."""

    kind: Literal["category"]
    any_of: list[str] = Field(min_length=1, max_length=40)

    def problem(self, resident: ResidentFacts) -> Why | None:
        if resident.categories.isdisjoint(self.any_of):
            return Why("category_missing", "不属于该项目的对象类别", "Not in a category of this programme")
        return None


class NotCategoryCondition(_Condition):
    """None of these: who already has the same care paid otherwise (for example 特困 with a care subsidy)."""

    kind: Literal["not_category"]
    none_of: list[str] = Field(min_length=1, max_length=40)

    def problem(self, resident: ResidentFacts) -> Why | None:
        if resident.categories.isdisjoint(self.none_of):
            return None
        return Why(
            "subsidised_otherwise", "已享受同类补贴，不重复享受", "Already subsidised for the same; not paid twice"
        )


Condition = Annotated[
    AgeCondition | AbilityCondition | CategoryCondition | NotCategoryCondition, Field(discriminator="kind")
]
"""Every kind of condition there is."""


def first_problem(conditions: list[Condition], resident: ResidentFacts) -> Why | None:
    """The first condition that does not hold."""
    return next((why for condition in conditions if (why := condition.problem(resident)) is not None), None)
