"""Workday, weekend or public holiday, as prices ask for it."""

from datetime import date

from services.catalogue.factors import DayKind
from services.core.holidays import holiday_on, is_working_day


def day_kind(day: date) -> DayKind:
    """The kind of a day. A year whose holidays are not published yet has weekends only."""
    if is_working_day(day):
        return DayKind.WORKDAY
    return DayKind.WEEKEND if holiday_on(day) is None else DayKind.HOLIDAY
