"""Every kind of condition by a table: readings, and whether the newest meets it."""

from datetime import timedelta
from typing import Any, get_args

import pytest

from services.rules.conditions import (
    AnyCondition,
    Condition,
    Duration,
    EarlyWarning,
    MissingData,
    NOfM,
    RateOfChange,
    Threshold,
)
from services.rules.news2 import PartialScore
from tests.services.rules.rulebook import every

LIMITS = {"low": 40.0, "high": 131.0}


def reached(condition: Condition, limits: dict[str, float], values: tuple[float, ...], minutes: float = 1) -> Any:
    return condition.reached(limits, every(minutes, values))


@pytest.mark.parametrize(
    ("value", "side"), [(131, "high"), (130.9, None), (40, "low"), (40.1, None), (20, "low"), (200, "high")]
)
def test_threshold(value: float, side: str | None) -> None:
    assert reached(Threshold(), LIMITS, (80, value)) == side


@pytest.mark.parametrize(
    ("values", "side"),
    [
        ((140,), None),  # one high reading is an artefact until it persists
        ((140, 80, 140), None),
        ((140, 80, 140, 80, 140), "high"),  # 3 of 5
        ((140, 140, 140), "high"),
        ((131, 131, 131), "high"),  # the limit itself
        ((130, 130, 130), None),
        ((40, 40, 40), "low"),
        ((140, 140, 140, 80), None),  # the newest must be beyond itself
        ((140, 140, 80, 80, 80, 80, 140), None),  # only the last five count
        ((140, 30, 140, 30, 140), "high"),  # each side is counted for itself
        ((140, 140, 30), None),
    ],
)
def test_n_of_m(values: tuple[float, ...], side: str | None) -> None:
    assert reached(NOfM(needed=3, of=5), LIMITS, values) == side


def test_n_of_m_forgets_what_is_too_old() -> None:
    condition = NOfM(needed=3, of=5, within_minutes=60)
    assert reached(condition, LIMITS, (140, 140, 140), 29) == "high"
    assert reached(condition, LIMITS, (140, 140, 140), 31) is None


@pytest.mark.parametrize(
    ("values", "minutes", "side"),
    [
        ((140, 140), 10, "high"),  # a slow sensor: two in a row over ten minutes
        ((140, 140), 4, None),
        ((140, 80, 140), 10, None),
        ((140, 140), 61, None),  # the first is too old to count
    ],
)
def test_n_of_m_that_has_settled(values: tuple[float, ...], minutes: float, side: str | None) -> None:
    assert reached(NOfM(needed=3, of=5, settled_minutes=5), LIMITS, values, minutes) == side


@pytest.mark.parametrize(
    ("values", "minutes", "side"),
    [
        ((140,) * 11, 1, "high"),
        ((140,) * 10, 1, None),  # nine minutes
        ((140,) * 5 + (100,) + (140,) * 10, 1, None),
        ((80, *(140,) * 11), 1, "high"),
        ((140, 140), 14, "high"),
        ((140, 140), 16, None),  # too long a hole to know
        ((30,) * 11, 1, "low"),
        ((140,) * 10 + (30,), 1, None),
    ],
)
def test_duration(values: tuple[float, ...], minutes: float, side: str | None) -> None:
    assert reached(Duration(minutes=10, gap_minutes=15), LIMITS, values, minutes) == side


@pytest.mark.parametrize(
    ("limits", "values", "side"),
    [
        ({"fall": 4, "low": 94}, (98, 97, 94), "low"),
        ({"fall": 4, "low": 94}, (98, 97, 95), None),  # has fallen by three, and 95 is still fine
        ({"fall": 4, "low": 94}, (96, 95, 94), None),
        ({"fall": 4, "low": 94}, (99, *(95,) * 11, 94), None),  # 99 is longer ago than ten minutes
        ({"rise": 40, "high": 110}, (70, 90, 112), "high"),
        ({"rise": 40, "high": 110}, (80, 90, 112), None),
        ({"rise": 40, "high": 110}, (112,), None),
        ({"rise": 40, "high": 110, "fall": 30, "low": 50}, (90, 45), "low"),
    ],
)
def test_rate_of_change(limits: dict[str, float], values: tuple[float, ...], side: str | None) -> None:
    assert reached(RateOfChange(minutes=10), limits, values) == side


@pytest.mark.parametrize(("hours", "silent"), [(11.9, False), (12, True), (30, True)])
def test_missing_data(hours: float, silent: bool) -> None:
    assert MissingData().silent({"minutes": 720}, timedelta(hours=hours)) is silent


@pytest.mark.parametrize(
    ("limits", "parts", "met"),
    [
        ({"total": 5}, {"heart_rate": 2, "spo2": 3}, True),
        ({"total": 5}, {"heart_rate": 2, "spo2": 2}, False),
        ({"total": 5}, {"heart_rate": 3, "spo2": 2, "temperature": 0}, True),
        ({"single": 3}, {"heart_rate": 3, "spo2": 0}, True),
        ({"single": 3}, {"heart_rate": 2, "spo2": 2}, False),
        ({"single": 3}, {"heart_rate": 3}, False),  # one kind alone is no score
        ({"total": 7}, {"heart_rate": 3, "spo2": 3, "respiratory_rate": 1}, True),
    ],
)
def test_early_warning(limits: dict[str, float], parts: dict[str, int], met: bool) -> None:
    assert EarlyWarning(at_least=2).met(limits, PartialScore(parts, ())) is met


@pytest.mark.parametrize(
    ("condition", "limits"),
    [
        (Threshold(), LIMITS),
        (NOfM(needed=1, of=1), {"high": 131.0}),
        (Duration(minutes=1), LIMITS),
        (RateOfChange(minutes=10), {"rise": 1.0, "high": 100.0}),
    ],
)
def test_nothing_inside_the_gate_meets_a_condition(condition: Condition, limits: dict[str, float]) -> None:
    low, high = condition.gate(limits)
    for value in range(1, 300):
        if low < value < high:
            assert reached(condition, limits, (300, 1, value, value, value)) is None


def test_every_condition_is_in_the_registry_and_has_its_name() -> None:
    registered = get_args(get_args(AnyCondition)[0])
    assert set(registered) == set(Condition.__subclasses__())
    names = [kind.model_fields["type"].default for kind in registered]
    assert len(set(names)) == len(names)
