"""The ladder as pure rules: which policy, which rung comes next, how long a lease holds, what may not be said."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from importlib.resources import files
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec

from services.alerts.policy_models import PolicyDocument, Relation, Step, Who
from services.core.actor import Role
from services.core.clock import BUSINESS_ZONE

DESK: Final = frozenset({Who.DUTY, Who.ALL, Who.NEIGHBOUR, Who.COUNTY})
"""People of the desk. A step that finds none of its own is a step with nobody, whoever else it pages."""

_ROLES: Final = {
    Who.DUTY: frozenset({Role.DISPATCHER, Role.CENTRE_MANAGER}),
    Who.ALL: frozenset({Role.DISPATCHER, Role.CENTRE_MANAGER, Role.CAREGIVER}),
    Who.NEIGHBOUR: frozenset({Role.DISPATCHER, Role.CENTRE_MANAGER}),
    Who.COUNTY: frozenset({Role.COUNTY_OFFICER}),
}
SHORTEST_SECONDS: Final = 10
"""No repeat, pause or lease is shorter: a typing error must not make a ladder ring without end."""
LONGEST_SECONDS: Final = 86_400


class Rung(NamedTuple):
    """Where a ladder stands: round, step, repeat of the step. Step -1: before the first."""

    loop: int
    step: int
    repeat: int


BEFORE_FIRST: Final = Rung(0, -1, 0)


@dataclass(frozen=True, slots=True)
class Layer:
    """A policy with the place, severity and hours that it is for."""

    centre_id: UUID | None
    min_severity: int
    weekdays: frozenset[int]
    from_time: time
    until_time: time
    document: Any
    policy_id: UUID | None = None
    version: int | None = None
    name: str = ""

    def holds(self, severity: int, at: datetime) -> bool:
        """Whether it is for this severity at this moment. Hours over midnight belong to the day they begin on."""
        local = at.astimezone(BUSINESS_ZONE)
        if severity < self.min_severity:
            return False
        if self.from_time == self.until_time:
            return local.isoweekday() in self.weekdays
        hour = local.time()
        if self.from_time < self.until_time:
            return local.isoweekday() in self.weekdays and self.from_time <= hour < self.until_time
        if hour >= self.from_time:
            return local.isoweekday() in self.weekdays
        return hour < self.until_time and (local - timedelta(days=1)).isoweekday() in self.weekdays

    @property
    def hours(self) -> int:
        """Minutes of a week that it covers: of two, the one for fewer is the more specific."""
        length = (self.until_time.hour * 60 + self.until_time.minute) - (
            self.from_time.hour * 60 + self.from_time.minute
        )
        return len(self.weekdays) * (length % 1440 or 1440)


def choose(layers: Sequence[Layer], severity: int, at: datetime) -> Layer | None:
    """The policy for an alert: the centre's own before the county's, then the one for graver alerts, then the one
    for fewer hours, then the one saved last (the order in which ``layers`` come)."""
    fitting = [layer for layer in layers if layer.holds(severity, at)]
    if not fitting:
        return None
    return max(
        enumerate(fitting),
        key=lambda pair: (pair[1].centre_id is not None, pair[1].min_severity, -pair[1].hours, pair[0]),
    )[1]


def load_defaults() -> tuple[tuple[int, str, PolicyDocument], ...]:
    """The default policies, gravest first: (from this severity on, name, document)."""
    raw: dict[str, Any] = msgspec.json.decode((files("services.alerts") / "data" / "escalation.json").read_bytes())
    found = [(p["min_severity"], p["name"], PolicyDocument.model_validate(p["document"])) for p in raw["policies"]]
    for _, name, document in found:
        if wrong := problems_of(document):
            raise ValueError(f"{name}: {wrong}")
    return tuple(sorted(found, key=lambda entry: -entry[0]))


def next_rung(policy: PolicyDocument, at: Rung) -> Rung:
    """The rung after this one: the step's next repeat, else the next step, else the first of a new round."""
    if at.step < 0:
        return Rung(at.loop, 0, 0)
    step = _step(policy, at)
    if not step.all_must_acknowledge and at.repeat < step.repeats.count:
        return Rung(at.loop, at.step, at.repeat + 1)
    return next_step(policy, at)


