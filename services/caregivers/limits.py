"""Working-time limits, from ``data/working_time.json``, and what breaks them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise
from typing import Literal

import msgspec

from services.core.clock import BUSINESS_ZONE


@dataclass(frozen=True, slots=True)
class WorkLimits:
    """The most minutes of work on a day and in a week (Monday to Sunday), and the least rest between two days."""

    day_minutes: int
    week_minutes: int
    rest_minutes: int

    def with_own(self, day: int | None, week: int | None, rest: int | None) -> "WorkLimits":
        """The same with somebody's own figures where there are any."""
        return WorkLimits(
            self.day_minutes if day is None else day,
            self.week_minutes if week is None else week,
            self.rest_minutes if rest is None else rest,
        )


class LimitFigures(msgspec.Struct, frozen=True):
    """The file's content."""

    version: str
    source: str
    verified: bool
    limits: WorkLimits


@dataclass(frozen=True, slots=True)
class Stretch:
    """A half-open stretch of work."""

    starts_at: datetime
    ends_at: datetime

    @property
    def minutes(self) -> int:
        """Its whole minutes."""
        return int((self.ends_at - self.starts_at).total_seconds() // 60)


@dataclass(frozen=True, slots=True)
class Breach:
    """A limit that a plan passes: on which day (a week by its Monday), how many minutes, and what was allowed."""

    rule: Literal["longest_day", "longest_week", "least_rest"]
    day: date
    minutes: int
    limit: int


@lru_cache(maxsize=1)
def load_limits() -> LimitFigures:
    """The general limits."""
    raw = (files("services.caregivers") / "data" / "working_time.json").read_bytes()
    return msgspec.json.decode(raw, type=LimitFigures)


def monday_of(day: date) -> date:
    """The Monday of the week that a day lies in."""
    return day - timedelta(days=day.weekday())


def midnight(day: date) -> datetime:
    """The beginning of a day of the business calendar."""
    return datetime.combine(day, time(), BUSINESS_ZONE)


def local_day(moment: datetime) -> date:
    """The day of the business calendar that a moment lies in."""
    return moment.astimezone(BUSINESS_ZONE).date()


def breaches(limits: WorkLimits, work: Sequence[Stretch], since: date, until: date) -> list[Breach]:
    """What passes the limits between two days (inclusive). ``work`` should reach a week beyond both.

    A shift counts for the day and the week in which it begins, so that a night is one day's work. Two shifts
    that begin on one day are a divided day: no rest is asked for between them.
    """
    ordered = sorted(work, key=lambda one: one.starts_at)
    by_day: dict[date, int] = {}
    by_week: dict[date, int] = {}
    for one in ordered:
        day = local_day(one.starts_at)
        by_day[day] = by_day.get(day, 0) + one.minutes
        by_week[monday_of(day)] = by_week.get(monday_of(day), 0) + one.minutes
    found = [
        Breach("longest_day", day, minutes, limits.day_minutes)
        for day, minutes in sorted(by_day.items())
        if since <= day <= until and minutes > limits.day_minutes
    ]
    found += [
        Breach("longest_week", monday, minutes, limits.week_minutes)
        for monday, minutes in sorted(by_week.items())
        if monday_of(since) <= monday <= until and minutes > limits.week_minutes
    ]
    for before, after in pairwise(ordered):
        day = local_day(after.starts_at)
        rest = int((after.starts_at - before.ends_at).total_seconds() // 60)
        divided = local_day(before.starts_at) == day
        if not divided and since <= day <= until and rest < limits.rest_minutes:
            found.append(Breach("least_rest", day, rest, limits.rest_minutes))
    return found
