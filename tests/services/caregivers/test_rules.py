"""Working time, weeks, warnings: the pure rules, by tables. Days and hours are Shanghai's."""

from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.caregivers.credentials.expiry import Held, is_renewed, warning_due
from services.caregivers.credentials.service import masked
from services.caregivers.limits import Breach, Stretch, WorkLimits, breaches, load_limits
from services.caregivers.models import ShiftKind
from services.caregivers.rota.models import TemplateShift
from services.caregivers.rota.weeks import (
    Surroundings,
    Wanted,
    expand,
    moved,
    overlaps_within,
    place,
    removed,
    worsened,
)
from tests.services.caregivers.conftest import at

A, B = UUID(int=1), UUID(int=2)
MONDAY, SUNDAY = date(2026, 11, 23), date(2026, 11, 29)
LIMITS = WorkLimits(day_minutes=600, week_minutes=2880, rest_minutes=480)


def span(starts: str, ends: str) -> Stretch:
    return Stretch(at(starts), at(ends))


@pytest.mark.parametrize(
    ("work", "expected"),
    [
        ([], []),
        ([span("2026-11-23 08:00", "2026-11-23 18:00")], []),
        (
            [span("2026-11-23 08:00", "2026-11-23 18:01")],
            [Breach("longest_day", MONDAY, 601, 600)],
        ),
        # A night is one day's work, of the day on which it begins.
        ([span("2026-11-23 22:00", "2026-11-24 06:00"), span("2026-11-24 22:00", "2026-11-25 06:00")], []),
        # Two stretches of a day are added up.
        (
            [span("2026-11-23 06:00", "2026-11-23 12:00"), span("2026-11-23 14:00", "2026-11-23 19:00")],
            [Breach("longest_day", MONDAY, 660, 600)],
        ),
        # 8 h of rest is enough, a minute less is not; a divided day asks for none.
        ([span("2026-11-23 14:00", "2026-11-23 22:00"), span("2026-11-24 06:00", "2026-11-24 10:00")], []),
        (
            [span("2026-11-23 14:00", "2026-11-23 22:01"), span("2026-11-24 06:00", "2026-11-24 10:00")],
            [Breach("least_rest", date(2026, 11, 24), 479, 480)],
        ),
        ([span("2026-11-23 06:00", "2026-11-23 10:00"), span("2026-11-23 11:00", "2026-11-23 15:00")], []),
        # Six days of eight hours are a full week; a seventh is too much.
        ([span(f"2026-11-{day} 08:00", f"2026-11-{day} 16:00") for day in range(23, 29)], []),
        (
            [span(f"2026-11-{day} 08:00", f"2026-11-{day} 16:00") for day in range(23, 30)],
            [Breach("longest_week", MONDAY, 3360, 2880)],
        ),
        # What lies in another week belongs to that week.
        ([span(f"2026-11-{day} 08:00", f"2026-11-{day} 16:00") for day in range(22, 29)], []),
    ],
)
def test_breaches(work: list[Stretch], expected: list[Breach]) -> None:
    assert breaches(LIMITS, work, MONDAY, SUNDAY) == expected


def test_the_general_limits_are_no_law_and_say_so() -> None:
    assert load_limits().verified is False
    assert "default" in load_limits().source


def test_own_limits_replace_the_general_ones_one_by_one() -> None:
    assert LIMITS.with_own(720, None, 0) == WorkLimits(720, 2880, 0)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([], [Breach("longest_day", MONDAY, 700, 600)], [Breach("longest_day", MONDAY, 700, 600)]),
        ([Breach("longest_day", MONDAY, 700, 600)], [Breach("longest_day", MONDAY, 700, 600)], []),
        ([Breach("longest_day", MONDAY, 700, 600)], [Breach("longest_day", MONDAY, 650, 600)], []),
        (
            [Breach("longest_day", MONDAY, 700, 600)],
            [Breach("longest_day", MONDAY, 701, 600)],
            [Breach("longest_day", MONDAY, 701, 600)],
        ),
        ([Breach("least_rest", MONDAY, 400, 480)], [Breach("least_rest", MONDAY, 450, 480)], []),
        (
            [Breach("least_rest", MONDAY, 400, 480)],
            [Breach("least_rest", MONDAY, 300, 480)],
            [Breach("least_rest", MONDAY, 300, 480)],
        ),
    ],
)
def test_only_what_gets_worse_counts(before: list[Breach], after: list[Breach], expected: list[Breach]) -> None:
    assert worsened(before, after) == expected


def shift(weekday: int, starts: str, ends: str) -> TemplateShift:
    return TemplateShift(weekday=weekday, starts=starts, ends=ends)


def test_a_pattern_becomes_a_week() -> None:
    found = expand([shift(7, "22:00", "06:00"), shift(1, "08:00", "12:00"), shift(2, "00:00", "00:00")], MONDAY)
    assert found == [
        (ShiftKind.WORK, span("2026-11-23 08:00", "2026-11-23 12:00")),
        (ShiftKind.WORK, span("2026-11-24 00:00", "2026-11-25 00:00")),
        (ShiftKind.WORK, span("2026-11-29 22:00", "2026-11-30 06:00")),
    ]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ([shift(1, "08:00", "12:00"), shift(1, "12:00", "16:00")], False),
        ([shift(1, "08:00", "12:00"), shift(1, "11:59", "16:00")], True),
        ([shift(1, "22:00", "06:00"), shift(2, "05:00", "09:00")], True),
        # Sunday's night runs into next week's Monday.
        ([shift(7, "22:00", "06:00"), shift(1, "05:00", "09:00")], True),
        ([shift(7, "22:00", "06:00"), shift(1, "06:00", "09:00")], False),
    ],
)
def test_patterns_that_overlap(pattern: list[TemplateShift], expected: bool) -> None:
    assert overlaps_within(pattern) is expected


