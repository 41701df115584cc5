"""Rules and readings for the tests of the rules."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from services.rules.definitions import Layer, RuleDefinition
from services.rules.evaluation import ActiveRule
from services.rules.layers import Written, resolve
from services.rules.news2 import Measured

START = datetime(2026, 11, 22, 0, tzinfo=UTC)
"""08:00 in Asia/Shanghai, a Sunday."""

N_OF_M = {"type": "n_of_m", "needed": 3, "of": 5, "within_minutes": 60}
HEART = [{"severity": "high", "limits": {"low": 40, "high": 131}}]


def definition(**changes: Any) -> RuleDefinition:
    """A rule about the heart rate, with some of it changed. Not checked."""
    fields = {
        "code": "heart_rate_limits",
        "kind": "heart_rate",
        "alert": "heart_rate",
        "condition": N_OF_M,
        "levels": HEART,
        "margin": 5,
        "rearm_minutes": 30,
        "source": "test",
    }
    return RuleDefinition.model_validate({**fields, **changes})


def active(attributes: dict[str, float] | None = None, **changes: Any) -> ActiveRule:
    """The same rule with numbers for limits."""
    rule = definition(**changes).check()
    [found] = resolve([Written(Layer.RESIDENT, rule.kind, rule.code, rule)], attributes or {}).active()
    return found


def every(minutes: float, values: Iterable[float], start: datetime = START) -> list[Measured]:
    """One reading after the other, so far apart."""
    return [Measured(start + timedelta(minutes=minutes * i), float(value)) for i, value in enumerate(values)]


def minute(at: datetime) -> float:
    """Minutes since the start."""
    return (at - START).total_seconds() / 60
