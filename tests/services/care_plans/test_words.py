"""Rules and days in words, by a table; a person reads them aloud on the phone."""

from datetime import date

import pytest

from services.care_plans.models import HolidayPolicy
from services.care_plans.recurrence import Recurrence
from services.care_plans.schedule import planned_days
from services.care_plans.words import Words, occurrence_words, plan_words

HOURS = [["14:00", "16:00"], ["09:00", "11:30"]]


@pytest.mark.parametrize(
    ("rule", "zh", "en"),
    [
        ("FREQ=DAILY", "每天 ", "every day "),
        ("FREQ=DAILY;INTERVAL=3", "每3天 ", "every 3 days "),
        ("FREQ=WEEKLY", "每周二 ", "every week on Tue "),
        ("FREQ=WEEKLY;BYDAY=TU,TH", "每周二、周四 ", "every week on Tue, Thu "),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR", "每2周的周一、周五 ", "every 2 weeks on Mon, Fri "),
        ("FREQ=MONTHLY", "每月24日 ", "every month on day 24 "),
        ("FREQ=MONTHLY;BYMONTHDAY=1,-1", "每月1日、最后一天 ", "every month on day 1, the last day "),
        ("FREQ=MONTHLY;BYMONTHDAY=-2", "每月倒数第2天 ", "every month on the 2nd last day "),
        ("FREQ=MONTHLY;BYDAY=2TU", "每月第2个周二 ", "every month on the 2nd Tue "),
        ("FREQ=MONTHLY;BYDAY=-1FR", "每月最后一个周五 ", "every month on the last Fri "),
        (
            "FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=-1",
            "每月周一、周二中的最后一个 ",
            "every month on Mon, Tue, of these the last ",
        ),
        ("FREQ=YEARLY", "每年11月24日 ", "every year on day 24 of Nov "),
        ("FREQ=YEARLY;BYMONTH=3,9;BYMONTHDAY=1", "每年3月、9月1日 ", "every year in Mar, Sep on day 1 "),
    ],
)
def test_rules_in_words(rule: str, zh: str, en: str) -> None:
    words = plan_words(rule, date(2026, 11, 24), None, HOURS, HolidayPolicy.KEEP)
    assert words.zh == f"{zh}09:00–11:30或14:00–16:00，自2026年11月24日（周二）起，法定节假日照常"
    assert words.en == f"{en}09:00–11:30 or 14:00–16:00, from 2026-11-24, on public holidays as usual"


def test_an_end_and_a_number_of_times() -> None:
    words = plan_words("FREQ=DAILY;COUNT=3", date(2026, 11, 24), date(2026, 12, 31), HOURS[:1], HolidayPolicy.SKIP)
    assert words.zh.endswith("，到2026年12月31日（周四）止，共3次，法定节假日不上门")
    assert words.en.endswith(" until 2026-12-31, 3 times, not on public holidays")


@pytest.mark.parametrize(
    ("policy", "day", "zh"),
    [
        (HolidayPolicy.KEEP, "2026-10-06", "2026年10月6日（周二）09:00–11:30 换药"),
        (HolidayPolicy.SKIP, "2026-10-06", "2026年10月6日（周二）09:00–11:30 换药（国庆节放假，不上门）"),
        (
            HolidayPolicy.MOVE,
            "2026-10-06",
            "2026年10月8日（周四）09:00–11:30 换药（原定2026年10月6日（周二），因国庆节顺延）",
        ),
        (HolidayPolicy.MOVE, "2027-10-05", "2027年10月5日（周二）09:00–11:30 换药（该年节假日安排尚未公布）"),
    ],
)
def test_days_in_words(policy: HolidayPolicy, day: str, zh: str) -> None:
    at = date.fromisoformat(day)
    (planned,) = planned_days(Recurrence("FREQ=WEEKLY;BYDAY=TU", date(2026, 9, 1)), policy, [], at, at)
    words = occurrence_words(planned, planned.service_day, HOURS[1:], Words("换药", "dressing"))
    assert words.zh == zh
