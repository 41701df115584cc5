"""The ladder: who is paged when, as a pure function of a frozen policy."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any

import msgspec

from services.core.actor import Role


@dataclass(frozen=True, slots=True)
class Climb:
    """One climb: whom to page now, and where the ladder stands afterwards."""

    step: int
    role: Role
    loops: int
    next_at: datetime


def load_policy() -> dict[str, Any]:
    """The default policy; a copy of it is frozen on every alert."""
    raw: dict[str, Any] = msgspec.json.decode((files("services.alerts") / "data" / "escalation.json").read_bytes())
    for step in raw["steps"]:
        Role(step["role"])
    return raw


def first_climb_at(policy: dict[str, Any], opened_at: datetime) -> datetime:
    """When the second step is due; the first is paged by the alert itself."""
    return opened_at + timedelta(seconds=policy["steps"][1]["after_seconds"])


def climb(policy: dict[str, Any], step: int, loops: int, now: datetime) -> Climb:
    """Go one step up; on the last step stay and repeat. ``step`` is where the ladder stands."""
    steps = policy["steps"]
    target = min(step + 1, len(steps) - 1)
    if target + 1 < len(steps):
        pause = steps[target + 1]["after_seconds"] - steps[target]["after_seconds"]
    else:
        pause = policy["repeat_seconds"]
    return Climb(
        step=target,
        role=Role(steps[target]["role"]),
        loops=loops + (1 if target == step else 0),
        next_at=now + timedelta(seconds=pause),
    )


def lease(policy: dict[str, Any], status: str) -> timedelta | None:
    """How long an acknowledgement or a response holds before the alert is open again."""
    seconds = policy.get(f"{status}_lease_seconds")
    return None if seconds is None else timedelta(seconds=seconds)
