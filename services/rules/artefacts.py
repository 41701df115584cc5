"""What looks like a measurement and is none: a lone spike, a stuck sensor. Pure; see ``data/artefacts.json``.

The first gate is plausibility (services.vitals): what fails there is never a reading. This one looks at
neighbours. It never takes away the newest reading: nobody can deny it yet, and persistence deals with it.
"""

from collections.abc import Sequence
from datetime import timedelta
from importlib.resources import files
from typing import Any

import msgspec

from services.rules.news2 import Measured

_RAW: Any = msgspec.json.decode((files("services.rules") / "data" / "artefacts.json").read_bytes())
_NEAR = timedelta(minutes=_RAW["spike"]["neighbour_minutes"])
_JUMP: dict[str, float] = _RAW["spike"]["jump"]
_FLAT: dict[str, tuple[timedelta, int]] = {
    kind: (timedelta(minutes=row["minutes"]), row["readings"]) for kind, row in _RAW["flat_line"].items()
}
LONGEST = max((minutes for minutes, _ in _FLAT.values()), default=_NEAR)
"""How far back the gate looks at most."""


def without_spikes(kind: str, points: Sequence[Measured]) -> list[Measured]:
    """Leave out a reading that both neighbours, close in time and agreeing with each other, contradict."""
    jump = _JUMP.get(kind)
    if jump is None or len(points) < 3:
        return list(points)
    return [
        point
        for place, point in enumerate(points)
        if not 0 < place < len(points) - 1 or not _denied(points[place - 1], point, points[place + 1], jump)
    ]


def _denied(before: Measured, point: Measured, after: Measured, jump: float) -> bool:
    if point.at - before.at > _NEAR or after.at - point.at > _NEAR:
        return False
    up, down = point.value - before.value, point.value - after.value
    return up * down > 0 and min(abs(up), abs(down)) > jump and abs(up - down) <= jump / 2


def is_flat(kind: str, points: Sequence[Measured], newest_place: int) -> bool:
    """Whether the readings up to a place have been the same for longer than a living body keeps it up."""
    limits = _FLAT.get(kind)
    if limits is None or newest_place + 1 < limits[1]:
        return False
    newest = points[newest_place]
    for run, place in enumerate(range(newest_place, -1, -1), 1):
        point = points[place]
        if point.value != newest.value:
            return False
        if run >= limits[1] and newest.at - point.at >= limits[0]:
            return True
    return False
