"""Public holidays of mainland China, and the weekends that are worked for them. Pure.

Source: the State Council's yearly notice (国务院办公厅关于部分节假日安排的通知), in the tables of the library
`chinesecalendar`. A year that is not published yet has ordinary days only: weekends off, nothing else.
"""

from datetime import date, timedelta

from chinese_calendar import get_holiday_detail
from chinese_calendar.constants import holidays

KNOWN_UNTIL: date = date(max(day.year for day in holidays), 12, 31)
"""The last day for which holidays are published and known here."""

_KNOWN_FROM = date(min(day.year for day in holidays), 1, 1)
_SATURDAY = 5
_NAMES_ZH = {
    "New Year's Day": "元旦",
    "Spring Festival": "春节",
    "Tomb-sweeping Day": "清明节",
    "Labour Day": "劳动节",
    "Dragon Boat Festival": "端午节",
    "Mid-autumn Festival": "中秋节",
    "National Day": "国庆节",
    "Anti-Fascist 70th Day": "抗战胜利70周年纪念日",
}


def is_known(day: date) -> bool:
    """Whether the holidays of this day's year are published here."""
    return _KNOWN_FROM <= day <= KNOWN_UNTIL


def holiday_on(day: date) -> tuple[str, str] | None:
    """The names (zh, en) of the public holiday whose days off hold this day; ``None`` for an ordinary one.

    An ordinary weekend is no holiday, and neither is a weekend day that is worked for one.
    """
    if not is_known(day):
        return None
    is_off, name = get_holiday_detail(day)
    if not is_off or name is None:
        return None
    return _NAMES_ZH.get(name, name), name


def is_working_day(day: date) -> bool:
    """Whether people work: weekdays outside holidays, and weekends that are worked for one."""
    if not is_known(day):
        return day.weekday() < _SATURDAY
    is_off, _ = get_holiday_detail(day)
    return not is_off


def next_working_day(day: date) -> date:
    """The first working day after a day."""
    following = day + timedelta(days=1)
    while not is_working_day(following):
        following += timedelta(days=1)
    return following
