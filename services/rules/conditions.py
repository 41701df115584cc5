"""The kinds of condition. A new one: one class here, one line in ``AnyCondition``, one table in the tests.

Pure. A condition is asked about the newest of some good readings, oldest first, already rid of artefacts:
``reached`` gives the side ("low", "high", …) on which the newest reading meets a level, or ``None``. ``gate``
tells ingest which values cannot matter, so that an ordinary reading costs two comparisons and no look back.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from math import inf
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from services.rules.news2 import Measured, PartialScore

Limits = Mapping[str, float]
Gate = tuple[float, float]
"""(low, high): a value strictly between them cannot meet the condition."""

NEVER: Gate = (-inf, inf)
Problem = tuple[str, str]


def side_of(limits: Limits, value: float) -> str | None:
    """On which side a value is at or beyond a limit. Going past ``low`` wins where both are named."""
    if "low" in limits and value <= limits["low"]:
        return "low"
    if "high" in limits and value >= limits["high"]:
        return "high"
    return None


class Condition(BaseModel):
    """What every condition can answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit_names: ClassVar[tuple[str, ...]] = ("low", "high")
    several_kinds: ClassVar[bool] = False
    limits_are_values: ClassVar[bool] = True
    by_clock: ClassVar[bool] = False
    """Decided when time passes and not when a reading comes."""
    every_seconds: int = 0
    """Readings closer together than this count as one, their median: the sampling rate decides nothing."""

    def problems(self) -> Iterator[Problem]:
        """(field, why) of settings that could not work."""
        yield from ()

    def limit_problems(self, limits: Limits) -> Iterator[Problem]:
        """(limit, why) of figures of one level that could not work together."""
        if "low" in limits and "high" in limits and limits["low"] >= limits["high"]:
            yield "low", "low is not below high"

    def gate(self, limits: Limits) -> Gate:
        """Which values of one reading may meet a level."""
        return limits.get("low", -inf), limits.get("high", inf)

    @property
    def look_back(self) -> timedelta:
        """How far back ``reached`` wants readings; only the newest where nothing else is said."""
        return timedelta(0)

    def reached(self, limits: Limits, points: Sequence[Measured]) -> str | None:  # noqa: ARG002  signature
        """The side on which the newest of these readings meets the level; never, where time or a score decides."""
        return None


_Within = Annotated[int, Field(ge=1, le=43_200, description="Older readings do not count.")]
_Every = Annotated[int, Field(ge=0, le=3_600, description="Readings closer than this count as one.")]


class Threshold(Condition):
    """The newest reading is at or beyond a limit. For measurements made on purpose, such as a finger prick."""

    type: Literal["threshold"] = "threshold"

    def reached(self, limits: Limits, points: Sequence[Measured]) -> str | None:
        return side_of(limits, points[-1].value)


class NOfM(Condition):
    """``needed`` of the last ``of`` readings are beyond the same limit, the newest among them.

    With ``settled_minutes``, readings in a row beyond the limit over so long suffice as well: a sensor that
    reports every ten minutes has its say after two of them, and not after half an hour.
    """

    type: Literal["n_of_m"] = "n_of_m"
    needed: Annotated[int, Field(ge=1, le=60)]
    of: Annotated[int, Field(ge=1, le=60)]
    within_minutes: _Within = 60
    settled_minutes: Annotated[int | None, Field(ge=1, le=43_200)] = None
    every_seconds: _Every = 0

    def problems(self) -> Iterator[Problem]:
        if self.needed > self.of:
            yield "needed", "more readings needed than looked at"
        if self.settled_minutes is not None and self.settled_minutes >= self.within_minutes:
            yield "settled_minutes", "longer than readings count"

    @property
    def look_back(self) -> timedelta:
        return timedelta(minutes=self.within_minutes)

    def reached(self, limits: Limits, points: Sequence[Measured]) -> str | None:
        side = side_of(limits, points[-1].value)
        since = points[-1].at - self.look_back
        last = [point for point in points[-self.of :] if point.at > since]
        if side is None or sum(side_of(limits, p.value) == side for p in last) >= self.needed:
            return side
        return side if self._is_settled(limits, points, side, since) else None

    def _is_settled(self, limits: Limits, points: Sequence[Measured], side: str, since: datetime) -> bool:
        if self.settled_minutes is None:
            return False
        first = points[-1].at
        for point in reversed(points):
            if point.at <= since or side_of(limits, point.value) != side:
                break
            first = point.at
        return points[-1].at - first >= timedelta(minutes=self.settled_minutes)


