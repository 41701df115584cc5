"""Places as cells of some ten metres, and a bounded memory of ways between them."""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from math import cos, pi, sqrt
from typing import Final

from services.caregivers.models import TravelMode
from services.core.geo import Point
from services.dispatch.travel.straight import Paces, travel_seconds

Cell = tuple[int, int]
"""Ten-thousandths of a degree: about 11 m to the north, about 10 m to the east at the county's latitude."""
Way = tuple[TravelMode, Cell, Cell]

_PER_DEGREE: Final = 10_000
_RADIANS: Final = pi / 180
_METRES_PER_DEGREE: Final = 111_195 * 0.98
"""On the sphere, less what a flat map may be wrong by within a county."""


def cell_of(point: Point) -> Cell:
    """The cell that a place lies in."""
    return round(point.latitude * _PER_DEGREE), round(point.longitude * _PER_DEGREE)


def middle_of(cell: Cell) -> Point:
    """What is told of a place to whoever is asked for ways: its cell, and nothing finer."""
    return Point(cell[0] / _PER_DEGREE, cell[1] / _PER_DEGREE)


class Memory:
    """Door-to-door seconds by way, the least lately used forgotten first. Of one process."""

    def __init__(self, size: int, seconds: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._size, self._seconds, self._now = size, seconds, monotonic
        self._kept: OrderedDict[Way, tuple[int, float]] = OrderedDict()

    def get(self, way: Way) -> int | None:
        """What is remembered and not too old."""
        found = self._kept.get(way)
        if found is None:
            return None
        if found[1] < self._now():
            del self._kept[way]
            return None
        self._kept.move_to_end(way)
        return found[0]

    def put(self, way: Way, seconds: int) -> None:
        """Remember a way."""
        self._kept[way] = (seconds, self._now() + self._seconds)
        self._kept.move_to_end(way)
        if len(self._kept) > self._size:
            self._kept.popitem(last=False)

    def __len__(self) -> int:
        return len(self._kept)


class Ways:
    """Travel times as the matching rules ask for them: what is known, else the straight line. Pure."""

    __slots__ = ("_known", "_paces")

    def __init__(self, paces: Paces, known: Mapping[Way, int] | None = None) -> None:
        self._paces, self._known = paces, known

    def seconds(self, mode: TravelMode, here: Point, there: Point) -> int:
        """Door to door, whole seconds."""
        if self._known and here != there:
            found = self._known.get((mode, cell_of(here), cell_of(there)))
            if found is not None:
                return found
        return travel_seconds(self._paces[mode], here, there)

    def at_least(self, mode: TravelMode, here: Point, there: Point) -> float:
        """Seconds that no way falls short of, at a fifth of the cost: to pass over gaps that are far too short."""
        if self._known or here == there:
            return 0.0
        pace = self._paces[mode]
        north = here.latitude - there.latitude
        east = (here.longitude - there.longitude) * cos(here.latitude * _RADIANS)
        flat = sqrt(north * north + east * east) * _METRES_PER_DEGREE
        return flat * pace.detour / pace.metres_per_second + pace.fixed_seconds
