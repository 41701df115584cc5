"""When readings raise an alarm, and when not again: tables of readings and what follows."""

from datetime import timedelta
from typing import Any

import pytest

from services.alerts.states import Severity
from services.rules.definitions import EARLY_WARNING
from services.rules.evaluation import ActiveRule, Raised, decide, decide_score
from tests.services.rules.rulebook import START, active, every, minute

RULE = active()
LIVING = tuple(140.0 + i % 3 for i in range(60))
EARLY = {
    "kind": EARLY_WARNING,
    "code": "score",
    "alert": "early_warning",
    "rearm_minutes": 240,
    "condition": {"type": "early_warning", "at_least": 2},
    "levels": [
        {"severity": "warning", "limits": {"total": 5}},
        {"severity": "high", "limits": {"total": 7}},
    ],
}


def alarms(rule: ActiveRule, values: tuple[float, ...], minutes: float = 1, **known: Any) -> list[float]:
    """At which minutes it raises something."""
    return [minute(one.at) for one in decide(rule, every(minutes, values), known.get("earlier", ()), START)]


@pytest.mark.parametrize(
    ("values", "raised"),
    [
        ((150, 150, 150), [2]),
        ((150, 150, 150, 150, 150), [2]),  # goes on: told once
        ((150, 150, 150, 128, 129, 150, 150, 150), [2]),  # within the margin is no recovery
        ((150, 150, 150, 90, 150, 150, 150), [2]),  # one good reading is no recovery
        ((150, 150, 150, 90, 90, 150, 150, 150), [2, 7]),
        ((150, 150, 150, 90, 90, 30, 30, 30), [2, 7]),
        ((150, 150, 150, 30, 30, 30), [2, 5]),  # the other side is news at once
        ((150, 150, 150, 90, 90, 150, 80, 80), [2]),  # a new alarm needs its own persistence
        (LIVING[:40], [2, 32]),  # the re-arm time
        ((80, 150, 80, 80, 150, 80, 80, 80, 150), []),
    ],
)
def test_persistence_hysteresis_and_rearm(values: tuple[float, ...], raised: list[float]) -> None:
    assert alarms(RULE, values) == raised


def test_a_graver_level_is_news_and_a_milder_one_is_not() -> None:
    rule = active(
        levels=[
            {"severity": "warning", "limits": {"high": 110}},
            {"severity": "high", "limits": {"high": 131}},
        ]
    )
    found = decide(rule, every(1, (115, 115, 115, 140, 140, 140, 115, 115, 115)), (), START)
    assert [(minute(one.at), one.severity) for one in found] == [(2, Severity.WARNING), (5, Severity.HIGH)]


def test_what_was_raised_before_counts() -> None:
    earlier = [Raised(START - timedelta(minutes=10), int(Severity.HIGH), "high")]
    assert alarms(RULE, (150, 150, 150), earlier=earlier) == []
    assert alarms(RULE, LIVING[:25], earlier=earlier) == [20]


def test_readings_that_come_late_are_judged_in_their_place() -> None:
    readings = every(1, (150, 150, 150, 80, 80))
    assert [minute(one.at) for one in decide(RULE, readings, (), readings[1].at)] == [2]
    told = [Raised(readings[4].at, int(Severity.HIGH), "high")]
    assert decide(RULE, readings, told, readings[1].at) == [], "what came after has been told already"


@pytest.mark.parametrize("seconds", [1, 5, 10, 60, 300])
def test_the_sampling_rate_does_not_decide(seconds: int) -> None:
    """Ten minutes of a fast heart are raised at any rate; twenty seconds of noise at none."""
    rule = active(condition={**N_SECONDS, "settled_minutes": 5})
    real = every(seconds / 60, (150,) * (600 // seconds + 1))
    [raised] = decide(rule, real, (), START)
    assert minute(raised.at) <= 5
    noise = every(seconds / 60, (80,) * 60 + (150,) * (20 // seconds) + (80,) * 60)
    assert decide(rule, noise, (), START) == []


N_SECONDS = {"type": "n_of_m", "needed": 3, "of": 5, "within_minutes": 60, "every_seconds": 30}


def test_readings_at_irregular_times() -> None:
    rule = active(condition=N_SECONDS)
    points = [*every(0.01, (150,) * 5), *every(0.01, (150,) * 5, START + timedelta(minutes=3))]
    assert decide(rule, points, (), START) == [], "two moments, whatever the number of readings"
    points += every(0.01, (150,), START + timedelta(minutes=11))
    assert [minute(one.at) for one in decide(rule, points, (), START)] == [11]


@pytest.mark.parametrize(
    ("hours", "days", "raised"),
    [
        ([[8, 20]], [], True),  # it is eight in the morning in Changsha
        ([[9, 20]], [], False),
        ([[22, 9]], [], True),  # over midnight
        ([[22, 7]], [], False),
        ([], [7], True),
        ([], [1, 2, 3, 4, 5, 6], False),
        ([[0, 24]], [7], True),
    ],
)
def test_schedule(hours: list[list[int]], days: list[int], raised: bool) -> None:
    rule = active(schedule={"hours": hours, "days": days})
    assert bool(alarms(rule, (150, 150, 150))) is raised


THRESHOLD = active(condition={"type": "threshold"})


@pytest.mark.parametrize(
    ("values", "raised"),
    [
        ((80, 80, 150, 80, 80), [2]),  # the newest cannot be denied yet: a threshold is for measured on purpose
        ((150, 80), [0]),
    ],
)
def test_a_threshold_takes_the_newest_as_it_is(values: tuple[float, ...], raised: list[float]) -> None:
    assert alarms(THRESHOLD, values) == raised


def test_a_lone_spike_does_not_count_towards_persistence() -> None:
    rule = active(condition={"type": "n_of_m", "needed": 2, "of": 5})
    assert alarms(rule, (80, 150, 81, 80, 150)) == [], "the first 150 is denied by both neighbours"
    assert alarms(rule, (80, 150, 150)) == [2]
    assert alarms(rule, (80, 118, 150, 150)) == [3]


def test_a_stuck_sensor_raises_nothing_more() -> None:
    rule = active(rearm_minutes=10)
    assert alarms(rule, LIVING) == [2, 12, 22, 32, 42, 52]
    assert alarms(rule, (140,) * 60) == [2, 12], "the same to the tenth for twenty minutes is no heart"


def test_partial_score() -> None:
    readings = {
        "heart_rate": every(10, (70, 115, 115, 115)),
        "spo2": every(10, (97, 91, 91, 91)),
        "respiratory_rate": every(10, (16, 16, 16, 30)),
    }
    found = decide_score(active(**EARLY), readings, (), START)
    assert [(minute(one.at), one.severity) for one in found] == [(20, Severity.WARNING)]
    assert found[0].score is not None
    assert found[0].score.parts == {"heart_rate": 2, "spo2": 3, "respiratory_rate": 0}
    assert not found[0].score.complete


def test_a_partial_score_that_gets_worse_is_news() -> None:
    readings = {
        "heart_rate": every(10, (115,) * 6),
        "spo2": every(10, (91,) * 6),
        "respiratory_rate": every(10, (16, 16, 16, 30, 30, 30)),
    }
    found = decide_score(active(**EARLY), readings, (), START)
    assert [one.severity for one in found] == [Severity.WARNING, Severity.HIGH]
