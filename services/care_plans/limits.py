"""Project defaults of ``data/plans.json``."""

import json
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class PlanLimits:
    """How far ahead orders are made, and when a day that failed is tried again."""

    horizon: timedelta
    retry: timedelta
    most_minutes_between: int


@lru_cache(maxsize=1)
def plan_limits() -> PlanLimits:
    """The limits in force."""
    raw = json.loads(files("services.care_plans").joinpath("data/plans.json").read_text("utf-8"))
    return PlanLimits(
        horizon=timedelta(days=raw["horizon_days"]),
        retry=timedelta(minutes=raw["retry_minutes"]),
        most_minutes_between=raw["most_minutes_between_tries"],
    )
