"""How long the way takes: straight line × detour factor ÷ speed, by mode (project defaults, as data)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from services.caregivers.models import TravelMode
from services.core.geo import Point, distance_m


@dataclass(frozen=True, slots=True)
class Pace:
    """One mode of travel. ``fixed_seconds`` go for setting off and parking, whoever knows the way."""

    detour: float
    metres_per_second: float
    fixed_seconds: int


Paces = Mapping[TravelMode, Pace]


@lru_cache(maxsize=1)
def paces() -> Paces:
    """The table of ``data/travel.json``."""
    raw = json.loads(files("services.dispatch").joinpath("data/travel.json").read_text("utf-8"))
    return {
        TravelMode(mode): Pace(row["detour"], row["kmh"] / 3.6, row["fixed_minutes"] * 60)
        for mode, row in raw["modes"].items()
    }


def travel_seconds(pace: Pace, here: Point, there: Point) -> int:
    """Door to door, in whole seconds. Two visits at one address need no travel at all."""
    if here == there:
        return 0
    return round(distance_m(here, there) * pace.detour / pace.metres_per_second) + pace.fixed_seconds
