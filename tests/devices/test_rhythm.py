"""Made-up people: repeatable, readable by the codec, and ill when they should be."""

import json
import statistics
from datetime import UTC, datetime, timedelta

import pytest

from devices.codecs.native_json import decode_vitals
from devices.messages import Reading, ReadingKind
from devices.rhythm import Scenario, VitalsRhythm

MIDNIGHT = datetime(2026, 11, 22, 16, tzinfo=UTC)  # 00:00 in China


def run(scenario: Scenario, hours: float = 24, seed: str = "one", every_minutes: int = 5) -> list[Reading]:
    rhythm = VitalsRhythm(seed, scenario)
    readings: list[Reading] = []
    for minute in range(0, int(hours * 60), every_minutes):
        sample = rhythm.sample(MIDNIGHT + timedelta(minutes=minute), minute)
        readings += decode_vitals(json.dumps({"seq": minute, "readings": sample}).encode()).readings
    return readings


def values(readings: list[Reading], kind: ReadingKind) -> list[float]:
    return [reading.value for reading in readings if reading.kind is kind]


def test_the_same_seed_is_the_same_person() -> None:
    assert run(Scenario.NORMAL, 3) == run(Scenario.NORMAL, 3)
    assert run(Scenario.NORMAL, 3) != run(Scenario.NORMAL, 3, seed="two")


@pytest.mark.parametrize("seed", ["one", "two", "three", "four"])
def test_a_normal_day_stays_normal_and_the_night_is_slower(seed: str) -> None:
    day = run(Scenario.NORMAL, seed=seed)
    assert {reading.kind for reading in day} == set(ReadingKind)
    for kind, low, high in (
        (ReadingKind.HEART_RATE, 45, 100),
        (ReadingKind.SPO2, 93, 100),
        (ReadingKind.RESPIRATORY_RATE, 9, 21),
        (ReadingKind.TEMPERATURE, 35.5, 37.5),
        (ReadingKind.SYSTOLIC_BP, 90, 165),
        (ReadingKind.DIASTOLIC_BP, 50, 100),
    ):
        assert all(low <= value <= high for value in values(day, kind)), kind
    steps = values(day, ReadingKind.STEPS)
    assert steps == sorted(steps)  # counted since midnight
    heart = values(day, ReadingKind.HEART_RATE)
    assert statistics.mean(heart[24:60]) < statistics.mean(heart[156:192])


def test_fever_and_decline() -> None:
    assert max(values(run(Scenario.FEVER, 2), ReadingKind.TEMPERATURE)) > 38.2
    worse = run(Scenario.DETERIORATION, 2)
    assert min(values(worse, ReadingKind.SPO2)) < 90
    assert max(values(worse, ReadingKind.HEART_RATE)) > 95
    assert max(values(worse, ReadingKind.RESPIRATORY_RATE)) > 23


def test_a_sensor_that_is_off_sends_zeros_and_comes_back() -> None:
    heart = values(run(Scenario.SENSOR_OFF, 1, every_minutes=1), ReadingKind.HEART_RATE)
    assert heart[:6] == [0] * 6
    assert heart[7] > 40
    assert heart.count(0) == 24


def test_a_fall_makes_the_heart_race() -> None:
    rhythm = VitalsRhythm("one", Scenario.FALL)
    before = rhythm.sample(MIDNIGHT, 0)[0]["value"]
    rhythm.fall(1)
    assert rhythm.sample(MIDNIGHT, 1)[0]["value"] > before + 15
