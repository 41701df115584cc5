"""How a day is planned, as data: ``data/planning.json`` (project defaults, versioned)."""

import json
from dataclasses import dataclass
from datetime import time, timedelta
from functools import lru_cache
from importlib.resources import files

from services.planning.problem import Weights


@dataclass(frozen=True, slots=True)
class BreakRule:
    """A pause that begins between two local times, for shifts that are long enough and last all the while."""

    begins_from: time
    begins_until: time
    length: timedelta
    shift_at_least: timedelta


@dataclass(frozen=True, slots=True)
class Priorities:
    """What leaving a visit out costs, as a multiple of the weight ``unassigned``."""

    open: int
    urgent: int
    promised: int


@dataclass(frozen=True, slots=True)
class PlanningRules:
    """``notice``: nobody is sent anywhere sooner. ``lease``: how long a silent worker keeps a plan."""

    version: str
    day: Weights
    repair: Weights
    priorities: Priorities
    breaks: tuple[BreakRule, ...]
    max_days_ahead: int
    notice: timedelta
    default_seconds: float
    most_seconds: float
    repair_seconds: float
    lease: timedelta
    most_attempts: int
    urgent_wait: timedelta
    repair_again: timedelta
    overrun_assumed: timedelta


@lru_cache(maxsize=1)
def planning_rules() -> PlanningRules:
    """The rules in force."""
    raw = json.loads(files("services.dispatch").joinpath("data/planning.json").read_text("utf-8"))
    return PlanningRules(
        version=raw["version"],
        day=Weights(**raw["weights"]["day"]),
        repair=Weights(**raw["weights"]["repair"]),
        priorities=Priorities(**raw["priorities"]),
        breaks=tuple(
            BreakRule(
                begins_from=time.fromisoformat(rule["from"]),
                begins_until=time.fromisoformat(rule["until"]),
                length=timedelta(minutes=rule["minutes"]),
                shift_at_least=timedelta(hours=rule["shift_hours"]),
            )
            for rule in raw["breaks"]
        ),
        max_days_ahead=raw["max_days_ahead"],
        notice=timedelta(minutes=raw["notice_minutes"]),
        default_seconds=raw["seconds"]["default"],
        most_seconds=raw["seconds"]["most"],
        repair_seconds=raw["seconds"]["repair"],
        lease=timedelta(seconds=raw["lease_seconds"]),
        most_attempts=raw["most_attempts"],
        urgent_wait=timedelta(seconds=raw["urgent_wait_seconds"]),
        repair_again=timedelta(minutes=raw["repair_again_minutes"]),
        overrun_assumed=timedelta(minutes=raw["overrun_assumed_minutes"]),
    )