class Duration(Condition):
    """Every reading has been beyond the limit for ``minutes``, with no hole longer than ``gap_minutes``."""

    type: Literal["duration"] = "duration"
    minutes: Annotated[int, Field(ge=1, le=1_440)]
    gap_minutes: Annotated[int, Field(ge=1, le=1_440)] = 15
    every_seconds: _Every = 0

    @property
    def look_back(self) -> timedelta:
        return timedelta(minutes=self.minutes + self.gap_minutes)

    def reached(self, limits: Limits, points: Sequence[Measured]) -> str | None:
        newest = points[-1]
        side = side_of(limits, newest.value)
        after = newest
        for point in reversed(points):
            if side is None or side_of(limits, point.value) != side:
                return None
            if after.at - point.at > timedelta(minutes=self.gap_minutes):
                return None
            if newest.at - point.at >= timedelta(minutes=self.minutes):
                return side
            after = point
        return None


class RateOfChange(Condition):
    """A change by ``rise`` or ``fall`` within ``minutes``, and the newest value past ``high`` or ``low``.

    The second half keeps ordinary ups and downs in the normal range out, and lets a reading in that range
    pass without a look into the past; so ``rise`` needs ``high`` and ``fall`` needs ``low``.
    """

    type: Literal["rate_of_change"] = "rate_of_change"
    limit_names: ClassVar[tuple[str, ...]] = ("low", "high", "rise", "fall")
    minutes: Annotated[int, Field(ge=1, le=43_200)]
    every_seconds: _Every = 0

    def limit_problems(self, limits: Limits) -> Iterator[Problem]:
        yield from super().limit_problems(limits)
        for change, side in (("rise", "high"), ("fall", "low")):
            if limits.get(change, 1) <= 0:
                yield change, "a change is more than 0"
            if (change in limits) != (side in limits):
                yield change, f"{change} and {side} go together"

    @property
    def look_back(self) -> timedelta:
        return timedelta(minutes=self.minutes)

    def reached(self, limits: Limits, points: Sequence[Measured]) -> str | None:
        newest = points[-1]
        side = side_of(limits, newest.value)
        if side is None:
            return None
        earlier = [p.value for p in points[:-1] if newest.at - p.at <= self.look_back]
        if side == "high":
            return side if earlier and newest.value - min(earlier) >= limits["rise"] else None
        return side if earlier and max(earlier) - newest.value >= limits["fall"] else None


class MissingData(Condition):
    """No good reading for ``minutes``. Judged by the worker, since nothing arrives that could be judged."""

    type: Literal["missing_data"] = "missing_data"
    limit_names: ClassVar[tuple[str, ...]] = ("minutes",)
    limits_are_values: ClassVar[bool] = False
    by_clock: ClassVar[bool] = True

    def limit_problems(self, limits: Limits) -> Iterator[Problem]:
        if not 1 <= limits.get("minutes", 1) <= 525_600:
            yield "minutes", "from a minute to a year"

    def gate(self, limits: Limits) -> Gate:  # noqa: ARG002  signature
        return NEVER

    def silent(self, limits: Limits, silence: timedelta) -> bool:
        """Whether it has been silent for long enough."""
        return silence >= timedelta(minutes=limits["minutes"])


class EarlyWarning(Condition):
    """A partial NEWS2 over the kinds that there are: one part of ``single``, or ``total`` of them together.

    The total of what is there is a lower bound of the full score, so reaching a limit means that the full score
    reaches it as well; not reaching it means nothing.
    """

    type: Literal["early_warning"] = "early_warning"
    limit_names: ClassVar[tuple[str, ...]] = ("total", "single")
    several_kinds: ClassVar[bool] = True
    limits_are_values: ClassVar[bool] = False
    at_least: Annotated[int, Field(ge=1, le=5, description="Kinds that must be there.")] = 2

    def limit_problems(self, limits: Limits) -> Iterator[Problem]:
        if not 1 <= limits.get("total", 1) <= 20:
            yield "total", "a NEWS2 total lies between 0 and 20"
        if not 1 <= limits.get("single", 1) <= 3:
            yield "single", "a part of NEWS2 scores 3 at most"

    def gate(self, limits: Limits) -> Gate:  # noqa: ARG002  signature
        """Ingest asks the chart instead: any part that scores may lift the total."""
        return NEVER

    def met(self, limits: Limits, score: PartialScore) -> bool:
        """Whether what is there reaches the level."""
        if len(score.parts) < self.at_least:
            return False
        return score.total >= limits.get("total", inf) or score.highest >= limits.get("single", inf)


AnyCondition = Annotated[
    Threshold | NOfM | Duration | RateOfChange | MissingData | EarlyWarning, Field(discriminator="type")
]
"""The registry: what a rule's ``condition`` may be, told apart by ``type``."""
