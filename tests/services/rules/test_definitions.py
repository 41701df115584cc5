"""What may be saved as a rule: every refusal names its field."""

from typing import Any

import pytest
from pydantic import ValidationError

from services.alerts.models import AlertKind
from services.rules.definitions import ALERT_KINDS, ATTRIBUTES, RuleDefinition, load_rules
from services.rules.errors import InvalidRule
from services.vitals.kinds import ReadingKind
from services.vitals.plausibility import LIMITS
from tests.services.rules.rulebook import definition

HIGH = {"severity": "high"}
WARNING = {"severity": "warning"}


def levels(*limits: dict[str, Any]) -> list[dict[str, Any]]:
    """One level of severity high, or a warning and then it."""
    severities = ("high",) if len(limits) == 1 else ("warning", "high")
    return [{"severity": s, "limits": found} for s, found in zip(severities, limits, strict=True)]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"condition": {"type": "n_of_m", "needed": 6, "of": 5}}, "condition.needed"),
        (
            {"condition": {"type": "n_of_m", "needed": 3, "of": 5, "within_minutes": 5, "settled_minutes": 5}},
            "condition.settled_minutes",
        ),
        ({"levels": levels({"low": 131, "high": 40})}, "levels.0.limits.low"),
        ({"levels": levels({"low": 131, "high": 131})}, "levels.0.limits.low"),
        ({"levels": levels({})}, "levels.0.limits"),
        ({"levels": levels({"total": 5})}, "levels.0.limits"),
        ({"levels": levels({"high": {"attribute": "shoe_size"}})}, "levels.0.limits.high"),
        ({"levels": levels({"high": 301})}, "levels.0.limits.high"),
        ({"levels": levels({"low": 19})}, "levels.0.limits.low"),
        ({"levels": levels({"high": 131}, {"high": 120})}, "levels.1.limits.high"),
        ({"levels": levels({"low": 40}, {"low": 45})}, "levels.1.limits.low"),
        ({"levels": [*levels({"high": 131}), *levels({"high": 140})]}, "levels"),
        ({"schedule": {"hours": [[8, 8]]}}, "schedule.hours"),
        ({"schedule": {"hours": [[8, 25]]}}, "schedule.hours"),
        ({"schedule": {"hours": [[-1, 8]]}}, "schedule.hours"),
        ({"schedule": {"days": [0]}}, "schedule.days"),
        ({"schedule": {"days": [1, 1]}}, "schedule.days"),
        ({"kind": "mood"}, "kind"),
        ({"kind": "early_warning"}, "kind"),
        ({"condition": {"type": "early_warning"}}, "kind"),
        ({"alert": "sos"}, "alert"),
        (
            {"condition": {"type": "rate_of_change", "minutes": 10}, "levels": levels({"rise": 40})},
            "levels.0.limits.rise",
        ),
        (
            {"condition": {"type": "rate_of_change", "minutes": 10}, "levels": levels({"high": 100})},
            "levels.0.limits.rise",
        ),
        (
            {"condition": {"type": "missing_data"}, "levels": levels({"minutes": 0})},
            "levels.0.limits.minutes",
        ),
    ],
)
def test_what_could_not_work_is_refused_at_its_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRule) as refusal:
        definition(**changes).check()
    assert refusal.value.extra["field"] == field


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"condition": {"type": "guess"}}, "condition"),
        ({"condition": {"type": "n_of_m", "of": 5}}, "needed"),
        ({"levels": []}, "levels"),
        ({"levels": levels({"high": "much"})}, "high"),
        ({"levels": [{"severity": "life_safety", "limits": {"high": 131}}]}, "severity"),
        ({"rearm_minutes": 0}, "rearm_minutes"),
        ({"margin": -1}, "margin"),
        ({"code": "Heart Rate"}, "code"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_no_rule_at_all(changes: dict[str, Any], place: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        definition(**changes)
    assert place in {str(part) for error in refusal.value.errors() for part in error["loc"]}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"levels": levels({"low": 45}, {"low": 40, "high": 131})},
        {"levels": levels({"high": {"attribute": "heart_rate_high"}})},
        {"levels": levels({"high": {"attribute": "usual_heart_rate", "plus": 30}})},
        {"schedule": {"hours": [[22, 6], [12, 14]], "days": [6, 7]}},
        {"condition": {"type": "duration", "minutes": 10}},
    ],
)
def test_what_can_be_saved_survives_being_stored(changes: dict[str, Any]) -> None:
    rule = definition(**changes).check()
    assert RuleDefinition.model_validate(rule.model_dump(mode="json")) == rule


def test_no_rule_can_be_taken_for_a_call_for_help() -> None:
    calls = {"sos", "fall", "help_cord", "smoke", "gas", "water", "unreadable_alarm", "other", "caregiver_panic"}
    assert {kind for kind in AlertKind if kind.value not in calls} == ALERT_KINDS


def test_the_default_set() -> None:
    rules = load_rules()
    assert {rule.kind for rule in rules.rules} >= {kind.value for kind in ReadingKind} - {"steps"}
    assert all(rule.source for rule in rules.rules)
    assert (rules.version, rules.protocol) == ("2026-11-22", ("confirm", "call", "dispatch"))
    assert rules.source
    assert rules.effective_date
    assert rules.verified is False


@pytest.mark.parametrize("word", ["诊断", "diagnos"])
def test_nothing_in_the_default_set_is_worded_as_a_diagnosis(word: str) -> None:
    assert word not in load_rules().model_dump_json().lower()


def test_attributes_stay_within_what_a_sensor_shows() -> None:
    for attribute in ATTRIBUTES.values():
        if attribute.kind in LIMITS and attribute.unit != "1":
            assert (attribute.low, attribute.high) == LIMITS[attribute.kind]
