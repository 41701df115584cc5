"""The ladder's pure rules, by tables."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from services.alerts import escalation
from services.alerts.escalation import BEFORE_FIRST, Layer, Rung, choose, next_rung, pause_after, problems_of
from services.alerts.policy_models import PolicyDocument
from services.alerts.policy_warnings import warnings_of
from services.core.ids import new_id

CENTRE = new_id()
DISPATCHER = {"who": "duty", "role": "dispatcher"}


def step(after: int, **more: Any) -> dict[str, Any]:
    return {"after_seconds": after, "recipients": [DISPATCHER], "channels": ["app"], **more}


def document(*steps: dict[str, Any], **more: Any) -> PolicyDocument:
    leases = {"acknowledged_lease_seconds": 600, "responding_lease_seconds": 2700, "on_scene_lease_seconds": 7200}
    return PolicyDocument.model_validate({"steps": steps, "loop_seconds": 120, **leases, **more})


def walk(policy: PolicyDocument, rungs: int) -> list[tuple[Rung, float]]:
    """The rungs in order, with the second at which each is paged."""
    at, seconds, found = BEFORE_FIRST, 0.0, []
    for _ in range(rungs):
        at = next_rung(policy, at)
        found.append((at, seconds))
        seconds += pause_after(policy, at).total_seconds()
    return found


def test_the_default_pages_at_its_seconds_and_begins_again() -> None:
    life_safety = escalation.load_defaults()[0][2]
    assert walk(life_safety, 7) == [
        (Rung(0, 0, 0), 0),
        (Rung(0, 0, 1), 30),
        (Rung(0, 1, 0), 60),
        (Rung(0, 2, 0), 180),
        (Rung(0, 3, 0), 300),
        (Rung(1, 0, 0), 420),
        (Rung(1, 0, 1), 450),
    ]


def test_one_step_alone_repeats_itself() -> None:
    assert [at for at, _ in walk(document(step(0)), 3)] == [Rung(0, 0, 0), Rung(1, 0, 0), Rung(2, 0, 0)]


def test_a_step_that_all_must_acknowledge_has_no_repeats_of_its_own() -> None:
    policy = document(step(0, all_must_acknowledge=True, repeats={"count": 0, "every_seconds": 20}), step(60))
    assert walk(policy, 2) == [(Rung(0, 0, 0), 0), (Rung(0, 1, 0), 60)]


@pytest.mark.parametrize(
    ("policy", "code", "at"),
    [
        (document(), "no_steps", "steps"),
        (document(step(5)), "first_step_not_at_once", "steps.0.after_seconds"),
        (
            document({**step(0), "recipients": [{"who": "relation", "relation": "family"}]}),
            "first_step_without_desk",
            "steps.0.recipients",
        ),
        (document({**step(0), "recipients": []}), "step_without_recipients", "steps.0.recipients"),
        (document({**step(0), "channels": []}), "step_without_channels", "steps.0.channels"),
        (document({**step(0), "channels": ["app", "app"]}), "channel_twice", "steps.0.channels"),
        (document(step(0), step(0)), "steps_out_of_order", "steps.1.after_seconds"),
        (
            document(step(0, repeats={"count": 2, "every_seconds": 30}), step(60)),
            "repeats_overrun_next_step",
            "steps.0.repeats",
        ),
        (
            document(step(0, repeats={"count": 11, "every_seconds": 10})),
            "repeats_out_of_range",
            "steps.0.repeats.count",
        ),
        (
            document(step(0, repeats={"count": 1, "every_seconds": 1})),
            "seconds_out_of_range",
            "steps.0.repeats.every_seconds",
        ),
        (document(step(0), loop_seconds=0), "seconds_out_of_range", "loop_seconds"),
        (
            document({**step(0), "recipients": [{"who": "duty", "role": "resident"}]}),
            "role_not_pageable",
            "steps.0.recipients.0.role",
        ),
        (
            document({**step(0), "recipients": [DISPATCHER, {"who": "relation"}]}),
            "relation_missing",
            "steps.0.recipients.1.relation",
        ),
        (
            document({**step(0), "recipients": [DISPATCHER, {"who": "contacts", "first": 0}]}),
            "first_out_of_range",
            "steps.0.recipients.1.first",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_a_policy_may_not_say(policy: PolicyDocument, code: str, at: str) -> None:
    assert (code, at) in problems_of(policy)


def test_a_good_policy_has_no_problems() -> None:
    assert problems_of(document(step(0, repeats={"count": 1, "every_seconds": 30}), step(60))) == []


def layer(name: str, **more: Any) -> Layer:
    given: dict[str, Any] = {
        "centre_id": None,
        "min_severity": 1,
        "weekdays": frozenset(range(1, 8)),
        "from_time": time(0),
        "until_time": time(0),
        "document": None,
        "name": name,
    }
    return Layer(**given | more)


COUNTY = layer("county")
OWN = layer("own", centre_id=CENTRE)
OWN_GRAVE = layer("own, grave", centre_id=CENTRE, min_severity=4)
OWN_NIGHT = layer("own, at night", centre_id=CENTRE, from_time=time(22), until_time=time(6))
OWN_SUNDAY_NIGHT = layer(
    "own, Sunday night", centre_id=CENTRE, from_time=time(22), until_time=time(6), weekdays=frozenset({7})
)
SATURDAY_NOON = datetime(2026, 11, 21, 4, tzinfo=UTC)  # 12:00 in Changsha
SUNDAY_NIGHT = datetime(2026, 11, 22, 15, tzinfo=UTC)  # 23:00
MONDAY_EARLY = SUNDAY_NIGHT + timedelta(hours=5)  # Monday 04:00: the night that began on Sunday
MONDAY_SIX = SUNDAY_NIGHT + timedelta(hours=7)


@pytest.mark.parametrize(
    ("layers", "severity", "at", "chosen"),
    [
        ([], 4, SATURDAY_NOON, None),
        ([COUNTY], 1, SATURDAY_NOON, "county"),
        ([OWN, COUNTY], 1, SATURDAY_NOON, "own"),
        ([layer("county, grave", min_severity=4), OWN], 4, SATURDAY_NOON, "own"),
        ([OWN, OWN_GRAVE], 4, SATURDAY_NOON, "own, grave"),
        ([OWN, OWN_GRAVE], 3, SATURDAY_NOON, "own"),
        ([OWN_NIGHT], 4, SATURDAY_NOON, None),
        ([OWN, OWN_NIGHT], 4, SUNDAY_NIGHT, "own, at night"),
        ([OWN_NIGHT, OWN_SUNDAY_NIGHT], 4, SUNDAY_NIGHT, "own, Sunday night"),
        ([OWN_NIGHT, OWN_SUNDAY_NIGHT], 4, MONDAY_EARLY, "own, Sunday night"),
        ([OWN_NIGHT, OWN_SUNDAY_NIGHT], 4, MONDAY_SIX, None),
        ([OWN, layer("own, saved later", centre_id=CENTRE)], 4, SATURDAY_NOON, "own, saved later"),
    ],
)
def test_the_nearest_and_most_specific_policy_wins(
    layers: list[Layer], severity: int, at: datetime, chosen: str | None
) -> None:
    found = choose(layers, severity, at)
    assert (found.name if found else None) == chosen


ALL_WARNINGS = ["no_phone_channel", "single_step", "no_manager", "nobody_above_the_centre", "family_not_told"]
MANAGER = {"who": "duty", "role": "centre_manager"}
OFFICER = {"who": "county", "role": "county_officer"}
FAMILY = {"who": "relation", "relation": "family"}
CONTACTS = {"who": "contacts", "first": 2}
DOCTOR = {"who": "relation", "relation": "village_doctor"}
WHOLE = ([DISPATCHER, FAMILY], [MANAGER], [OFFICER])


def ladder(*steps: list[dict[str, Any]], channels: list[str]) -> PolicyDocument:
    return document(*(step(60 * n, recipients=who, channels=channels) for n, who in enumerate(steps)))


@pytest.mark.parametrize(
    ("policy", "absent"),
    [
        (ladder([DISPATCHER], channels=["app"]), []),
        (ladder([DISPATCHER], channels=["app", "voice"]), ["no_phone_channel"]),
        (ladder([DISPATCHER], channels=["sms"]), ["no_phone_channel"]),
        (ladder([DISPATCHER], [DISPATCHER], channels=["app", "wecom"]), ["single_step"]),
        (ladder([DISPATCHER, MANAGER], channels=["app"]), ["no_manager"]),
        (ladder([DISPATCHER, OFFICER], channels=["app"]), ["nobody_above_the_centre"]),
        (ladder([DISPATCHER, FAMILY], channels=["app"]), ["family_not_told"]),
        (ladder([DISPATCHER, CONTACTS], channels=["app"]), ["family_not_told"]),
        (ladder([DISPATCHER, DOCTOR], channels=["app"]), []),
        (ladder(*WHOLE, channels=["app"]), ALL_WARNINGS[1:]),
        (ladder(*WHOLE, channels=["app", "voice"]), ALL_WARNINGS),
    ],
)
def test_what_is_weak_about_a_policy_is_told_and_not_refused(policy: PolicyDocument, absent: list[str]) -> None:
    found = warnings_of(policy)
    assert problems_of(policy) == []
    assert [warning.code for warning in found] == [code for code in ALL_WARNINGS if code not in absent]
    assert all(warning.zh and warning.en for warning in found)
    assert warnings_of(policy, 3) == []


def test_the_default_for_life_safety_has_no_weakness() -> None:
    assert warnings_of(escalation.load_defaults()[0][2]) == []
