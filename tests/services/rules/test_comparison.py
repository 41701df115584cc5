"""Naive alarms, ours, and the true episodes: each part by itself, then a night made up for the purpose."""

import random
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from devices.recording import read_recording
from ops.cli.comparison import compared
from services.rules.comparison import compare, naive_alarms, true_episodes
from services.rules.definitions import load_rules
from services.rules.layers import Resolved, RuleBook
from services.rules.news2 import Measured
from tests.services.rules.rulebook import START, active, every, minute

NIGHT = Path(__file__).parents[2] / "recordings" / "synthetic_night.csv"
RULES = [active()]


def defaults() -> Resolved:
    return RuleBook(load_rules()).look_up(UUID(int=0), UUID(int=0), "")[0]


@pytest.mark.parametrize(
    ("values", "count"),
    [
        ((80, 150, 80), 1),
        ((80, 150, 150, 80, 150), 2),
        ((80, 0, 0, 80), 1),  # a naive alarm rings for a sensor that is off
        ((150, 30), 1),
        ((80, 80), 0),
        ((), 0),
    ],
)
def test_naive_alarms_are_runs_beyond_a_limit(values: tuple[float, ...], count: int) -> None:
    assert naive_alarms(every(1, values), RULES) == count


@pytest.mark.parametrize(
    ("values", "episodes"),
    [
        ((80,) * 10 + (150,) * 4 + (80,) * 10, []),
        ((80,) * 10 + (150,) * 5 + (80,) * 10, [(12, 17)]),  # the median is beyond from the third on
        ((80,) * 10 + (150, 150, 80) * 3 + (80,) * 10, [(13, 19)]),
        ((150,) * 10, [(0, 9)]),
        ((80,) * 10 + (150,) * 6 + (30,) * 6 + (80,) * 10, [(12, 18), (18, 24)]),
    ],
)
def test_the_reference_is_a_median_that_stays(
    values: tuple[float, ...], episodes: list[tuple[float, float]]
) -> None:
    found = true_episodes("heart_rate", every(1, values), RULES)
    assert [(minute(one.start), minute(one.end)) for one in found] == episodes


def test_a_hole_ends_an_episode() -> None:
    points = [*every(1, (150,) * 6), *every(1, (150,) * 6, START + timedelta(hours=2))]
    found = true_episodes("heart_rate", points, RULES)
    assert [(minute(one.start), minute(one.end)) for one in found] == [(0, 5), (120, 125)]


def test_an_episode_that_is_not_raised_is_missed() -> None:
    deaf = active(condition={"type": "n_of_m", "needed": 50, "of": 60, "within_minutes": 300})
    rules = RuleBook(load_rules().model_copy(update={"rules": (deaf.definition,)}))
    resolved, _ = rules.look_up(UUID(int=0), UUID(int=0), "")
    outcome = compare({"heart_rate": every(1, (80,) * 10 + (150,) * 10 + (80,) * 10)}, resolved)
    [missed] = outcome.missed
    assert (missed.kind, missed.side, missed.late) == ("heart_rate", "high", None)


def test_a_night_with_everything_in_it() -> None:
    with NIGHT.open() as lines:
        outcome, refused = compared(read_recording(lines))
    assert refused == 0
    assert outcome.missed == []
    by_kind = {line.kind: line for line in outcome.kinds}
    counts = {kind: (len(line.episodes), len(line.ours)) for kind, line in by_kind.items()}
    assert counts == {
        "heart_rate": (2, 2),
        "spo2": (2, 2),
        "respiratory_rate": (1, 1),
        "systolic_bp": (0, 0),
        "diastolic_bp": (0, 0),
    }
    late = [episode.late for line in outcome.kinds for episode in line.episodes if episode.late is not None]
    assert max(late) <= timedelta(minutes=1)
    assert sum(line.naive for line in outcome.kinds) > 8 * sum(len(line.ours) for line in outcome.kinds)


@pytest.mark.parametrize(("seconds", "seed"), [(2, 0), (15, 1), (60, 2), (60, 3), (120, 4), (300, 5), (300, 6)])
def test_every_true_episode_is_raised_whatever_the_sampling(seconds: int, seed: int) -> None:
    """A random day: spikes, zeros, holes, and episodes from five minutes to an hour, at any rate."""
    points = _random_day(random.Random(seed), seconds)  # noqa: S311  guards nothing
    outcome = compare({"heart_rate": points}, defaults())
    assert outcome.missed == []
    [line] = outcome.kinds
    assert len(line.ours) <= len(line.episodes) * 2 + 3


def _random_day(draw: random.Random, seconds: int) -> Sequence[Measured]:
    starts = [draw.uniform(0, 650) for _ in range(4)]
    episodes = [(start, start + draw.uniform(6, 60), draw.choice((36, 150))) for start in starts]
    points = []
    for step in range(12 * 3600 // seconds):
        at = step * seconds / 60
        level = next((value for start, end, value in episodes if start <= at < end), 72)
        value = level + draw.uniform(-3, 3)
        chance = draw.random()
        if chance < 0.02:
            value = 0.0
        elif chance < 0.04:
            value = draw.uniform(20, 220)
        if chance < 0.97:
            points.append(Measured(START + timedelta(minutes=at), value))
    return points