NOW = at("2026-11-23 09:00")


@pytest.mark.parametrize(
    ("wanted", "around", "expected"),
    [
        (span("2026-11-24 08:00", "2026-11-24 16:00"), {}, None),
        (span("2026-11-23 08:00", "2026-11-23 16:00"), {}, "past"),
        (
            span("2026-11-24 08:00", "2026-11-24 12:00"),
            {"shifts": {A: [span("2026-11-24 18:00", "2026-11-24 20:00")]}},
            "day_taken",
        ),
        (
            span("2026-11-24 05:00", "2026-11-24 12:00"),
            {"shifts": {A: [span("2026-11-23 22:00", "2026-11-24 06:00")]}},
            "overlaps",
        ),
        (
            span("2026-11-24 08:00", "2026-11-24 12:00"),
            {"shifts": {B: [span("2026-11-24 08:00", "2026-11-24 12:00")]}},
            None,
        ),
        (
            span("2026-11-24 08:00", "2026-11-24 12:00"),
            {"absences": {A: [span("2026-11-24 11:00", "2026-11-25 00:00")]}},
            "absent",
        ),
        (
            span("2026-11-24 08:00", "2026-11-24 12:00"),
            {"left_at": {A: at("2026-11-24 11:00")}},
            "left",
        ),
        (span("2026-11-24 08:00", "2026-11-24 12:00"), {"left_at": {A: at("2026-11-24 12:00")}}, None),
    ],
)
def test_what_stands_in_the_way(
    wanted: Stretch, around: dict[str, dict[UUID, object]], expected: str | None
) -> None:
    known = Surroundings(**{"shifts": {}, "absences": {}, "left_at": {}, **around})  # type: ignore[arg-type]
    placed, skipped = place([Wanted(A, ShiftKind.WORK, wanted)], known, NOW)
    assert [one.reason for one in skipped] == ([] if expected is None else [expected])
    assert len(placed) == (1 if expected is None else 0)


def test_both_parts_of_a_divided_day_are_made() -> None:
    parts = [span("2026-11-24 06:00", "2026-11-24 10:00"), span("2026-11-24 15:00", "2026-11-24 19:00")]
    wanted = [Wanted(A, ShiftKind.WORK, one) for one in parts]
    placed, skipped = place(wanted, Surroundings({}, {}, {}), NOW)
    assert ([one.span for one in placed], skipped) == (parts, [])


@given(st.integers(-60, 60), st.integers(0, 23), st.integers(1, 23))
def test_a_moved_shift_keeps_its_hours(weeks: int, hour: int, hours: int) -> None:
    before = span(f"2026-11-23 {hour:02d}:00", f"2026-11-23 {hour:02d}:00")
    before = Stretch(before.starts_at, before.starts_at + timedelta(hours=hours))
    after = moved(before, 7 * weeks)
    assert after.minutes == before.minutes
    assert (after.starts_at.hour, after.starts_at.weekday()) == (hour, 0)


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (None, [("08:00", "16:00")]),
        (("08:00", "16:00"), []),
        (("07:00", "17:00"), []),
        (("09:00", "15:00"), [("08:00", "09:00"), ("15:00", "16:00")]),
        (("12:00", "20:00"), [("08:00", "12:00")]),
        (("16:00", "20:00"), [("08:00", "16:00")]),
    ],
)
def test_what_is_taken_from_a_shift(after: tuple[str, str] | None, expected: list[tuple[str, str]]) -> None:
    def day(hours: tuple[str, str]) -> Stretch:
        return span(f"2026-11-23 {hours[0]}", f"2026-11-23 {hours[1]}")

    found = removed(day(("08:00", "16:00")), None if after is None else day(after))
    assert found == [day(hours) for hours in expected]


def held(until: date, since: date = date(2020, 1, 1), who: UUID = A, kind: str = "nurse_licence") -> Held:
    return Held(uuid4(), who, kind, since, until)


@pytest.mark.parametrize(
    ("left", "expected"),
    [(31, None), (30, 30), (29, 30), (8, 30), (7, 7), (1, 7), (0, 7), (-1, None)],
)
def test_when_somebody_is_warned(left: int, expected: int | None) -> None:
    assert warning_due(held(MONDAY + timedelta(days=left)), MONDAY) == expected


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (held(date(2028, 1, 1), since=date(2026, 12, 2)), True),
        (held(date(2028, 1, 1), since=date(2026, 12, 3)), False),  # a day between
        (held(date(2026, 12, 1), since=date(2026, 1, 1)), False),  # ends on the same day
        (held(date(2028, 1, 1), who=B), False),
        (held(date(2028, 1, 1), kind="health_certificate"), False),
    ],
)
def test_a_renewal_goes_on_without_a_gap(other: Held, expected: bool) -> None:
    assert is_renewed(held(date(2026, 12, 1)), [other]) is expected


def test_a_credential_does_not_renew_itself() -> None:
    one = held(date(2026, 12, 1))
    assert is_renewed(one, [one]) is False


@pytest.mark.parametrize(("number", "expected"), [("12345678", "****5678"), ("12", "*2"), ("1234567", "******7")])
def test_a_number_is_masked(number: str, expected: str) -> None:
    assert masked(number) == expected
