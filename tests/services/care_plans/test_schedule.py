"""Holidays, pauses and hours by tables. Expected days: the State Council's notices for 2025 and 2026."""

from datetime import UTC, date, datetime, timedelta

import pytest

from services.care_plans.models import HolidayPolicy
from services.care_plans.recurrence import Recurrence
from services.care_plans.schedule import Fate, moments, planned_days
from services.core.holidays import KNOWN_UNTIL, holiday_on, is_working_day, next_working_day


def table(rule: str, policy: HolidayPolicy, first: str, last: str, **more: object) -> list[tuple[str, str, str]]:
    start = date.fromisoformat(first)
    pauses = more.pop("pauses", [])
    recurrence = Recurrence(rule, start - timedelta(days=28), **more)  # type: ignore[arg-type]
    found = planned_days(recurrence, policy, pauses, start, date.fromisoformat(last))  # type: ignore[arg-type]
    return [(one.day.isoformat()[5:], one.service_day.isoformat()[5:], str(one.fate)) for one in found]


@pytest.mark.parametrize(
    ("day", "name", "working"),
    [
        ("2026-02-17", "春节", False),  # a Tuesday
        ("2026-02-14", None, True),  # a Saturday that is worked for it
        ("2026-02-28", None, True),  # and another one
        ("2026-02-21", "春节", False),  # a Saturday inside it
        ("2026-10-01", "国庆节", False),
        ("2026-10-10", None, True),  # a Saturday that is worked for it
        ("2026-11-28", None, False),  # an ordinary Saturday is no holiday
        ("2026-11-24", None, True),
        ("2025-10-06", "中秋节", False),
    ],
)
def test_the_published_calendar(day: str, name: str | None, working: bool) -> None:
    found = holiday_on(date.fromisoformat(day))
    assert (None if found is None else found[0]) == name
    assert is_working_day(date.fromisoformat(day)) is working


def test_a_year_that_is_not_published_has_ordinary_days() -> None:
    beyond = date(KNOWN_UNTIL.year + 1, 1, 1)
    assert holiday_on(beyond) is None
    monday = beyond + timedelta(days=-beyond.weekday() % 7)
    assert [is_working_day(monday + timedelta(days=n)) for n in range(7)] == [True] * 5 + [False] * 2
    (one,) = planned_days(Recurrence("FREQ=DAILY", beyond), HolidayPolicy.SKIP, [], beyond, beyond)
    assert (one.fate, one.is_certain) == (Fate.DUE, False)


def test_the_next_working_day_may_be_a_worked_weekend() -> None:
    assert next_working_day(date(2026, 9, 30)) == date(2026, 10, 8)
    assert next_working_day(date(2026, 2, 13)) == date(2026, 2, 14), "Saturday, worked for the Spring Festival"
    assert next_working_day(date(2026, 2, 15)) == date(2026, 2, 24)


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (HolidayPolicy.KEEP, [("09-29", "09-29", "due"), ("10-06", "10-06", "due"), ("10-13", "10-13", "due")]),
        (
            HolidayPolicy.SKIP,
            [("09-29", "09-29", "due"), ("10-06", "10-06", "skipped"), ("10-13", "10-13", "due")],
        ),
        (HolidayPolicy.MOVE, [("09-29", "09-29", "due"), ("10-06", "10-08", "moved"), ("10-13", "10-13", "due")]),
    ],
)
def test_a_weekly_visit_in_national_week(policy: HolidayPolicy, expected: list[tuple[str, str, str]]) -> None:
    assert table("FREQ=WEEKLY;BYDAY=TU", policy, "2026-09-29", "2026-10-13") == expected


def test_days_that_would_move_to_one_day_are_served_once() -> None:
    """1 to 7 October are off; the eighth belongs to the daily plan already."""
    found = table("FREQ=DAILY", HolidayPolicy.MOVE, "2026-09-30", "2026-10-08")
    assert found[0] == ("09-30", "09-30", "due")
    assert {fate for _, _, fate in found[1:8]} == {"merged"}
    assert found[8] == ("10-08", "10-08", "due")


