"""When readings raise an alert: tables of readings and what follows."""

from datetime import UTC, datetime, timedelta

import pytest

from services.vitals.kinds import Quality, ReadingKind
from services.vitals.plausibility import quality_of
from services.vitals.rules import Measured, Rule, load_rules, should_raise

START = datetime(2026, 11, 22, 8, tzinfo=UTC)
RULE = Rule(ReadingKind.HEART_RATE, "heart_rate", 40, 131, 3, 5, 5, timedelta(minutes=30), "test")


def minutes(*values: float) -> list[Measured]:
    """One reading a minute."""
    return [Measured(START + timedelta(minutes=i), value) for i, value in enumerate(values)]


@pytest.mark.parametrize(
    ("values", "raised"),
    [
        ((140,), False),  # one high reading is an artefact until it persists
        ((140, 80, 140), False),
        ((140, 80, 140, 80, 140), True),  # 3 of 5
        ((140, 140, 140), True),
        ((131, 131, 131), True),  # the limit itself breaches
        ((130, 130, 130), False),
        ((40, 40, 40), True),
        ((140, 140, 140, 80), False),  # the newest must breach itself
        ((140, 140, 80, 80, 80, 80, 140), False),  # only the last five count
        ((), False),
    ],
)
def test_persistence(values: tuple[float, ...], raised: bool) -> None:
    assert should_raise(RULE, minutes(*values), None) is raised


def test_no_second_alert_while_the_first_goes_on() -> None:
    readings = minutes(140, 140, 140, 140, 140, 140)
    assert not should_raise(RULE, readings, readings[2].at)


def test_hovering_at_the_limit_is_no_recovery() -> None:
    readings = minutes(140, 140, 140, 128, 129, 140, 140, 140)
    assert not should_raise(RULE, readings, readings[2].at), "128 is within the margin of 131"


def test_recovery_past_the_margin_arms_again() -> None:
    readings = minutes(140, 140, 140, 90, 90, 140, 140, 140)
    assert should_raise(RULE, readings, readings[2].at)


def test_rearm_time_arms_again_without_recovery() -> None:
    readings = minutes(*[140.0] * 40)
    assert not should_raise(RULE, readings[:20], readings[2].at)
    assert should_raise(RULE, readings, readings[2].at)


def test_a_residents_own_limit_replaces_only_what_it_names() -> None:
    own = RULE.with_limits(None, 100)
    assert (own.low, own.high) == (40, 100)
    assert should_raise(own, minutes(101, 101, 101), None)


@pytest.mark.parametrize(("low", "high", "needed"), [(None, None, 1), (100, 90, 1), (40, 130, 6), (40, 130, 0)])
def test_a_rule_that_could_never_or_always_fire_is_refused(
    low: float | None, high: float | None, needed: int
) -> None:
    with pytest.raises(ValueError, match="heart_rate"):
        Rule(ReadingKind.HEART_RATE, "heart_rate", low, high, needed, 5, 5, timedelta(minutes=1), "test")


def test_every_default_rule_names_its_source() -> None:
    rules, stale_after = load_rules()
    assert set(rules) == {kind.value for kind in ReadingKind} - {"steps"}
    assert all(rule.source for rule in rules.values())
    assert stale_after > timedelta(0)


@pytest.mark.parametrize(
    ("kind", "value", "quality"),
    [
        ("heart_rate", 0, Quality.NO_DATA),
        ("heart_rate", 72, Quality.GOOD),
        ("heart_rate", 900, Quality.NO_DATA),
        ("heart_rate", -5, Quality.NO_DATA),
        ("spo2", 0, Quality.NO_DATA),
        ("spo2", 100, Quality.GOOD),
        ("spo2", 101, Quality.NO_DATA),
        ("temperature", 0, Quality.NO_DATA),
        ("steps", 0, Quality.GOOD),
        ("glucose", 5.6, Quality.GOOD),
    ],
)
def test_a_sensor_that_is_off_has_measured_nothing(kind: str, value: float, quality: Quality) -> None:
    assert quality_of(kind, value) is quality
