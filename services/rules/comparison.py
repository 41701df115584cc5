"""How good are the alarms? A naive alarm and ours, beside the true episodes of a recording. Pure.

The *reference* is made to be independent of the rules: it has no counts, no margins and no re-arm. It leaves out
zeros and what no sensor can show, takes at every reading the median of the last five minutes, and calls it an
episode when that median stays at or beyond a limit, on one side, for five minutes or longer and for two readings
at least (one alone tells nothing of what lies between); the figures are in ``data/episodes.json``.

The *naive* alarm rings whenever a reading is at or beyond the limit, zeros and all; a run of them is one alarm.
*Gated* is the same without zeros and what no sensor can show.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from itertools import pairwise
from statistics import median
from typing import Any

import msgspec

from services.alerts.models import AlertKind
from services.rules.evaluation import ActiveRule, Raised, decide, decide_score, is_beyond
from services.rules.layers import Resolved
from services.rules.news2 import KINDS, Measured
from services.vitals.kinds import Quality
from services.vitals.plausibility import quality_of

_RAW: Any = msgspec.json.decode((files("services.rules") / "data" / "episodes.json").read_bytes())
WINDOW = timedelta(minutes=_RAW["window_minutes"])
LASTING = timedelta(minutes=_RAW["lasting_minutes"])
GAP = timedelta(minutes=_RAW["gap_minutes"])
READINGS: int = _RAW["readings"]

Readings = Mapping[str, Sequence[Measured]]
"""Every reading of a recording by kind, in order of time, zeros and artefacts included."""


@dataclass(frozen=True, slots=True)
class Episode:
    """A true episode. ``raised_at`` is our alarm for it: within it, or before it and not recovered since."""

    kind: str
    side: str
    start: datetime
    end: datetime
    raised_at: datetime | None

    @property
    def late(self) -> timedelta | None:
        """How long after its start; negative when the alarm was there before the median had moved."""
        return None if self.raised_at is None else self.raised_at - self.start


@dataclass(frozen=True, slots=True)
class KindFigures:
    """One line of the comparison."""

    kind: str
    readings: int
    no_data: int
    naive: int
    gated: int
    ours: tuple[Raised, ...]
    episodes: tuple[Episode, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The whole of it; ``days`` is the length of the recording."""

    days: float
    kinds: tuple[KindFigures, ...]
    scores: tuple[Raised, ...]

    @property
    def missed(self) -> list[Episode]:
        """True episodes without an alarm."""
        return [episode for line in self.kinds for episode in line.episodes if episode.raised_at is None]

    def per_day(self, count: int) -> float:
        """Alarms a day; a recording shorter than a day is scaled up."""
        return count / self.days if self.days else 0.0


def compare(readings: Readings, rules: Resolved) -> Comparison:
    """Judge a recording by rules (the defaults, as a rule)."""
    good = {kind: _good(kind, points) for kind, points in readings.items()}
    moments = [point.at for points in readings.values() for point in points]
    days = (max(moments) - min(moments)) / timedelta(days=1) if moments else 0.0
    scores: list[Raised] = []
    lines: list[KindFigures] = []
    active = list(rules.active())
    for rule in active:
        if rule.definition.condition.several_kinds and moments:
            present = {kind: good.get(kind, ()) for kind in KINDS}
            scores += decide_score(rule, present, (), min(moments))
    for kind, points in sorted(readings.items()):
        own = [rule for rule in active if rule.kind == kind and not rule.definition.condition.by_clock]
        if own:
            lines.append(_line(kind, points, good[kind], own))
    return Comparison(days, tuple(lines), tuple(scores))


def _line(
    kind: str, points: Sequence[Measured], good: Sequence[Measured], rules: Sequence[ActiveRule]
) -> KindFigures:
    raised: dict[AlertKind, list[Raised]] = {}
    for rule in rules if good else ():
        told = raised.setdefault(rule.definition.alert, [])
        told += decide(rule, good, told, good[0].at)
    ours = sorted((one for told in raised.values() for one in told), key=lambda one: one.at)
    return KindFigures(
        kind=kind,
        readings=len(points),
        no_data=len(points) - len(good),
        naive=naive_alarms(points, rules),
        gated=naive_alarms(good, rules),
        ours=tuple(ours),
        episodes=tuple(_matched(rules, good, ours, true_episodes(kind, good, rules))),
    )


def _good(kind: str, points: Iterable[Measured]) -> list[Measured]:
    return [point for point in points if quality_of(kind, point.value) is Quality.GOOD]


def naive_alarms(points: Sequence[Measured], rules: Sequence[ActiveRule]) -> int:
    """Runs of readings at or beyond a limit, whatever they are."""
    runs, was_beyond = 0, False
    for point in points:
        beyond = any(is_beyond(rule, point.value) for rule in rules)
        runs += beyond and not was_beyond
        was_beyond = beyond
    return runs


def true_episodes(kind: str, good: Sequence[Measured], rules: Sequence[ActiveRule]) -> list[Episode]:
    """The reference: stretches in which the median of the last minutes stays beyond a limit for long enough."""
    found: list[Episode] = []
    start: datetime | None = None
    before: tuple[datetime, str | None] | None = None
    oldest = count = 0
    for place, point in enumerate(good):
        while point.at - good[oldest].at >= WINDOW:
            oldest += 1
        middle = median(other.value for other in good[oldest : place + 1])
        side = next((found_side for rule in rules if (found_side := is_beyond(rule, middle))), None)
        goes_on = before is not None and side == before[1] and point.at - before[0] <= GAP
        if not goes_on:
            if start is not None and before is not None and count >= READINGS:
                _close(found, kind, start, before, point.at)
            start, count = (None if side is None else point.at), 0
        before = (point.at, side)
        count += 1
    if start is not None and before is not None and count >= READINGS:
        _close(found, kind, start, before, before[0])
    return found


def _close(
    found: list[Episode], kind: str, start: datetime, last: tuple[datetime, str | None], until: datetime
) -> None:
    """A median holds until the next reading, unless that is far off."""
    end = until if until - last[0] <= GAP else last[0]
    if last[1] is not None and end - start >= LASTING:
        found.append(Episode(kind, last[1], start, end, None))


def _matched(
    rules: Sequence[ActiveRule], good: Sequence[Measured], ours: Sequence[Raised], episodes: Iterable[Episode]
) -> Iterable[Episode]:
    """Each episode with its alarm. An earlier alarm counts only while nobody could have taken it for over."""
    for episode in episodes:
        near = [
            one
            for one in ours
            if one.side == episode.side and episode.start - _longest_rearm(rules) <= one.at <= episode.end
        ]
        inside = [one for one in near if one.at >= episode.start - WINDOW]
        if inside:
            raised_at: datetime | None = inside[0].at
        else:
            still = [one for one in near if not _was_over(rules, good, one.at, episode.start)]
            raised_at = still[-1].at if still else None
        yield Episode(episode.kind, episode.side, episode.start, episode.end, raised_at)


def _longest_rearm(rules: Sequence[ActiveRule]) -> timedelta:
    return max(rule.definition.rearm for rule in rules)


def _was_over(rules: Sequence[ActiveRule], good: Sequence[Measured], start: datetime, end: datetime) -> bool:
    """Whether readings in a row between two moments were back past every margin: then the alarm was over."""
    between = [point for point in good if start < point.at < end]
    runs = pairwise(all(rule.recovered(point.value) for rule in rules) for point in between)
    return any(first and second for first, second in runs)