def next_step(policy: PolicyDocument, at: Rung) -> Rung:
    """The first rung of the next step, without further repeats of this one."""
    if at.step + 1 < len(policy.steps):
        return Rung(at.loop, at.step + 1, 0)
    return Rung(at.loop + 1, 0, 0)


def pause_after(policy: PolicyDocument, at: Rung) -> timedelta:
    """From a rung that has just been executed to the next one.

    A step of the plan that had nobody was skipped at once, so what follows comes earlier than planned: pauses
    are between rungs, not from the beginning.
    """
    step = _step(policy, at)
    if not step.all_must_acknowledge and at.repeat < step.repeats.count:
        return timedelta(seconds=step.repeats.every_seconds)
    spent = 0 if step.all_must_acknowledge else at.repeat * step.repeats.every_seconds
    if at.step + 1 < len(policy.steps):
        gap = policy.steps[at.step + 1].after_seconds - step.after_seconds
        return timedelta(seconds=max(gap - spent, 0))
    return timedelta(seconds=policy.loop_seconds)


def _step(policy: PolicyDocument, at: Rung) -> Step:
    return policy.steps[min(at.step, len(policy.steps) - 1)]


def lease(policy: PolicyDocument, status: str) -> timedelta | None:
    """How long an acknowledgement, a response or a stay on scene holds before the desk is paged again."""
    seconds = getattr(policy, f"{status}_lease_seconds", None)
    return None if seconds is None else timedelta(seconds=seconds)


class Problem(NamedTuple):
    """What a policy may not say, and where."""

    code: str
    at: str


def problems_of(policy: PolicyDocument) -> list[Problem]:
    """Everything that is wrong with a policy. The codes are stable."""
    found: list[Problem] = []
    if not policy.steps:
        return [Problem("no_steps", "steps")]
    if policy.steps[0].after_seconds != 0:
        found.append(Problem("first_step_not_at_once", "steps.0.after_seconds"))
    if not any(line.who in DESK for line in policy.steps[0].recipients):
        found.append(Problem("first_step_without_desk", "steps.0.recipients"))
    for number, step in enumerate(policy.steps):
        found += _problems_of_step(policy, number, step)
    for name in ("loop", "acknowledged_lease", "responding_lease", "on_scene_lease"):
        seconds = getattr(policy, f"{name}_seconds")
        if not SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS:
            found.append(Problem("seconds_out_of_range", f"{name}_seconds"))
    return found


def _problems_of_step(policy: PolicyDocument, number: int, step: Step) -> list[Problem]:
    at = f"steps.{number}"
    found: list[Problem] = []
    if not step.recipients:
        found.append(Problem("step_without_recipients", f"{at}.recipients"))
    if not step.channels:
        found.append(Problem("step_without_channels", f"{at}.channels"))
    if len(set(step.channels)) < len(step.channels):
        found.append(Problem("channel_twice", f"{at}.channels"))
    if not 0 <= step.repeats.count <= 10:
        found.append(Problem("repeats_out_of_range", f"{at}.repeats.count"))
    if not SHORTEST_SECONDS <= step.repeats.every_seconds <= LONGEST_SECONDS:
        found.append(Problem("seconds_out_of_range", f"{at}.repeats.every_seconds"))
    if step.after_seconds > LONGEST_SECONDS:
        found.append(Problem("seconds_out_of_range", f"{at}.after_seconds"))
    following = policy.steps[number + 1].after_seconds if number + 1 < len(policy.steps) else None
    if following is not None:
        if following <= step.after_seconds:
            found.append(Problem("steps_out_of_order", f"steps.{number + 1}.after_seconds"))
        elif step.after_seconds + step.repeats.count * step.repeats.every_seconds >= following:
            found.append(Problem("repeats_overrun_next_step", f"{at}.repeats"))
    return found + _problems_of_people(at, step)


def _problems_of_people(at: str, step: Step) -> list[Problem]:
    found = []
    for place, line in enumerate(step.recipients):
        where = f"{at}.recipients.{place}"
        if line.who in _ROLES and line.role not in _ROLES[line.who]:
            found.append(Problem("role_not_pageable", f"{where}.role"))
        if line.who is Who.RELATION and line.relation not in set(Relation):
            found.append(Problem("relation_missing", f"{where}.relation"))
        if line.who is Who.CONTACTS and not 1 <= (line.first or 0) <= 5:
            found.append(Problem("first_out_of_range", f"{where}.first"))
    return found
