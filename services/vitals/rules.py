"""When do readings raise an alert: N of the last M breach, and not again before recovery or re-arm.

Pure: the caller gives the last readings and the moment of the last alert. Nothing is remembered between
calls, so a restart or a second ingest process decides the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any

import msgspec

from services.vitals.kinds import ReadingKind

WINDOW = 60
"""Readings that a decision looks back on at most."""

_RECOVERY_READINGS = 2


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. ``low``/``high`` themselves breach; recovery is past them by ``margin``."""

    kind: ReadingKind
    alert: str
    low: float | None
    high: float | None
    needed: int
    of: int
    margin: float
    rearm: timedelta
    source: str

    def __post_init__(self) -> None:
        if not 1 <= self.needed <= self.of:
            raise ValueError(f"{self.kind}: {self.needed} of {self.of} cannot be met")
        if self.low is None and self.high is None:
            raise ValueError(f"{self.kind}: a rule without limits never fires")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError(f"{self.kind}: low is not below high")

    def breaches(self, value: float) -> bool:
        """Whether one value is at or beyond a limit."""
        return (self.low is not None and value <= self.low) or (self.high is not None and value >= self.high)

    def recovered(self, value: float) -> bool:
        """Whether one value is back by more than the margin (hysteresis)."""
        above = self.low is None or value >= self.low + self.margin
        below = self.high is None or value <= self.high - self.margin
        return above and below

    def with_limits(self, low: float | None, high: float | None) -> "Rule":
        """The same rule with a resident's own limits; ``None`` keeps the default."""
        return replace(self, low=self.low if low is None else low, high=self.high if high is None else high)


@dataclass(frozen=True, slots=True)
class Measured:
    """One good reading."""

    at: datetime
    value: float


def should_raise(rule: Rule, readings: Sequence[Measured], last_raised_at: datetime | None) -> bool:
    """Whether the newest of ``readings`` (oldest first, good ones only) raises an alert.

    It must breach itself, and ``needed`` of the last ``of`` readings with it. After an alert, the next one
    waits for a recovery (two readings in a row past the margin) or for the re-arm time.
    """
    if not readings or not rule.breaches(readings[-1].value):
        return False
    if sum(rule.breaches(r.value) for r in readings[-rule.of :]) < rule.needed:
        return False
    if last_raised_at is None or readings[-1].at - last_raised_at >= rule.rearm:
        return True
    since = [r for r in readings if r.at > last_raised_at]
    return _has_recovery(rule, since)


def _has_recovery(rule: Rule, readings: Sequence[Measured]) -> bool:
    run = 0
    for reading in readings:
        run = run + 1 if rule.recovered(reading.value) else 0
        if run >= _RECOVERY_READINGS:
            return True
    return False


def load_rules() -> tuple[dict[str, Rule], timedelta]:
    """The default rules by reading kind, and the age beyond which a reading raises nothing."""
    raw: Any = msgspec.json.decode((files("services.vitals") / "data" / "rules.json").read_bytes())
    rules = {
        row["kind"]: Rule(
            kind=ReadingKind(row["kind"]),
            alert=row["alert"],
            low=row["low"],
            high=row["high"],
            needed=row["needed"],
            of=row["of"],
            margin=row["margin"],
            rearm=timedelta(minutes=row["rearm_minutes"]),
            source=row["source"],
        )
        for row in raw["rules"]
    }
    return rules, timedelta(minutes=raw["stale_after_minutes"])
