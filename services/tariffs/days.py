"""Workday, weekend or public holiday: the State Council's yearly notice, as `chinesecalendar` has it."""

from datetime import date

import chinese_calendar

from services.catalogue.factors import DayKind

_SATURDAY = 5


def day_kind(day: date) -> DayKind:
    """The kind of a day. Years without a published notice have weekends only: a holiday is then not known yet."""
    try:
        is_off, name = chinese_calendar.get_holiday_detail(day)
    except NotImplementedError:
        return DayKind.WEEKEND if day.weekday() >= _SATURDAY else DayKind.WORKDAY
    if not is_off:
        return DayKind.WORKDAY
    return DayKind.WEEKEND if name is None else DayKind.HOLIDAY
