"""Patterns, rotation, replacements and gaps, by tables. Days and hours are Shanghai's."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from services.duty.models import ShiftPattern
from services.duty.roster import (
    Replacement,
    Rota,
    Span,
    gaps,
    has_at_all,
    has_throughout,
    is_in_force,
    next_change,
    on_duty_at,
    spans,
    with_replacements,
)

A, B, C = (UUID(int=number) for number in (1, 2, 3))
ROTA = UUID(int=99)
SHANGHAI = ZoneInfo("Asia/Shanghai")
EVERY_DAY = [1, 2, 3, 4, 5, 6, 7]


def at(words: str) -> datetime:
    """``2026-11-23 20:00`` in Shanghai. The 23rd of November 2026 is a Monday."""
    return datetime.fromisoformat(words).replace(tzinfo=SHANGHAI).astimezone(UTC)


def rota(*shifts: ShiftPattern, since: date = date(2026, 11, 23), until: date | None = None) -> Rota:
    return Rota(ROTA, shifts, since, until)


def shift(starts: str, ends: str, *turns: list[UUID], days: list[int] | None = None) -> ShiftPattern:
    return ShiftPattern(name="班", weekdays=days or EVERY_DAY, starts=starts, ends=ends, turns=list(turns))


def who(one: Rota, moment: datetime, *replacements: Replacement) -> set[UUID]:
    planned = spans(one, moment, moment + timedelta(seconds=1))
    return set(on_duty_at(with_replacements(one.id, planned, replacements), moment))


DAY_AND_NIGHT = rota(shift("08:00", "20:00", [A]), shift("20:00", "08:00", [B]))


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-11-23 07:59", set()),  # the rota's first day: nobody's night before it
        ("2026-11-23 08:00", {A}),
        ("2026-11-23 19:59", {A}),
        ("2026-11-23 20:00", {B}),
        ("2026-11-23 23:59", {B}),
        ("2026-11-24 00:00", {B}),
        ("2026-11-24 07:59", {B}),
        ("2026-11-24 08:00", {A}),
    ],
)
def test_shifts_across_midnight(moment: str, expected: set[UUID]) -> None:
    assert who(DAY_AND_NIGHT, at(moment)) == expected


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-11-29 23:59", set()),
        ("2026-11-30 00:00", {A}),  # Monday
        ("2026-11-30 23:59", {A}),
        ("2026-12-01 00:00", set()),
    ],
)
def test_the_same_hour_twice_is_a_whole_day(moment: str, expected: set[UUID]) -> None:
    assert who(rota(shift("00:00", "00:00", [A], days=[1])), at(moment)) == expected


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-11-25 09:00", {A}),  # begun on a Wednesday: the rest of that week is the first turn
        ("2026-11-29 09:00", {A}),
        ("2026-11-30 09:00", {B}),
        ("2026-12-07 09:00", {C}),
        ("2026-12-14 09:00", {A}),
        ("2026-12-20 23:00", {A}),
        ("2026-12-21 00:30", {A}),  # Sunday's night belongs to the week in which it begins
        ("2026-12-21 08:30", {B}),
    ],
)
def test_turns_go_round_week_by_week(moment: str, expected: set[UUID]) -> None:
    one = rota(shift("08:00", "08:00", [A], [B], [C]), since=date(2026, 11, 25))
    assert who(one, at(moment)) == expected


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-11-22 23:59", False),
        ("2026-11-23 00:00", True),
        ("2026-11-24 23:59", True),
        ("2026-11-25 07:59", True),  # the last night runs out
        ("2026-11-25 08:00", False),
    ],
)
def test_a_rota_speaks_until_its_last_shift_is_over(moment: str, expected: bool) -> None:
    assert is_in_force(rota(*DAY_AND_NIGHT.shifts, until=date(2026, 11, 24)), at(moment)) is expected


def test_nobody_in_a_turn_is_nobody() -> None:
    assert who(rota(shift("08:00", "20:00", [], [A])), at("2026-11-23 09:00")) == set()


def instead(absent: UUID | None, present: UUID | None, starts: str, ends: str) -> Replacement:
    return Replacement(ROTA, absent, present, at(starts), at(ends))


@pytest.mark.parametrize(
    ("moment", "replacements", "expected"),
    [
        ("2026-11-23 09:00", [instead(A, C, "2026-11-23 10:00", "2026-11-23 12:00")], {A}),
        ("2026-11-23 10:00", [instead(A, C, "2026-11-23 10:00", "2026-11-23 12:00")], {C}),
        ("2026-11-23 12:00", [instead(A, C, "2026-11-23 10:00", "2026-11-23 12:00")], {A}),
        # For what he really had only: C does not get B's night with it.
        ("2026-11-23 21:00", [instead(A, C, "2026-11-23 08:00", "2026-11-24 08:00")], {B}),
        ("2026-11-24 01:00", [instead(B, C, "2026-11-24 00:00", "2026-11-24 02:00")], {C}),
        ("2026-11-23 10:00", [instead(A, None, "2026-11-23 10:00", "2026-11-23 12:00")], set()),
        ("2026-11-23 10:00", [instead(None, C, "2026-11-23 10:00", "2026-11-23 12:00")], {A, C}),
        # The replacement is replaced in his turn.
        (
            "2026-11-23 11:00",
            [
                instead(A, C, "2026-11-23 10:00", "2026-11-23 12:00"),
                instead(C, B, "2026-11-23 11:00", "2026-11-23 12:00"),
            ],
            {B},
        ),
    ],
)
def test_replacements(moment: str, replacements: list[Replacement], expected: set[UUID]) -> None:
    assert who(DAY_AND_NIGHT, at(moment), *replacements) == expected


def test_a_replacement_in_another_rota_changes_nothing() -> None:
    other = Replacement(UUID(int=7), A, C, at("2026-11-23 10:00"), at("2026-11-23 12:00"))
    assert who(DAY_AND_NIGHT, at("2026-11-23 11:00"), other) == {A}


@pytest.mark.parametrize(
    ("shifts", "expected"),
    [
        (DAY_AND_NIGHT.shifts, []),
        (
            (shift("08:00", "02:00", [A]),),
            [
                ("2026-11-24 02:00", "2026-11-24 08:00"),
                ("2026-11-25 02:00", "2026-11-25 08:00"),
            ],
        ),
        (
            (shift("08:00", "20:00", [A], days=[1]), shift("18:00", "08:00", [B], days=[2])),
            [("2026-11-23 20:00", "2026-11-24 18:00"), ("2026-11-25 08:00", "2026-11-25 12:00")],
        ),
    ],
)
def test_gaps(shifts: tuple[ShiftPattern, ...], expected: list[tuple[str, str]]) -> None:
    begin, end = at("2026-11-23 08:00"), at("2026-11-25 12:00")
    found = gaps(spans(rota(*shifts), begin, end), begin, end)
    assert found == [(at(start), at(stop)) for start, stop in expected]


def test_without_a_shift_everything_is_a_gap() -> None:
    begin, end = at("2026-11-23 08:00"), at("2026-11-25 12:00")
    assert gaps([], begin, end) == [(begin, end)]


def test_until_when_and_what_next() -> None:
    begin, end = at("2026-11-23 09:00"), at("2026-12-07 09:00")
    everything = spans(DAY_AND_NIGHT, begin, end)
    assert on_duty_at(everything, begin) == {A: at("2026-11-23 20:00")}
    assert next_change(everything, begin) == at("2026-11-23 20:00")
    # Two shifts in a row of the same person are no change.
    double = [Span(A, at("2026-11-23 08:00"), at("2026-11-23 20:00")), Span(A, at("2026-11-23 20:00"), end)]
    assert on_duty_at(double, begin) == {A: end}
    assert next_change(double, begin) == end


@pytest.mark.parametrize(
    ("begin", "end", "throughout", "at_all"),
    [
        ("2026-11-23 20:00", "2026-11-24 08:00", True, True),
        ("2026-11-23 20:00", "2026-11-24 08:01", False, True),
        ("2026-11-23 08:00", "2026-11-23 20:00", False, False),
    ],
)
def test_what_somebody_has_of_a_stretch(begin: str, end: str, throughout: bool, at_all: bool) -> None:
    planned = spans(DAY_AND_NIGHT, at(begin), at(end))
    assert has_throughout(planned, B, at(begin), at(end)) is throughout
    assert has_at_all(planned, B, at(begin), at(end)) is at_all
