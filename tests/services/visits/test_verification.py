"""The evidence of a visit, by tables. Nothing here can refuse: every rule only names flags."""

from datetime import UTC, datetime, timedelta

import pytest

from services.core.geo import Point, distance_m
from services.visits.verification import (
    Flag,
    Place,
    Stamp,
    care_time,
    code_flags,
    ending_flags,
    place_flags,
    time_flags,
    verification_rules,
)

RULES = verification_rules()
HOME = Point(28.3, 113.2)
NOON = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
METRE = 1 / 111_195
"""Degrees of latitude."""


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("0417", []),
        ("0418", [Flag.WRONG_START_CODE]),
        ("417", [Flag.WRONG_START_CODE]),
        ("", [Flag.MISSING_START_CODE]),
        (None, [Flag.MISSING_START_CODE]),
    ],
)
def test_start_code(told: str | None, expected: list[Flag]) -> None:
    assert code_flags(told, "0417") == expected


@pytest.mark.parametrize(
    ("metres", "accuracy", "expected"),
    [
        (0, None, []),
        (199, 5, []),
        (201, 5, [Flag.FAR_FROM_HOME]),
        (450, 500, []),
        (550, 500, [Flag.FAR_FROM_HOME]),
        (5_000, 99_999, [Flag.FAR_FROM_HOME]),
    ],
)
def test_far_is_beyond_the_limit_or_the_accuracy(
    metres: float, accuracy: float | None, expected: list[Flag]
) -> None:
    place = Place(Point(28.3 + metres * METRE, 113.2), accuracy, is_mock=False)
    assert place_flags(place, HOME, RULES) == expected


def test_no_fix_and_a_made_up_one() -> None:
    assert place_flags(Place(None, None, is_mock=False), HOME, RULES) == [Flag.MISSING_POSITION]
    assert place_flags(Place(HOME, 5, is_mock=True), HOME, RULES) == [Flag.MOCK_LOCATION]


@pytest.mark.parametrize(
    ("device", "sent", "care", "flags"),
    [
        (0, None, 0, []),
        (-4, None, -4, []),
        (-6, None, -6, [Flag.CLOCK_SKEW]),
        (6, None, 0, [Flag.CLOCK_SKEW]),
        (-90, 0, -90, []),  # waited offline; the phone's clock is right
        (-90, -30, -60, [Flag.CLOCK_SKEW]),  # waited offline, and the clock is half an hour slow
        (-60, 30, -90, [Flag.CLOCK_SKEW]),  # waited offline, and the clock is half an hour fast
        (-26 * 60, 0, -26 * 60, [Flag.LATE_UPLOAD]),
    ],
)
def test_the_device_s_own_time_is_the_time_of_care(
    device: float, sent: float | None, care: float, flags: list[Flag]
) -> None:
    stamp = Stamp(NOON + minutes(device), NOON, None if sent is None else NOON + minutes(sent))
    assert care_time(stamp, RULES) == NOON + minutes(care)
    assert time_flags(stamp, NOON - timedelta(days=3), RULES) == flags


def test_nobody_cared_before_the_order_was_placed() -> None:
    """A phone that "waited offline" cannot lengthen a stay into the time before the order."""
    stamp = Stamp(NOON - minutes(90), NOON, NOON)
    assert time_flags(stamp, NOON - minutes(80), RULES) == [Flag.BEFORE_ORDER]
    assert time_flags(stamp, NOON - minutes(86), RULES) == []


@pytest.mark.parametrize(
    ("stay", "done", "expected"),
    [
        (60, {"a", "b"}, []),
        (30, {"a", "b"}, []),
        (29, {"a", "b"}, [Flag.TOO_SHORT]),
        (60, {"a"}, [Flag.TASKS_MISSING]),
        (None, {"a", "b"}, [Flag.NO_CHECK_IN]),
        (-5, set(), [Flag.TOO_SHORT, Flag.TASKS_MISSING]),
    ],
)
def test_what_a_check_out_adds(stay: float | None, done: set[str], expected: list[Flag]) -> None:
    started = None if stay is None else NOON - minutes(stay)
    assert ending_flags(started, NOON, minutes(60), ["a", "b"], done, RULES) == expected


@pytest.mark.parametrize(
    ("there", "metres"),
    [
        (Point(28.3, 113.2), 0),
        (Point(29.3, 113.2), 111_195),
        (Point(28.3, 114.2), 97_904),
        (Point(-28.3, -66.8), 20_015_115),  # the other side of the world
    ],
)
def test_distance_on_the_ground(there: Point, metres: float) -> None:
    assert distance_m(HOME, there) == pytest.approx(metres, rel=1e-3)
