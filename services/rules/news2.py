"""A partial NEWS2 over the kinds that there are. Pure; the chart is ``data/news2.json``.

What was not measured is named and never counts as 0, so the total is a lower bound of the full score and
``complete`` is always false at home: nobody's terminal knows consciousness and supplemental oxygen.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any

import msgspec

from services.vitals.kinds import ReadingKind

CONFIRMED_BY = 3
"""Of so many fresh readings the middle score counts; of two the milder."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One good reading."""

    at: datetime
    value: float


@dataclass(frozen=True, slots=True)
class PartialScore:
    """Scores by kind, and the names of what is missing. ``total`` is a lower bound of the full score."""

    parts: Mapping[str, int]
    missing: tuple[str, ...]
    complete: bool = False

    @property
    def total(self) -> int:
        """The sum of what there is."""
        return sum(self.parts.values())

    @property
    def highest(self) -> int:
        """The highest single part; 0 without any."""
        return max(self.parts.values(), default=0)


Bands = tuple[tuple[float, int], ...]


@dataclass(frozen=True, slots=True)
class Parameter:
    """The bands of one parameter: (highest value of the band, score), rising."""

    digits: int
    bands: Bands

    def score(self, value: float) -> int:
        """The score of one value."""
        rounded = round(value, self.digits)
        return next(score for top, score in self.bands if rounded <= top)

    def calm(self) -> tuple[float, float]:
        """The band that scores 0, as the values next to it that do not: (at or below, at or above).

        Rounding is on the safe side: a value that rounds out of the band is outside it.
        """
        step = 10.0**-self.digits
        place = next(i for i, (_, score) in enumerate(self.bands) if score == 0)
        below = self.bands[place - 1][0] + step / 2 if place else float("-inf")
        return below, self.bands[place][0] + step / 2


@dataclass(frozen=True, slots=True)
class Chart:
    """The whole chart with its source."""

    parameters: Mapping[str, Parameter]
    scale_2: Parameter
    never_measured: tuple[str, ...]
    fresh: Mapping[str, timedelta]
    source: str
    version: str

    def parameter(self, kind: str, *, scale_2: bool) -> Parameter:
        """The bands of a kind; SpO2 has a second scale for residents whose clinician set it."""
        return self.scale_2 if scale_2 and kind == ReadingKind.SPO2 else self.parameters[kind]


def load_chart() -> Chart:
    """The chart from its data file."""
    raw: Any = msgspec.json.decode((files("services.rules") / "data" / "news2.json").read_bytes())
    return Chart(
        parameters={ReadingKind(kind).value: _parameter(row) for kind, row in raw["parameters"].items()},
        scale_2=_parameter(raw["spo2_scale_2"]),
        never_measured=tuple(raw["never_measured"]),
        fresh={kind: timedelta(minutes=minutes) for kind, minutes in raw["fresh_minutes"].items()},
        source=raw["source"],
        version=raw["version"],
    )


def _parameter(row: Any) -> Parameter:
    bands = tuple((float("inf") if top is None else float(top), int(score)) for top, score in row["bands"])
    return Parameter(digits=0 if row["step"] == 1 else 1, bands=bands)


CHART = load_chart()
KINDS = tuple(CHART.parameters)


def partial_score(
    readings: Mapping[str, Sequence[Measured]], at: datetime, *, scale_2: bool = False
) -> PartialScore:
    """The score of what is fresh at a moment; ``readings`` by kind, oldest first, good ones only."""
    parts: dict[str, int] = {}
    for kind in KINDS:
        fresh = _fresh(readings.get(kind, ()), at, at - CHART.fresh[kind])
        if fresh:
            parameter = CHART.parameter(kind, scale_2=scale_2)
            scores = sorted(parameter.score(value) for value in fresh)
            parts[kind] = scores[(len(scores) - 1) // 2]
    missing = tuple(kind for kind in KINDS if kind not in parts) + CHART.never_measured
    return PartialScore(parts, missing)


def _fresh(readings: Sequence[Measured], at: datetime, since: datetime) -> list[float]:
    """The last values up to a moment that are younger than another."""
    end = bisect_right(readings, at, key=_moment)
    return [reading.value for reading in readings[max(0, end - CONFIRMED_BY) : end] if reading.at > since]


def _moment(reading: Measured) -> datetime:
    return reading.at
