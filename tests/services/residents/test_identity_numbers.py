"""Identity numbers (GB 11643-1999) and phone numbers."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.residents.identity_numbers import (
    age_on,
    check_character,
    normalise_contact_phone,
    normalise_phone,
    parse_identity_number,
)
from services.residents.models import Gender

TODAY = date(2026, 11, 22)
STANDARD = "11010519491231002X"
"""The example in the standard's own text."""


def test_the_standards_example() -> None:
    read = parse_identity_number(STANDARD, TODAY)
    assert read is not None
    assert (read.number, read.area_code, read.birth_date, read.gender) == (
        STANDARD,
        "110105",
        date(1949, 12, 31),
        Gender.FEMALE,
    )


@pytest.mark.parametrize("text", ["11010519491231002x", " 110105 19491231 002X\n", "11010519491231002X"])
def test_ways_of_writing_it(text: str) -> None:
    read = parse_identity_number(text, TODAY)
    assert read is not None
    assert read.number == STANDARD


@pytest.mark.parametrize(
    "text",
    [
        "",
        "110105491231002",  # the old fifteen characters
        "110105194912310021",  # wrong check character
        "11010519491231002",
        "11010519491231002XX",
        "01010519491231002X",
        "1101051949123100XX",
        "110105194902290025",  # no such day
        "11010519491331002X",
        "X1010519491231002X",
        "１１",
    ],
)
def test_wrong_numbers(text: str) -> None:
    assert parse_identity_number(text, TODAY) is None


def number(first_17: str) -> str:
    """Seventeen digits with their check character."""
    return first_17 + check_character(first_17)


def test_impossible_days_are_refused_even_with_a_right_check_character() -> None:
    assert parse_identity_number(number("43012119490230001"), TODAY) is None
    assert parse_identity_number(number("43012118991231001"), TODAY) is None
    assert parse_identity_number(number("43012120261123001"), TODAY) is None
    assert parse_identity_number(number("43012120261122001"), TODAY) is not None


@pytest.mark.parametrize(("sequence", "gender"), [("001", Gender.MALE), ("002", Gender.FEMALE)])
def test_an_odd_sequence_is_a_mans(sequence: str, gender: Gender) -> None:
    read = parse_identity_number(number(f"43012119440506{sequence}"), TODAY)
    assert read is not None
    assert read.gender is gender


@given(st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_never_passes(place: int, shift: int) -> None:
    digits = list(STANDARD)
    digits[place] = str((int(digits[place]) + shift) % 10)
    assert parse_identity_number("".join(digits), TODAY) is None


@given(st.integers(0, 15))
def test_two_swapped_digits_never_pass(place: int) -> None:
    digits = list(STANDARD)
    digits[place], digits[place + 1] = digits[place + 1], digits[place]
    swapped = "".join(digits)
    assert swapped == STANDARD or parse_identity_number(swapped, TODAY) is None


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("13800001234", "13800001234"),
        ("+8613800001234", "13800001234"),
        ("008613800001234", "13800001234"),
        ("8613800001234", "13800001234"),
        (" 138 0000-1234 ", "13800001234"),
        ("+86 (138) 0000 1234", "13800001234"),
        ("１３８００００１２３４", "13800001234"),
        ("8613800001", None),
        ("12800001234", None),
        ("1380000123", None),
        ("138000012345", None),
        ("+113800001234", None),
        ("0731-84010000", None),
        ("1380000123a", None),
        ("", None),
    ],
)
def test_mobile_numbers(text: str, phone: str | None) -> None:
    assert normalise_phone(text) == phone


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("0731-84010000", "073184010000"),
        ("(0731) 84010000", "073184010000"),
        ("010-62770000", "01062770000"),
        ("13800001234", "13800001234"),
        ("84010000", None),
        ("0731-04010000", None),
        ("120", None),
    ],
)
def test_contact_numbers(text: str, phone: str | None) -> None:
    assert normalise_contact_phone(text) == phone


@pytest.mark.parametrize(
    ("born", "age"), [(date(1944, 11, 22), 82), (date(1944, 11, 23), 81), (date(1944, 2, 29), 82)]
)
def test_age(born: date, age: int) -> None:
    assert age_on(born, TODAY) == age
