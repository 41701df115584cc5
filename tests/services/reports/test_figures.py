"""Response and false-alarm figures, by hand."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from services.alerts.models import AlertKind
from services.reports.alarms.figures import (
    AlertFacts,
    Measure,
    Origin,
    Target,
    false_alarms,
    load_targets,
    percentile,
    share,
    was_in_time,
)

T1 = datetime(2026, 11, 3, 8, tzinfo=UTC)
NOW = T1 + timedelta(minutes=10)
CENTRE = uuid4()


def target(measure: Measure = Measure.ANSWER, seconds: int = 60) -> Target:
    return Target("t", measure, timedelta(seconds=seconds), 0.95, "s", "v", verified=False)


def alert(
    answered: int | None = None,
    dispatched: int | None = None,
    ended: int | None = None,
    resolution: str | None = None,
    kind: AlertKind = AlertKind.SOS,
    cancelled: bool = False,
) -> AlertFacts:
    """An alert with its times in seconds after t1."""

    def at(seconds: int | None) -> datetime | None:
        return None if seconds is None else T1 + timedelta(seconds=seconds)

    return AlertFacts(CENTRE, kind, T1, at(answered), at(dispatched), at(ended), resolution, cancelled)


@pytest.mark.parametrize(
    ("facts", "seconds_later", "in_time"),
    [
        (alert(answered=60), 600, True),
        (alert(answered=61), 600, False),
        (alert(), 59, None),
        (alert(), 60, None),
        (alert(), 61, False),  # nobody came: it counts, although there is no time to take
        (alert(ended=30, cancelled=True), 600, None),
        (alert(ended=90, cancelled=True), 600, False),  # the limit had passed before the resident took it back
        (alert(answered=20, ended=30, resolution="false_sensor"), 600, True),
    ],
)
def test_an_answer_in_time(facts: AlertFacts, seconds_later: int, in_time: bool | None) -> None:
    assert was_in_time(facts, target(), T1 + timedelta(seconds=seconds_later)) is in_time


@pytest.mark.parametrize(
    ("facts", "in_time"),
    [
        (alert(answered=5, dispatched=180), True),
        (alert(answered=5, dispatched=181), False),
        (alert(answered=5), False),  # answered, and nobody sent
        (alert(answered=5, ended=90, resolution="false_pressed_by_mistake"), None),  # nobody was needed
        (alert(answered=5, ended=90, resolution="needs_care"), False),
    ],
)
def test_somebody_on_the_way_in_time(facts: AlertFacts, in_time: bool | None) -> None:
    assert was_in_time(facts, target(Measure.DISPATCH, 180), NOW) is in_time


def test_a_share_has_its_numerator_and_denominator_and_leaves_tests_out() -> None:
    alerts = [
        alert(answered=10),
        alert(answered=59),
        alert(answered=70),
        alert(),
        alert(ended=5, cancelled=True),
        alert(answered=300, ended=310, resolution="test"),
    ]
    found = share(alerts, target(), NOW)
    assert (found.numerator, found.denominator, found.undecided) == (2, 4, 1)
    assert found.share == 0.5
    assert found.met is False
    assert share([], target(), NOW).share is None
    assert share([], target(), NOW).met is None
    assert share([alert(answered=1)], target(), NOW).met is True


def test_rules_and_alarms_are_told_apart() -> None:
    assert alert(kind=AlertKind.FALL).origin is Origin.ALARM
    assert alert(kind=AlertKind.SMOKE).origin is Origin.ALARM
    assert alert(kind=AlertKind.SPO2).origin is Origin.RULE
    assert alert(kind=AlertKind.NO_READINGS).origin is Origin.RULE


def test_percentiles_are_values_that_occurred() -> None:
    seconds = [timedelta(seconds=n) for n in (1, 2, 3, 4, 100)]
    assert percentile(seconds, 0.5) == 3
    assert percentile(seconds, 0.9) == 100
    assert percentile([], 0.5) is None


def test_false_alarms_by_cause() -> None:
    found = false_alarms(
        [
            ("true_emergency", 2),
            ("false_sensor", 3),
            ("false_pressed_by_mistake", 1),
            ("needs_care", 2),
            ("test", 9),
        ]
    )
    assert (found.closed, found.false, found.rate) == (8, 4, 0.5)
    assert found.causes == {"false_pressed_by_mistake": 1, "false_sensor": 3}
    assert false_alarms([("test", 2)]).rate is None


def test_the_standards_targets_are_data_with_their_source() -> None:
    found = {t.code: (t.within.total_seconds(), t.share) for t in load_targets()}
    assert found == {
        "answered_60s": (60, 0.975),
        "answered_180s": (180, 0.99),
        "answered_10s": (10, 0.95),
        "dispatched_180s": (180, 0.95),
    }
    assert all(t.source and t.version for t in load_targets())
