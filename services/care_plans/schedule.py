"""Which day of a plan is served when: the rule's days, moved or left out for public holidays and pauses. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from services.care_plans.models import HolidayPolicy
from services.care_plans.recurrence import Recurrence
from services.core.clock import BUSINESS_ZONE
from services.core.holidays import holiday_on, is_known, next_working_day

_LOOK_BACK = timedelta(days=31)
"""Days of before whose holiday may have moved them into what is asked for; no holiday lasts as long."""

Span = tuple[date, date | None]
"""A pause: its first and its last day; an open end is ``None``."""


class Fate(StrEnum):
    """What becomes of a day by the plan alone."""

    DUE = "due"
    MOVED = "moved"  # to the next working day
    SKIPPED = "skipped"  # a public holiday
    MERGED = "merged"  # would move to a day that the plan has already, or beyond its end
    PAUSED = "paused"


SERVED = frozenset({Fate.DUE, Fate.MOVED})


@dataclass(frozen=True, slots=True)
class PlannedDay:
    """One day of the rule. ``holiday`` names (zh, en) what it falls on; ``is_certain``: holidays are published."""

    day: date
    service_day: date
    fate: Fate
    holiday: tuple[str, str] | None = None
    is_certain: bool = True


def planned_days(
    recurrence: Recurrence, policy: HolidayPolicy, pauses: Sequence[Span], first: date, last: date
) -> list[PlannedDay]:
    """What becomes of the rule's days from ``first`` to ``last``; the answer for a day never depends on the span.

    Days that were put in by hand are meant as they are: holidays do not move them.
    """
    days = recurrence.days(first - _LOOK_BACK, last)
    ahead = set(recurrence.days(first - _LOOK_BACK, last + _LOOK_BACK))
    taken = {day for day in ahead if _stays(day, recurrence, policy)}
    found: list[PlannedDay] = []
    for day in days:
        holiday = holiday_on(day)
        fate, service_day = Fate.DUE, day
        if day not in taken:
            fate, service_day = _on_holiday(day, policy, taken, recurrence.ends_on)
        if fate is Fate.MOVED:
            taken.add(service_day)
        if fate in SERVED and is_paused(service_day, pauses):
            fate = Fate.PAUSED
        found.append(PlannedDay(day, service_day, fate, holiday, is_known(day)))
    return [one for one in found if one.day >= first]


def is_paused(day: date, pauses: Sequence[Span]) -> bool:
    """Whether a day lies in a pause."""
    return any(first <= day and (last is None or day <= last) for first, last in pauses)


def moments(day: date, times: Sequence[Sequence[str]]) -> list[tuple[datetime, datetime]]:
    """The windows of a day: local times of the business calendar, by start."""
    return sorted((_at(day, start), _at(day, end)) for start, end in times)


def _at(day: date, clock: str) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), BUSINESS_ZONE)


def _stays(day: date, recurrence: Recurrence, policy: HolidayPolicy) -> bool:
    return policy is HolidayPolicy.KEEP or day in recurrence.rdates or holiday_on(day) is None


def _on_holiday(day: date, policy: HolidayPolicy, taken: set[date], ends_on: date | None) -> tuple[Fate, date]:
    if policy is HolidayPolicy.SKIP:
        return Fate.SKIPPED, day
    moved = next_working_day(day)
    if moved in taken or (ends_on is not None and moved > ends_on):
        return Fate.MERGED, day
    return Fate.MOVED, moved
