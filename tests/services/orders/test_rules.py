"""The window, by a table, and the name on the wall."""

from datetime import UTC, datetime, timedelta

import pytest

from services.orders.rules import masked_name, order_limits, window_problem

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "minutes", "expected"),
    [
        (timedelta(seconds=1), timedelta(seconds=3601), 60, None),
        (timedelta(0), timedelta(hours=2), 60, "in_the_past"),
        (timedelta(hours=-1), timedelta(hours=2), 60, "in_the_past"),
        (timedelta(hours=1), timedelta(hours=2), 60, None),
        (timedelta(hours=1), timedelta(hours=1, minutes=59), 60, "too_short"),
        (timedelta(hours=2), timedelta(hours=1), 60, "too_short"),
        (timedelta(days=89), timedelta(days=90), 60, None),
        (timedelta(days=89), timedelta(days=90, seconds=1), 60, "too_far_ahead"),
    ],
)
def test_windows(start: timedelta, end: timedelta, minutes: int, expected: str | None) -> None:
    assert window_problem(NOW, NOW + start, NOW + end, minutes, order_limits()) == expected


@pytest.mark.parametrize(("name", "shown"), [("王秀英", "王**"), ("李兰", "李*"), ("", ""), ("李", "李")])
def test_masked_names(name: str, shown: str) -> None:
    assert masked_name(name) == shown
