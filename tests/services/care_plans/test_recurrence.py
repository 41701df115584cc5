"""RFC 5545 rules by tables: which days they give, which rules are refused."""

import time
from datetime import date, timedelta

import pytest

from services.care_plans.errors import RuleInvalid
from services.care_plans.recurrence import Recurrence, checked_rule


def days(rule: str, starts_on: str, number: int = 6, within: int = 3000, **more: object) -> list[str]:
    first = date.fromisoformat(starts_on)
    found = Recurrence(checked_rule(rule, first), first, **more).next_days(first, number, within)  # type: ignore[arg-type]
    return [day.isoformat() for day in found]


@pytest.mark.parametrize(
    ("rule", "starts_on", "expected"),
    [
        ("FREQ=DAILY", "2026-12-30", ["2026-12-30", "2026-12-31", "2027-01-01", "2027-01-02"]),
        ("FREQ=DAILY;INTERVAL=3", "2026-02-26", ["2026-02-26", "2026-03-01", "2026-03-04"]),
        # The first day need not be a day of the rule.
        ("FREQ=WEEKLY;BYDAY=TU,TH", "2026-11-23", ["2026-11-24", "2026-11-26", "2026-12-01"]),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO", "2026-11-23", ["2026-11-23", "2026-12-07", "2026-12-21"]),
        # Two weeks in two, and weeks that begin on Sunday: the RFC's own example of WKST.
        (
            "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO",
            "1997-08-05",
            ["1997-08-05", "1997-08-10", "1997-08-19", "1997-08-24"],
        ),
        (
            "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU",
            "1997-08-05",
            ["1997-08-05", "1997-08-17", "1997-08-19", "1997-08-31"],
        ),
        # A month that lacks the day is left out, not moved.
        ("FREQ=MONTHLY", "2026-01-31", ["2026-01-31", "2026-03-31", "2026-05-31", "2026-07-31"]),
        ("FREQ=MONTHLY;BYMONTHDAY=31", "2026-11-01", ["2026-12-31", "2027-01-31", "2027-03-31"]),
        ("FREQ=MONTHLY;BYMONTHDAY=30", "2028-01-01", ["2028-01-30", "2028-03-30", "2028-04-30"]),
        ("FREQ=MONTHLY;BYMONTHDAY=29", "2027-01-01", ["2027-01-29", "2027-03-29", "2027-04-29"]),
        ("FREQ=MONTHLY;BYMONTHDAY=29", "2028-01-01", ["2028-01-29", "2028-02-29", "2028-03-29"]),
        # The last of each month, leap years included.
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "2028-01-01", ["2028-01-31", "2028-02-29", "2028-03-31", "2028-04-30"]),
        ("FREQ=MONTHLY;BYDAY=2TU", "2026-11-01", ["2026-11-10", "2026-12-08", "2027-01-12"]),
        ("FREQ=MONTHLY;BYDAY=-1FR", "2026-11-01", ["2026-11-27", "2026-12-25", "2027-01-29"]),
        (
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
            "2026-11-01",
            ["2026-11-30", "2026-12-31", "2027-01-29"],
        ),
        ("FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=15", "2026-11-15", ["2026-11-15", "2027-02-15", "2027-05-15"]),
        ("FREQ=YEARLY", "2028-02-29", ["2028-02-29", "2032-02-29"]),
        ("FREQ=YEARLY;BYMONTH=3;BYDAY=1SU", "2026-01-01", ["2026-03-01", "2027-03-07", "2028-03-05"]),
        ("FREQ=WEEKLY;COUNT=2", "2026-11-24", ["2026-11-24", "2026-12-01"]),
        ("FREQ=WEEKLY;UNTIL=20261208", "2026-11-24", ["2026-11-24", "2026-12-01", "2026-12-08"]),
        # 7 December 16:00 UTC is 8 December 00:00 in the county: that day belongs to the rule.
        ("FREQ=WEEKLY;UNTIL=20261207T160000Z", "2026-11-24", ["2026-11-24", "2026-12-01", "2026-12-08"]),
        ("FREQ=WEEKLY;UNTIL=20261207T155959Z", "2026-11-24", ["2026-11-24", "2026-12-01"]),
        ("rrule:freq=daily;count=1", "2026-11-24", ["2026-11-24"]),
    ],
)
def test_days_of_a_rule(rule: str, starts_on: str, expected: list[str]) -> None:
    found = days(rule, starts_on, number=len(expected) + 1)
    bounded = "COUNT" in rule.upper() or "UNTIL" in rule.upper()
    assert found[: len(expected)] == expected
    assert not bounded or found == expected


