"""A stream's own rhythm, read from its last arrivals."""

from datetime import UTC, datetime, timedelta

import pytest

from services.supervision.figures import FIGURES
from services.supervision.rhythm import rhythm_of

START = datetime(2026, 11, 22, 8, tzinfo=UTC)


def at(*seconds: float) -> list[datetime]:
    return [START + timedelta(seconds=second) for second in seconds]


def steady(count: int, gap: float) -> list[float]:
    return [number * gap for number in range(count)]


def test_a_monitor_that_sends_every_ten_seconds() -> None:
    times = at(*steady(30, 10))
    assert rhythm_of(times, times, FIGURES.rhythm) == 10


def test_measured_every_ten_seconds_and_sent_once_a_minute() -> None:
    measured = steady(180, 10)
    received = [(second // 60 + 1) * 60 for second in measured]
    assert rhythm_of(at(*measured), at(*received), FIGURES.rhythm) == 60


def test_a_memory_emptied_at_once_tells_nothing_of_its_sending() -> None:
    measured = steady(180, 10)
    received = [4000 + number // 10 * 0.05 for number in range(180)]
    assert rhythm_of(at(*measured), at(*received), FIGURES.rhythm) == 10


@pytest.mark.parametrize(
    "seconds",
    [
        steady(8, 10),  # too few to tell
        [day * 86400 + minute * 60 for day in range(7) for minute in range(3)],  # a cuff used in the morning
        steady(20, 7200),  # slower than anything that is worth watching
        [0.0] * 30,
        [],
    ],
    ids=["few", "cuff", "slow", "one moment", "none"],
)
def test_what_keeps_no_rhythm(seconds: list[float]) -> None:
    assert rhythm_of(at(*seconds), at(*seconds), FIGURES.rhythm) is None


def test_one_gap_among_many_is_forgiven() -> None:
    seconds = [*steady(15, 60), *(40_000 + second for second in steady(10, 60))]
    assert rhythm_of(at(*seconds), at(*seconds), FIGURES.rhythm) == 60


def test_large_batches_seen_a_few_times_tell_nothing() -> None:
    measured = steady(200, 10)
    received = [(second // 900 + 1) * 900 for second in measured]
    assert rhythm_of(at(*measured), at(*received), FIGURES.rhythm) is None
