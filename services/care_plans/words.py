"""A plan and its days in words that a person understands, in both languages. Pure."""

import re
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from services.care_plans.models import HolidayPolicy
from services.care_plans.recurrence import parse_rule
from services.care_plans.schedule import Fate, PlannedDay

_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_ZH = dict(zip(_DAYS, "一二三四五六日", strict=True))
_EN = dict(zip(_DAYS, ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), strict=True))
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_EVERY = {
    "DAILY": ("每天", "每{n}天", "every day", "every {n} days"),
    "WEEKLY": ("每", "每{n}周的", "every week", "every {n} weeks"),
    "MONTHLY": ("每月", "每{n}个月", "every month", "every {n} months"),
    "YEARLY": ("每年", "每{n}年", "every year", "every {n} years"),
}
_ORDINALS = {1: "1st", 2: "2nd", 3: "3rd", 21: "21st", 22: "22nd", 23: "23rd", 31: "31st"}
_POLICY = {
    HolidayPolicy.KEEP: ("法定节假日照常", "on public holidays as usual"),
    HolidayPolicy.SKIP: ("法定节假日不上门", "not on public holidays"),
    HolidayPolicy.MOVE: ("遇法定节假日顺延到下一个工作日", "on a public holiday moved to the next working day"),
}
_NOTE = {
    Fate.SKIPPED: ("{zh}放假，不上门", "left out: {en}"),
    Fate.MERGED: ("{zh}放假，当次取消（顺延日已有安排）", "left out: {en}, and the next working day is taken"),
    Fate.PAUSED: ("暂停中", "paused"),
}


class Words(NamedTuple):
    """The same said twice."""

    zh: str
    en: str


def plan_words(
    rule: str, starts_on: date, ends_on: date | None, times: Sequence[Sequence[str]], policy: HolidayPolicy
) -> Words:
    """``每周二、周四 09:00–11:30，自2026年11月24日起，法定节假日照常``."""
    parts = parse_rule(rule)
    zh, en = _rule_words(parts, starts_on)
    hours = hours_words(times)
    zh, en = f"{zh} {hours.zh}，自{day_words(starts_on).zh}起", f"{en} {hours.en}, from {starts_on.isoformat()}"
    if ends_on is not None:
        zh, en = f"{zh}，到{day_words(ends_on).zh}止", f"{en} until {ends_on.isoformat()}"
    if "COUNT" in parts:
        zh, en = f"{zh}，共{parts['COUNT']}次", f"{en}, {parts['COUNT']} times"
    return Words(f"{zh}，{_POLICY[policy][0]}", f"{en}, {_POLICY[policy][1]}")


def occurrence_words(
    planned: PlannedDay, service_day: date, times: Sequence[Sequence[str]], items: Words
) -> Words:
    """``2026年11月24日（周二）09:00–11:30 伤口换药``, with what a holiday or a pause does to it."""
    day, hours = day_words(service_day), hours_words(times)
    zh, en = f"{day.zh}{hours.zh} {items.zh}", f"{day.en} {hours.en} {items.en}"
    if planned.fate is Fate.MOVED and planned.holiday is not None:
        original = day_words(planned.day)
        zh = f"{zh}（原定{original.zh}，因{planned.holiday[0]}顺延）"
        en = f"{en} (moved from {planned.day.isoformat()}: {planned.holiday[1]})"
    elif planned.fate in _NOTE:
        names = planned.holiday or ("", "")
        note_zh, note_en = _NOTE[planned.fate]
        zh, en = f"{zh}（{note_zh.format(zh=names[0])}）", f"{en} ({note_en.format(en=names[1])})"
    elif service_day != planned.day:
        zh, en = f"{zh}（由{day_words(planned.day).zh}改期）", f"{en} (changed from {planned.day.isoformat()})"
    if not planned.is_certain:
        zh, en = f"{zh}（该年节假日安排尚未公布）", f"{en} (public holidays of that year are not published yet)"
    return Words(zh, en)


