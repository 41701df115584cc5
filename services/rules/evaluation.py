"""When do readings raise an alarm? Pure: the caller gives readings and earlier alarms.

Nothing is remembered between calls, so that a restart or a second ingest process decides the same. The readings
of a rule are walked through in the order of their time, as if they had come one by one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median_low

from services.alerts.states import Severity
from services.rules.artefacts import LONGEST, is_flat, without_spikes
from services.rules.conditions import EarlyWarning, Gate, side_of
from services.rules.definitions import Layer, RuleDefinition
from services.rules.news2 import CHART, KINDS, Measured, PartialScore, partial_score

RECOVERY_READINGS = 2
"""So many readings in a row past the margin make a recovery (domain facts §5)."""


@dataclass(frozen=True, slots=True)
class ActiveLevel:
    """A severity with its limits as numbers."""

    severity: Severity
    limits: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class ActiveRule:
    """A rule as it stands for one resident: limits are numbers, the gravest level first."""

    definition: RuleDefinition
    levels: tuple[ActiveLevel, ...]
    layer: Layer
    version: int | None = None
    scale_2: bool = False

    @property
    def kind(self) -> str:
        """The kind of reading, or ``early_warning``."""
        return self.definition.kind

    @property
    def look_back(self) -> timedelta:
        """How far before a reading the past matters to it, artefact gate included."""
        return self.definition.condition.look_back + LONGEST

    def gate(self) -> Gate:
        """A value strictly between these cannot raise anything, now or together with later ones."""
        gates = [self.definition.condition.gate(level.limits) for level in self.levels]
        return max(low for low, _ in gates), min(high for _, high in gates)

    def recovered(self, value: float) -> bool:
        """Whether a value is back past the mildest limits by more than the margin (hysteresis)."""
        margin = self.definition.margin
        lows = [level.limits["low"] for level in self.levels if "low" in level.limits]
        highs = [level.limits["high"] for level in self.levels if "high" in level.limits]
        return all(value >= low + margin for low in lows) and all(value <= high - margin for high in highs)


@dataclass(frozen=True, slots=True)
class Raised:
    """One alarm of a rule's alert kind: when, how grave, on which side of the limits."""

    at: datetime
    severity: int
    side: str
    score: PartialScore | None = None


def decide(
    rule: ActiveRule, readings: Sequence[Measured], earlier: Iterable[Raised], since: datetime
) -> list[Raised]:
    """The alarms that readings from ``since`` on raise; older ones are their past.

    ``readings`` are good ones, oldest first; ``earlier`` the alarms of the same kind that were raised before.
    """
    raised: list[Raised] = []
    known = list(earlier)
    for points, flat in _walk(rule, readings, since):
        if flat or not rule.definition.schedule.covers(points[-1].at):
            continue
        found = _level_of(rule, points)
        if found is not None and _is_news(rule, found, known, points):
            known.append(found)
            raised.append(found)
    return raised


def _walk(
    rule: ActiveRule, readings: Sequence[Measured], since: datetime
) -> Iterator[tuple[list[Measured], bool]]:
    """For each reading from ``since`` on: what the condition sees then, and whether the sensor is stuck."""
    spacing = timedelta(seconds=rule.definition.condition.every_seconds)
    closed: list[Measured] = []
    current: list[Measured] = []
    low, high = rule.gate()
    for place, reading in enumerate(readings):
        if current and reading.at - current[0].at >= spacing:
            closed.append(_middle(current))
            current = []
        current.append(reading)
        if reading.at < since or low < reading.value < high:
            continue
        points = without_spikes(rule.kind, [*_recent(closed, reading.at, rule), *_as_point(current)])
        yield points, is_flat(rule.kind, readings, place)


def _recent(closed: list[Measured], now: datetime, rule: ActiveRule) -> list[Measured]:
    """What of the past still matters: as far as the condition looks, and a recovery since the last alarm."""
    oldest = now - max(rule.look_back, rule.definition.rearm)
    place = len(closed)
    while place and closed[place - 1].at >= oldest:
        place -= 1
    return closed[place:]


def _middle(readings: Sequence[Measured]) -> Measured:
    """Readings that count as one: their median, at the time of the last."""
    return Measured(readings[-1].at, median_low([reading.value for reading in readings]))


def _as_point(current: Sequence[Measured]) -> list[Measured]:
    return [_middle(current)] if current else []


def _level_of(rule: ActiveRule, points: Sequence[Measured]) -> Raised | None:
    """The gravest level that the newest point meets."""
    for level in rule.levels:
        side = rule.definition.condition.reached(level.limits, points)
        if side is not None:
            return Raised(points[-1].at, int(level.severity), side)
    return None


def _is_news(rule: ActiveRule, found: Raised, known: Sequence[Raised], points: Sequence[Measured]) -> bool:
    """A graver level, the other side, a recovery in between or the re-arm time make a new alarm."""
    rearm = rule.definition.rearm
    if any(found.at < other.at < found.at + rearm for other in known):
        return False  # late readings: what came after them has been told already
    before = max((other for other in known if other.at <= found.at), key=lambda other: other.at, default=None)
    if before is None or found.at - before.at >= rearm:
        return True
    since = [other for other in known if before.at - rearm < other.at <= found.at]
    if found.severity > max(other.severity for other in since) or found.side != before.side:
        return True
    fresh = since_recovery(rule, [point for point in points if point.at > before.at])
    return bool(fresh) and _level_of(rule, fresh) is not None


def since_recovery(rule: ActiveRule, points: Sequence[Measured]) -> Sequence[Measured]:
    """What came after the first recovery, some readings in a row back past the margin; nothing without one.

    What was before it is over: a new alarm needs its own persistence.
    """
    run = 0
    for place, point in enumerate(points):
        run = run + 1 if rule.recovered(point.value) else 0
        if run >= RECOVERY_READINGS:
            return points[place + 1 :]
    return ()


def decide_score(
    rule: ActiveRule, readings: Mapping[str, Sequence[Measured]], earlier: Iterable[Raised], since: datetime
) -> list[Raised]:
    """The same for the rule over several kinds; ``readings`` by kind."""
    condition = rule.definition.condition
    assert isinstance(condition, EarlyWarning)  # noqa: S101  the only condition over several kinds
    clean = {kind: without_spikes(kind, points) for kind, points in readings.items()}
    known, raised = list(earlier), []
    calm = {kind: CHART.parameter(kind, scale_2=rule.scale_2).calm() for kind in KINDS}
    # Only a part that scores lifts a total, so the score is looked at when one comes.
    moments = {
        point.at
        for kind, points in clean.items()
        for point in points
        if point.at >= since and not calm[kind][0] < point.value < calm[kind][1]
    }
    for at in sorted(moments):
        if not rule.definition.schedule.covers(at):
            continue
        score = partial_score(clean, at, scale_2=rule.scale_2)
        level = next((level for level in rule.levels if condition.met(level.limits, score)), None)
        if level is None:
            continue
        found = Raised(at, int(level.severity), "high", score)
        if _is_news(rule, found, known, ()):
            known.append(found)
            raised.append(found)
    return raised


def is_beyond(rule: ActiveRule, value: float) -> str | None:
    """The side on which one value is beyond any of the rule's limits: what a naive alarm would ring for."""
    return next((side for level in rule.levels if (side := side_of(level.limits, value))), None)


SCORED = frozenset(KINDS)
"""Kinds that the early-warning score looks at."""
