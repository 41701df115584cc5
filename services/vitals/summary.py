"""A month of one kind of reading in a few numbers. Pure. It says what was measured, never what it means."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from importlib.resources import files
from typing import Any

import msgspec

from services.core.clock import BUSINESS_ZONE
from services.vitals.kinds import ReadingKind
from services.vitals.queries import Point

TWICE_A_DAY = frozenset({ReadingKind.SYSTOLIC_BP, ReadingKind.DIASTOLIC_BP})
"""Kinds whose mornings and evenings are looked at apart."""


@dataclass(frozen=True, slots=True)
class Hours:
    """A part of the day: from one hour (inclusive) to another (exclusive) of the business calendar."""

    first: int
    until: int

    def has(self, moment: datetime) -> bool:
        """Whether a moment lies in it."""
        return self.first <= moment.astimezone(BUSINESS_ZONE).hour < self.until


def load_hours() -> tuple[Hours, Hours]:
    """Morning and evening, from the data file."""
    raw: Any = msgspec.json.decode((files("services.vitals") / "data" / "monthly.json").read_bytes())
    return Hours(*raw["morning_hours"]), Hours(*raw["evening_hours"])


MORNING, EVENING = load_hours()


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days in a row without a good reading, both inclusive."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class MonthOfKind:
    """One kind in one month. ``days`` are those that have begun; ``adherence`` is measured ÷ days."""

    kind: ReadingKind
    days: int
    days_measured: int
    adherence: float
    count: int
    no_data: int
    mean: float | None
    minimum: float | None
    maximum: float | None
    morning_mean: float | None
    evening_mean: float | None
    gaps: tuple[Stretch, ...]
    mean_before: float | None
    change: float | None

    @property
    def is_complete(self) -> bool:
        """Whether there is something for every day."""
        return self.days > 0 and self.days_measured == self.days


def next_month(first: date) -> date:
    """The first day of the month after."""
    return (first + timedelta(days=31)).replace(day=1)


def month_before(first: date) -> date:
    """The first day of the month before."""
    return (first - timedelta(days=1)).replace(day=1)


def days_so_far(first: date, today: date) -> list[date]:
    """The days of a month that have begun."""
    last = min(next_month(first), today + timedelta(days=1))
    return [first + timedelta(days=n) for n in range(max((last - first).days, 0))]


def summarise(
    kind: ReadingKind, hours: Sequence[Point], before: Sequence[Point], days: Sequence[date]
) -> MonthOfKind:
    """One kind from its hourly points of the month and of the month before."""
    good = [point for point in hours if point.readings]
    measured = {point.start.astimezone(BUSINESS_ZONE).date() for point in good}
    twice = kind in TWICE_A_DAY
    mean, mean_before = _mean(good), _mean(before)
    return MonthOfKind(
        kind=kind,
        days=len(days),
        days_measured=len(measured),
        adherence=len(measured) / len(days) if days else 0.0,
        count=sum(point.readings for point in good),
        no_data=sum(point.no_data for point in hours),
        mean=mean,
        minimum=min((p.minimum for p in good if p.minimum is not None), default=None),
        maximum=max((p.maximum for p in good if p.maximum is not None), default=None),
        morning_mean=_mean(p for p in good if MORNING.has(p.start)) if twice else None,
        evening_mean=_mean(p for p in good if EVENING.has(p.start)) if twice else None,
        gaps=_stretches([day for day in days if day not in measured]),
        mean_before=mean_before,
        change=None if mean is None or mean_before is None else mean - mean_before,
    )


def _mean(points: Iterable[Point]) -> float | None:
    """The mean of all readings, each counted once."""
    known = [(point.mean, point.readings) for point in points if point.mean is not None]
    count = sum(readings for _, readings in known)
    return sum(mean * readings for mean, readings in known) / count if count else None


def _stretches(days: Sequence[date]) -> tuple[Stretch, ...]:
    """Days in a row made one."""
    found: list[Stretch] = []
    for day in days:
        if found and found[-1].last + timedelta(days=1) == day:
            found[-1] = Stretch(found[-1].first, day)
        else:
            found.append(Stretch(day, day))
    return tuple(found)