def day_words(day: date) -> Words:
    """``2026年11月24日（周二）``."""
    code = _DAYS[day.weekday()]
    return Words(f"{day.year}年{day.month}月{day.day}日（周{_ZH[code]}）", f"{_EN[code]} {day.isoformat()}")


def hours_words(times: Sequence[Sequence[str]]) -> Words:
    """``09:00–11:30 或 14:00–16:00``."""
    spans = sorted(f"{start}–{end}" for start, end in times)
    return Words("或".join(spans), " or ".join(spans))


def _rule_words(parts: dict[str, str], starts_on: date) -> Words:
    one_zh, many_zh, one_en, many_en = _EVERY[parts["FREQ"]]
    interval = int(parts.get("INTERVAL", 1))
    zh = one_zh if interval == 1 else many_zh.format(n=interval)
    en = one_en if interval == 1 else many_en.format(n=interval)
    if "BYMONTH" in parts:
        months = [int(month) for month in parts["BYMONTH"].split(",")]
        zh += "、".join(f"{month}月" for month in months)
        en += " in " + ", ".join(_MONTHS[month - 1] for month in months)
    narrowed = _narrowed(parts)
    if narrowed is None:
        narrowed = _implied(parts, starts_on)
    return Words(zh + narrowed.zh, f"{en} {narrowed.en}".strip())


def _narrowed(parts: dict[str, str]) -> Words | None:
    """What the rule itself says of days of the month and of the week."""
    zh, en = "", ""
    if "BYMONTHDAY" in parts:
        days = [int(day) for day in parts["BYMONTHDAY"].split(",")]
        zh += "、".join(f"{day}日" if day > 0 else f"{_place(day).zh}天" for day in days)
        en += "on " + ", ".join(f"day {day}" if day > 0 else f"the {_place(day).en} day" for day in days)
    if "BYDAY" in parts:
        named = [_weekday(one) for one in parts["BYDAY"].split(",")]
        zh += ("且" if zh else "") + "、".join(name.zh for name in named)
        en += (" and " if en else "on ") + ", ".join(name.en for name in named)
    if "BYSETPOS" in parts:
        places = [int(place) for place in parts["BYSETPOS"].split(",")]
        zh += "中的" + "、".join(f"{_place(place).zh}个" for place in places)
        en += ", of these the " + ", ".join(_place(place).en for place in places)
    return Words(zh, en) if zh else None


def _implied(parts: dict[str, str], starts_on: date) -> Words:
    """What follows from the first day where the rule says no more."""
    if parts["FREQ"] == "WEEKLY":
        return _weekday_words(_DAYS[starts_on.weekday()])
    if parts["FREQ"] == "MONTHLY":
        return Words(f"{starts_on.day}日", f"on day {starts_on.day}")
    if parts["FREQ"] == "YEARLY" and "BYMONTH" in parts:
        return Words(f"{starts_on.day}日", f"on day {starts_on.day}")
    if parts["FREQ"] == "YEARLY":
        month = _MONTHS[starts_on.month - 1]
        return Words(f"{starts_on.month}月{starts_on.day}日", f"on day {starts_on.day} of {month}")
    return Words("", "")


def _weekday_words(code: str) -> Words:
    return Words(f"周{_ZH[code]}", f"on {_EN[code]}")


def _weekday(value: str) -> Words:
    """``TU``, ``2TU``, ``-1FR``."""
    found = re.fullmatch(r"([+-]?\d)?(..)", value)
    assert found is not None  # noqa: S101  the rule is checked
    place, code = int(found.group(1) or 0), found.group(2)
    if place == 0:
        return Words(f"周{_ZH[code]}", _EN[code])
    return Words(f"{_place(place).zh}个周{_ZH[code]}", f"the {_place(place).en} {_EN[code]}")


def _place(number: int) -> Words:
    """``第2``, ``2nd``; from the end ``最后一``, ``last``, ``倒数第2``, ``2nd last``."""
    ordinal = _ORDINALS.get(abs(number), f"{abs(number)}th")
    if number > 0:
        return Words(f"第{number}", ordinal)
    if number == -1:
        return Words("最后一", "last")
    return Words(f"倒数第{-number}", f"{ordinal} last")
