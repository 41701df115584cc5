"""The gate in front of every rule: a sensor that is off, or outside physiology, has measured nothing."""

from importlib.resources import files
from typing import Any

import msgspec

from services.vitals.kinds import Quality, ReadingKind


def load_limits() -> dict[str, tuple[float, float]]:
    """Inclusive limits by kind, from the data file (its source and version stand in it)."""
    raw: Any = msgspec.json.decode((files("services.vitals") / "data" / "plausibility.json").read_bytes())
    return {ReadingKind(kind).value: (float(low), float(high)) for kind, (low, high) in raw["limits"].items()}


LIMITS = load_limits()


def quality_of(kind: str, value: float) -> Quality:
    """``no_data`` for 0 of a vital sign and for anything outside the limits of its kind.

    0 is how monitors write "sensor off"; steps alone may truly be 0.
    """
    low, high = LIMITS[kind]
    return Quality.GOOD if low <= value <= high else Quality.NO_DATA
