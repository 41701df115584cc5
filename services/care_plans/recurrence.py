"""RFC 5545 recurrence rules of days: what is taken, and the days that a rule gives. Pure.

Days only: visits have no business with SECONDLY, MINUTELY or HOURLY, and their hours stand beside the rule. A
month that lacks a day (31, 29 February) is left out, as the RFC says; ``BYMONTHDAY=-1`` is the last of each.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from dateutil.rrule import rrule, rrulestr

from services.care_plans.errors import RuleInvalid
from services.core.clock import BUSINESS_ZONE

FREQUENCIES: Final = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
MOST_COUNT: Final = 1000
MOST_INTERVAL: Final = 99
LONGEST: Final = 300

_PARTS: Final = {
    "FREQ": re.compile("|".join(FREQUENCIES)),
    "INTERVAL": re.compile(r"[1-9]\d?"),
    "COUNT": re.compile(r"[1-9]\d{0,3}"),
    "UNTIL": re.compile(r"\d{8}(T\d{6}Z?)?"),
    "BYDAY": re.compile(r"([+-]?[1-5])?(MO|TU|WE|TH|FR|SA|SU)(,([+-]?[1-5])?(MO|TU|WE|TH|FR|SA|SU))*"),
    "BYMONTHDAY": re.compile(r"-?([1-9]|[12]\d|3[01])(,-?([1-9]|[12]\d|3[01]))*"),
    "BYMONTH": re.compile(r"([1-9]|1[0-2])(,([1-9]|1[0-2]))*"),
    "BYSETPOS": re.compile(r"[+-]?([1-9]|[12]\d|3[01])(,[+-]?([1-9]|[12]\d|3[01]))*"),
    "WKST": re.compile("MO|TU|WE|TH|FR|SA|SU"),
}
_TOO_FINE: Final = ("SECONDLY", "MINUTELY", "HOURLY")
_NARROWING: Final = ("BYDAY", "BYMONTHDAY", "BYMONTH")

_SHIFT: Final = 400 * 19
"""The calendar repeats every 400 years, weekdays included. Rules are read in its last round before the year 9999,
where the library gives up looking, so that one which never comes true costs a blink and not minutes."""


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A checked rule from its first day on, with the days that are taken out and put in by hand."""

    rule: str
    starts_on: date
    ends_on: date | None = None
    exdates: frozenset[date] = frozenset()
    rdates: frozenset[date] = frozenset()

    def days(self, first: date, last: date) -> list[date]:
        """The days from ``first`` to ``last``, both included, in order."""
        begin = max(first, self.starts_on)
        end = last if self.ends_on is None else min(last, self.ends_on)
        if begin > end:
            return []
        found = _rule_days(self.rule, self.starts_on, begin, end) | {
            day for day in self.rdates if begin <= day <= end
        }
        return sorted(found - self.exdates)

    def next_days(self, first: date, number: int, within_days: int) -> list[date]:
        """The first so many days from ``first`` on, looking no further than so many days ahead."""
        return self.days(first, first + timedelta(days=within_days))[:number]


def parse_rule(text: str) -> dict[str, str]:
    """The parts of a rule. Raises ``RuleInvalid`` with ``reason`` and the ``part`` that is meant."""
    plain = text.strip().upper().removeprefix("RRULE:")
    if len(plain) > LONGEST:
        raise RuleInvalid(reason="too_long", field="rrule")
    parts: dict[str, str] = {}
    for piece in plain.split(";"):
        name, _, value = piece.partition("=")
        if name == "FREQ" and value in _TOO_FINE:
            raise RuleInvalid(reason="too_frequent", part=name, field="rrule")
        if name not in _PARTS:
            raise RuleInvalid(reason="unknown_part", part=name[:20], field="rrule")
        if name in parts:
            raise RuleInvalid(reason="part_twice", part=name, field="rrule")
        if not _PARTS[name].fullmatch(value):
            raise RuleInvalid(reason="bad_value", part=name, field="rrule")
        parts[name] = value
    _require_sense(parts)
    return parts


def checked_rule(text: str, starts_on: date) -> str:
    """The rule as it is kept: its parts in one order, ``UNTIL`` as a day. Raises ``RuleInvalid``.

    One that never comes true (30 February, a setting that no month has) is refused with the reason ``never``.
    """
    parts = parse_rule(text)
    if "UNTIL" in parts:
        parts["UNTIL"] = _until_day(parts["UNTIL"]).strftime("%Y%m%d")
    rule = ";".join(f"{name}={parts[name]}" for name in _PARTS if name in parts)
    if next(iter(_library_rule(rule, starts_on)), None) is None:
        raise RuleInvalid(reason="never", field="rrule")
    return rule


def until_of(rule: str) -> date | None:
    """The last day that a kept rule allows."""
    value = parse_rule(rule).get("UNTIL")
    return None if value is None else _until_day(value)


def _require_sense(parts: dict[str, str]) -> None:
    frequency = parts.get("FREQ")
    if frequency is None:
        raise RuleInvalid(reason="part_missing", part="FREQ", field="rrule")
    if "COUNT" in parts and "UNTIL" in parts:
        raise RuleInvalid(reason="count_and_until", part="COUNT", field="rrule")
    if int(parts.get("COUNT", 1)) > MOST_COUNT:
        raise RuleInvalid(reason="bad_value", part="COUNT", field="rrule")
    if frequency in ("DAILY", "WEEKLY") and re.search(r"\d", parts.get("BYDAY", "")):
        raise RuleInvalid(reason="not_with_this_frequency", part="BYDAY", field="rrule")
    if frequency == "WEEKLY" and "BYMONTHDAY" in parts:
        raise RuleInvalid(reason="not_with_this_frequency", part="BYMONTHDAY", field="rrule")
    if "BYSETPOS" in parts and not any(name in parts for name in _NARROWING):
        raise RuleInvalid(reason="alone", part="BYSETPOS", field="rrule")
    if "UNTIL" in parts:
        _until_day(parts["UNTIL"])


def _until_day(value: str) -> date:
    """The local day of an ``UNTIL``, which may be a day, a local time or a UTC time."""
    try:
        if value.endswith("Z"):
            moment = datetime.strptime(f"{value[:-1]}+0000", "%Y%m%dT%H%M%S%z")
            return moment.astimezone(BUSINESS_ZONE).date()
        return datetime.strptime(value[:8], "%Y%m%d").replace(tzinfo=BUSINESS_ZONE).date()
    except ValueError as error:
        raise RuleInvalid(reason="bad_value", part="UNTIL", field="rrule") from error


def _rule_days(rule: str, starts_on: date, first: date, last: date) -> set[date]:
    found = _library_rule(rule, starts_on).between(_shifted(first), _shifted(last), inc=True)
    return {moment.date().replace(year=moment.year - _SHIFT) for moment in found}


def _library_rule(text: str, starts_on: date) -> rrule:
    until = re.search(r"UNTIL=(\d{4})", text)
    if until is not None:
        text = text.replace(until.group(0), f"UNTIL={int(until.group(1)) + _SHIFT}")
    read = rrulestr(text, dtstart=_shifted(starts_on))
    assert isinstance(read, rrule)  # noqa: S101  one rule, no set
    return read


def _shifted(day: date) -> datetime:
    return datetime.combine(day.replace(year=day.year + _SHIFT), time.min)
