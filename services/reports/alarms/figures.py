"""Response figures and false-alarm figures from the facts of alerts. Pure.

Who is not answered counts as missed once the limit has passed: a figure that only knows answered alerts would be
best where nobody answers.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from importlib.resources import files
from math import ceil
from typing import Any
from uuid import UUID

import msgspec

from services.alerts.models import AlertKind
from services.alerts.resolutions import Resolution
from services.alerts.severity import VITAL_KINDS

BY_RULES = frozenset({*VITAL_KINDS, AlertKind.EARLY_WARNING, AlertKind.NO_READINGS})
"""Kinds that a rule raises about readings; all others are alarms that a terminal sent."""

_NEEDED_SOMEBODY = frozenset({Resolution.TRUE_EMERGENCY.value, Resolution.NEEDS_CARE.value})
_FALSE_PREFIX = "false_"


class Origin(StrEnum):
    """Who raised an alert."""

    ALARM = "alarm"
    RULE = "rule"


class Measure(StrEnum):
    """From the receipt (t1) to what: the answer (t2), or somebody on the way (t4)."""

    ANSWER = "answer"
    DISPATCH = "dispatch"


@dataclass(frozen=True, slots=True)
class Target:
    """A share of alerts within a time, as a standard asks for it."""

    code: str
    measure: Measure
    within: timedelta
    share: float
    source: str
    version: str
    verified: bool


@dataclass(frozen=True, slots=True)
class AlertFacts:
    """What the figures need of one alert: t1, t2, t4, its end, and how it ended."""

    centre_id: UUID
    kind: AlertKind
    received_at: datetime
    acknowledged_at: datetime | None
    dispatched_at: datetime | None
    ended_at: datetime | None
    resolution: str | None
    was_cancelled: bool

    @property
    def origin(self) -> Origin:
        """Whether a rule or a terminal raised it."""
        return Origin.RULE if self.kind in BY_RULES else Origin.ALARM

    @property
    def is_test(self) -> bool:
        """Whether it was closed as a test: no standard counts those."""
        return self.resolution == Resolution.TEST


@dataclass(frozen=True, slots=True)
class Share:
    """How many of how many; ``undecided`` ones are too young to be counted yet, or need nothing."""

    target: Target
    numerator: int
    denominator: int
    undecided: int

    @property
    def share(self) -> float | None:
        """``None`` when there is nothing to count."""
        return self.numerator / self.denominator if self.denominator else None

    @property
    def met(self) -> bool | None:
        """Whether the standard is met."""
        return None if self.share is None else self.share >= self.target.share


def load_targets() -> tuple[Target, ...]:
    """The standards' targets, from the data file."""
    raw: Any = msgspec.json.decode((files("services.reports") / "data" / "response_targets.json").read_bytes())
    return tuple(
        Target(
            code=row["code"],
            measure=Measure(row["measure"]),
            within=timedelta(seconds=row["within_seconds"]),
            share=row["share"],
            source=row["source"],
            version=row["version"],
            verified=row["verified"],
        )
        for row in raw["targets"]
    )


def was_in_time(facts: AlertFacts, target: Target, now: datetime) -> bool | None:
    """Whether an alert met a target; ``None`` when that cannot be said (yet).

    Answer: not answered is a miss once the limit has passed, unless the resident took the alarm back before.
    Dispatch: the same, and an alert that ended without anybody on the way counts only when somebody was needed.
    """
    reached = facts.acknowledged_at if target.measure is Measure.ANSWER else facts.dispatched_at
    limit = facts.received_at + target.within
    if reached is not None:
        return reached <= limit
    if facts.ended_at is None:
        return False if now > limit else None
    if target.measure is Measure.DISPATCH:
        return False if facts.resolution in _NEEDED_SOMEBODY else None
    return False if facts.ended_at > limit else None


def share(alerts: Iterable[AlertFacts], target: Target, now: datetime) -> Share:
    """One figure; tests are left out."""
    said = [was_in_time(alert, target, now) for alert in alerts if not alert.is_test]
    counted = [one for one in said if one is not None]
    return Share(target, sum(counted), len(counted), len(said) - len(counted))


def percentile(durations: Sequence[timedelta], of: float) -> float | None:
    """The nearest-rank percentile in seconds."""
    if not durations:
        return None
    return sorted(durations)[max(ceil(of * len(durations)) - 1, 0)].total_seconds()


def durations(alerts: Iterable[AlertFacts], until: Callable[[AlertFacts], datetime | None]) -> list[timedelta]:
    """From the receipt to a later time, of those that have one; tests are left out."""
    return [at - alert.received_at for alert in alerts if not alert.is_test and (at := until(alert)) is not None]


def is_false(resolution: str | None) -> bool:
    """Whether a resolution names a false alarm, by any cause."""
    return resolution is not None and resolution.startswith(_FALSE_PREFIX)


@dataclass(frozen=True, slots=True)
class FalseAlarms:
    """How many closed alerts (tests left out) were false, and by what cause."""

    closed: int
    false: int
    causes: dict[str, int]

    @property
    def rate(self) -> float | None:
        """``None`` when nothing was closed."""
        return self.false / self.closed if self.closed else None


def false_alarms(resolutions: Iterable[tuple[str, int]]) -> FalseAlarms:
    """From the number of closed alerts by resolution."""
    counted: Counter[str] = Counter()
    for resolution, count in resolutions:
        if resolution != Resolution.TEST:
            counted[resolution] += count
    causes = {cause: count for cause, count in sorted(counted.items()) if is_false(cause)}
    return FalseAlarms(counted.total(), sum(causes.values()), causes)
