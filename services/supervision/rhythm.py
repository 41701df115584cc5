"""How often a stream of readings comes, read from its last ones. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from statistics import median


@dataclass(frozen=True, slots=True)
class RhythmFigures:
    """How a rhythm is read; see ``data/supervision.json``."""

    intervals: int
    intervals_at_least: int
    slowest_seconds: float
    irregular_ratio: float


def rhythm_of(measured: Sequence[datetime], received: Sequence[datetime], figures: RhythmFigures) -> float | None:
    """Seconds between two arrivals of a kind of reading, or ``None`` when it keeps no rhythm.

    A terminal may measure every ten seconds and send once a minute, or empty its memory at once after a night
    without a network: the slower of the two medians is what its silence can be held against. One used now and
    then (a cuff: three measurements in two minutes, then a day of nothing) keeps no rhythm, nor does one that has
    been heard too few times to tell.
    """
    slower = 0.0
    for times in (measured, received):
        gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(sorted(set(times)))]
        gaps = sorted(gaps[-figures.intervals :])
        if len(gaps) < figures.intervals_at_least:
            return None
        middle = median(gaps)
        # Received: a memory emptied at once has many tiny gaps. They say nothing, and the larger median wins.
        if gaps[len(gaps) * 9 // 10] > middle * figures.irregular_ratio and times is measured:
            return None
        slower = max(slower, middle)
    return slower if 0 < slower <= figures.slowest_seconds else None