def test_several_days_of_one_holiday_move_to_one_working_day_together() -> None:
    found = table("FREQ=WEEKLY;BYDAY=FR,MO,WE", HolidayPolicy.MOVE, "2026-10-01", "2026-10-09")
    assert found == [
        ("10-02", "10-08", "moved"),
        ("10-05", "10-05", "merged"),
        ("10-07", "10-07", "merged"),
        ("10-09", "10-09", "due"),
    ]


def test_an_ordinary_weekend_is_no_holiday_and_a_worked_one_is_no_reason_to_come() -> None:
    found = table("FREQ=WEEKLY;BYDAY=SA,SU", HolidayPolicy.SKIP, "2026-02-07", "2026-03-01")
    assert found == [
        ("02-07", "02-07", "due"),
        ("02-08", "02-08", "due"),
        ("02-14", "02-14", "due"),  # worked, and the plan has it
        ("02-15", "02-15", "skipped"),
        ("02-21", "02-21", "skipped"),
        ("02-22", "02-22", "skipped"),
        ("02-28", "02-28", "due"),
        ("03-01", "03-01", "due"),
    ]


def test_a_day_put_in_by_hand_is_meant_as_it_is() -> None:
    holiday = frozenset({date(2026, 10, 1)})
    found = table("FREQ=WEEKLY;BYDAY=TU", HolidayPolicy.SKIP, "2026-10-01", "2026-10-06", rdates=holiday)
    assert found == [("10-01", "10-01", "due"), ("10-06", "10-06", "skipped")]


def test_nothing_moves_beyond_the_end() -> None:
    found = table(
        "FREQ=WEEKLY;BYDAY=TU", HolidayPolicy.MOVE, "2026-10-06", "2026-10-06", ends_on=date(2026, 10, 7)
    )
    assert found == [("10-06", "10-06", "merged")]


def test_a_pause_counts_by_the_day_of_service() -> None:
    pause = [(date(2026, 10, 8), date(2026, 10, 8))]
    found = table("FREQ=WEEKLY;BYDAY=TU", HolidayPolicy.MOVE, "2026-10-06", "2026-10-13", pauses=pause)
    assert found == [("10-06", "10-08", "paused"), ("10-13", "10-13", "due")]
    open_end = [(date(2026, 10, 9), None)]
    found = table("FREQ=WEEKLY;BYDAY=TU", HolidayPolicy.KEEP, "2026-10-06", "2026-10-20", pauses=open_end)
    assert [fate for _, _, fate in found] == ["due", "paused", "paused"]


def test_what_becomes_of_a_day_does_not_depend_on_where_one_looks() -> None:
    first, last = date(2026, 1, 1), date(2026, 12, 31)
    for rule in ("FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,WE,FR", "FREQ=MONTHLY;BYMONTHDAY=1,-1"):
        recurrence = Recurrence(rule, date(2025, 12, 1))
        whole = planned_days(recurrence, HolidayPolicy.MOVE, [], first, last)
        by_day = [
            one
            for n in range((last - first).days + 1)
            for one in planned_days(recurrence, HolidayPolicy.MOVE, [], first + timedelta(n), first + timedelta(n))
        ]
        assert by_day == whole
        served = [one.service_day for one in whole if one.fate in (Fate.DUE, Fate.MOVED)]
        assert len(served) == len(set(served)), "nobody comes twice on a day"


def test_hours_are_local_and_the_zone_never_jumps() -> None:
    """Mainland China has had no summer time since 1991: nine o'clock is 01:00 UTC on every day."""
    for day in (date(2026, 3, 29), date(2026, 10, 25), date(2028, 2, 29)):
        ((start, end),) = moments(day, [["09:00", "11:30"]])
        assert start.astimezone(UTC) == datetime(day.year, day.month, day.day, 1, 0, tzinfo=UTC)
        assert end - start == timedelta(minutes=150)