@pytest.mark.parametrize(
    ("rule", "reason", "part"),
    [
        ("FREQ=HOURLY", "too_frequent", "FREQ"),
        ("FREQ=MINUTELY;COUNT=3", "too_frequent", "FREQ"),
        ("FREQ=SECONDLY", "too_frequent", "FREQ"),
        ("FREQ=FORTNIGHTLY", "bad_value", "FREQ"),
        ("INTERVAL=2", "part_missing", "FREQ"),
        ("FREQ=DAILY;FREQ=WEEKLY", "part_twice", "FREQ"),
        ("FREQ=DAILY;BYHOUR=9,10", "unknown_part", "BYHOUR"),
        ("FREQ=YEARLY;BYEASTER=1", "unknown_part", "BYEASTER"),
        ("FREQ=YEARLY;BYWEEKNO=20", "unknown_part", "BYWEEKNO"),
        ("FREQ=DAILY;DTSTART=20260101", "unknown_part", "DTSTART"),
        ("FREQ=DAILY\nEXDATE=20260101", "bad_value", "FREQ"),
        ("FREQ=DAILY;INTERVAL=0", "bad_value", "INTERVAL"),
        ("FREQ=DAILY;INTERVAL=100", "bad_value", "INTERVAL"),
        ("FREQ=DAILY;COUNT=1001", "bad_value", "COUNT"),
        ("FREQ=DAILY;COUNT=-1", "bad_value", "COUNT"),
        ("FREQ=DAILY;COUNT=3;UNTIL=20271231", "count_and_until", "COUNT"),
        ("FREQ=DAILY;UNTIL=20261332", "bad_value", "UNTIL"),
        ("FREQ=DAILY;UNTIL=soon", "bad_value", "UNTIL"),
        ("FREQ=WEEKLY;BYDAY=2TU", "not_with_this_frequency", "BYDAY"),
        ("FREQ=WEEKLY;BYDAY=TUE", "bad_value", "BYDAY"),
        ("FREQ=WEEKLY;BYMONTHDAY=3", "not_with_this_frequency", "BYMONTHDAY"),
        ("FREQ=MONTHLY;BYMONTHDAY=32", "bad_value", "BYMONTHDAY"),
        ("FREQ=MONTHLY;BYSETPOS=1", "alone", "BYSETPOS"),
        ("FREQ=DAILY;" + "X" * 300, "too_long", None),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "never", None),
        ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "never", None),
        ("FREQ=DAILY;INTERVAL=7;BYDAY=MO", "never", None),
        ("FREQ=DAILY;UNTIL=20200101", "never", None),
    ],
)
def test_rules_that_make_no_sense(rule: str, reason: str, part: str | None) -> None:
    with pytest.raises(RuleInvalid) as refused:
        checked_rule(rule, date(2026, 11, 24))
    assert (refused.value.extra["reason"], refused.value.extra.get("part")) == (reason, part)


def test_a_rule_that_never_comes_true_is_found_out_at_once() -> None:
    """The library looks until the year 9999; from today that would hold the process for seconds."""
    before = time.process_time()
    with pytest.raises(RuleInvalid):
        checked_rule("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", date(2026, 1, 1))
    assert time.process_time() - before < 2


def test_days_put_in_and_taken_out() -> None:
    first = date(2026, 11, 24)
    rule = Recurrence(
        "FREQ=WEEKLY",
        first,
        ends_on=date(2026, 12, 20),
        exdates=frozenset({date(2026, 12, 1), date(2026, 12, 3)}),
        rdates=frozenset({date(2026, 12, 3), date(2026, 12, 4), date(2026, 12, 25), date(2026, 11, 1)}),
    )
    found = rule.days(date(2026, 1, 1), date(2027, 12, 31))
    assert [day.isoformat() for day in found] == ["2026-11-24", "2026-12-04", "2026-12-08", "2026-12-15"]


@pytest.mark.parametrize(
    "rule", ["FREQ=DAILY;INTERVAL=3", "FREQ=MONTHLY;BYMONTHDAY=31", "FREQ=WEEKLY;BYDAY=MO,FR"]
)
def test_a_span_gives_the_same_days_however_it_is_cut(rule: str) -> None:
    """COUNT and INTERVAL are counted from the first day, not from where one looks."""
    first = date(2026, 1, 31)
    recurrence = Recurrence(f"{rule};COUNT=40", first)
    whole = recurrence.days(first, first + timedelta(days=800))
    cut = [day for n in range(800) for day in recurrence.days(first + timedelta(n), first + timedelta(n))]
    assert cut == whole


def test_the_shift_keeps_weekdays_and_leap_days() -> None:
    """Rules are read in the calendar's last round before 9999; the answer is the same as read in place."""
    for day in (date(2024, 2, 29), date(2026, 11, 24), date(2199, 12, 31)):
        moved = day.replace(year=day.year + 7600)
        assert (moved.weekday(), moved.timetuple().tm_yday) == (day.weekday(), day.timetuple().tm_yday)
