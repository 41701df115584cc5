"""The partial score: every band of the chart, and what is missing."""

from datetime import UTC, datetime, timedelta

import pytest

from services.rules.news2 import CHART, KINDS, Measured, partial_score

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)


def one(value: float, minutes: float = 1) -> list[Measured]:
    return [Measured(NOW - timedelta(minutes=minutes), value)]


@pytest.mark.parametrize(
    ("kind", "scores"),
    [
        ("respiratory_rate", {8: 3, 9: 1, 11: 1, 12: 0, 20: 0, 21: 2, 24: 2, 25: 3}),
        ("spo2", {91: 3, 92: 2, 93: 2, 94: 1, 95: 1, 96: 0, 100: 0}),
        ("systolic_bp", {90: 3, 91: 2, 100: 2, 101: 1, 110: 1, 111: 0, 219: 0, 220: 3}),
        ("heart_rate", {40: 3, 41: 1, 50: 1, 51: 0, 90: 0, 91: 1, 110: 1, 111: 2, 130: 2, 131: 3}),
        ("temperature", {35.0: 3, 35.1: 1, 36.0: 1, 36.1: 0, 38.0: 0, 38.1: 1, 39.0: 1, 39.1: 2}),
    ],
)
def test_every_band_of_the_chart(kind: str, scores: dict[float, int]) -> None:
    assert {value: partial_score({kind: one(value)}, NOW).parts[kind] for value in scores} == scores


def test_scale_2_is_for_those_whose_clinician_set_it() -> None:
    wanted = {83: 3, 84: 2, 85: 2, 86: 1, 87: 1, 88: 0, 92: 0, 97: 0}
    assert {v: partial_score({"spo2": one(v)}, NOW, scale_2=True).parts["spo2"] for v in wanted} == wanted


def test_what_is_not_measured_is_named_and_never_0() -> None:
    score = partial_score({"heart_rate": one(120), "spo2": one(90), "temperature": []}, NOW)
    assert score.parts == {"heart_rate": 2, "spo2": 3}
    assert (score.total, score.highest, score.complete) == (5, 3, False)
    assert set(score.missing) == {
        "respiratory_rate",
        "systolic_bp",
        "temperature",
        "air_or_oxygen",
        "consciousness",
    }


def test_all_that_a_terminal_can_measure_is_still_no_full_score() -> None:
    normal = {"respiratory_rate": 16, "spo2": 97, "systolic_bp": 130, "heart_rate": 70, "temperature": 36.6}
    score = partial_score({kind: one(value) for kind, value in normal.items()}, NOW)
    assert score.parts == dict.fromkeys(KINDS, 0)
    assert not score.complete
    assert set(score.missing) == {"air_or_oxygen", "consciousness"}


def test_an_old_reading_does_not_count() -> None:
    assert "spo2" in partial_score({"spo2": one(90, 59)}, NOW).parts
    assert "spo2" in partial_score({"spo2": one(90, 61)}, NOW).missing


@pytest.mark.parametrize(
    ("values", "score"),
    [((140, 70, 70), 0), ((140, 140, 70), 3), ((140, 70), 0), ((140,), 3), ((70, 70, 140, 140), 3)],
)
def test_one_outlier_makes_no_score(values: tuple[float, ...], score: int) -> None:
    readings = [Measured(NOW - timedelta(minutes=len(values) - i), value) for i, value in enumerate(values)]
    assert partial_score({"heart_rate": readings}, NOW).parts["heart_rate"] == score


@pytest.mark.parametrize("kind", KINDS)
def test_a_calm_value_scores_0_and_one_that_scores_is_never_calm(kind: str) -> None:
    parameter = CHART.parameters[kind]
    low, high = parameter.calm()
    for step in range(100, 3000):
        value = step / 10
        if low < value < high:
            assert parameter.score(value) == 0, value


def test_the_chart_names_its_source() -> None:
    assert "Royal College of Physicians" in CHART.source
    assert CHART.version
