"""What a part of a price may depend on. One class a factor, one line in ``Factor``: nothing else to change.

A factor asks the circumstances of one service (``PriceContext``) a yes-or-no question. The price rule, which is
data, says which amounts follow. A new factor is: a field of ``PriceContext`` if the fact is new, a class here, its
name in ``Factor``, a row in docs/money.md.
"""

from dataclasses import dataclass, field
from datetime import datetime, time
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.core.clock import BUSINESS_ZONE
from services.core.refused import refused


class DayKind(StrEnum):
    """The kind of the service day by the State Council's calendar."""

    WORKDAY = "workday"  # a make-up workday at a weekend (调休) too
    WEEKEND = "weekend"  # a day off that is no festival
    HOLIDAY = "holiday"  # a day off of a public holiday (法定节假日 with its joined days)


@dataclass(frozen=True, slots=True)
class PriceContext:
    """The circumstances of one service that a price may depend on. What is not known matches no factor.

    ``distance_m``: from the institution (else the centre) to the home. ``start``: when care begins, or is planned
    to. ``licences``: what the item demands of who comes. ``risks``: risk tags of the resident or the item.
    """

    tags: frozenset[str] = field(default_factory=frozenset)
    distance_m: int | None = None
    start: datetime | None = None
    day_kind: DayKind | None = None
    licences: frozenset[str] = field(default_factory=frozenset)
    risks: frozenset[str] = field(default_factory=frozenset)


class _Factor(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TagFactor(_Factor):
    """A tag of the order, for example ``urgent``."""

    kind: Literal["tag"]
    tag: str = Field(min_length=1, max_length=40)

    def holds(self, context: PriceContext) -> bool:
        return self.tag in context.tags


class DistanceFactor(_Factor):
    """A band of the radius: ``from_m`` ≤ distance < ``below_m``."""

    kind: Literal["distance"]
    from_m: int = Field(0, ge=0, le=1_000_000)
    below_m: int | None = Field(None, ge=1, le=1_000_000)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.below_m is not None and self.below_m <= self.from_m:
            raise refused("band_upside_down", "from_m", "below_m")
        return self

    def holds(self, context: PriceContext) -> bool:
        if context.distance_m is None or context.distance_m < self.from_m:
            return False
        return self.below_m is None or context.distance_m < self.below_m


class HoursFactor(_Factor):
    """Local hours in which care begins, the first included, the last not; they may pass midnight (18:00–08:00)."""

    kind: Literal["hours"]
    starts: time
    ends: time

    def holds(self, context: PriceContext) -> bool:
        if context.start is None:
            return False
        at = context.start.astimezone(BUSINESS_ZONE).time()
        if self.starts < self.ends:
            return self.starts <= at < self.ends
        return at >= self.starts or at < self.ends


class DayFactor(_Factor):
    """The kind of the service day."""

    kind: Literal["day"]
    any_of: list[DayKind] = Field(min_length=1, max_length=3)

    def holds(self, context: PriceContext) -> bool:
        return context.day_kind in self.any_of


class LicenceFactor(_Factor):
    """Labour by the class of licence that the item demands."""

    kind: Literal["licence"]
    any_of: list[str] = Field(min_length=1, max_length=20)

    def holds(self, context: PriceContext) -> bool:
        return not context.licences.isdisjoint(self.any_of)


class RiskFactor(_Factor):
    """A risk that makes the visit dearer: infection, two people needed to lift …; the tariff names its tags."""

    kind: Literal["risk"]
    any_of: list[str] = Field(min_length=1, max_length=20)

    def holds(self, context: PriceContext) -> bool:
        return not context.risks.isdisjoint(self.any_of)


Factor = Annotated[
    TagFactor | DistanceFactor | HoursFactor | DayFactor | LicenceFactor | RiskFactor,
    Field(discriminator="kind"),
]
"""Every factor there is."""
