"""What a caregiver may have measured. Pure; the limits are data."""

from functools import cache
from importlib.resources import files

import msgspec

from services.visits.errors import ImplausibleReading
from services.visits.models import ReadingKind, VisitReading
from services.vitals.plausibility import LIMITS


class _File(msgspec.Struct, frozen=True):
    version: str
    source: str
    limits: dict[str, tuple[float, float]]


@cache
def _by_hand_only() -> dict[str, tuple[float, float]]:
    raw = (files("services.visits") / "data" / "plausibility.json").read_bytes()
    return msgspec.json.decode(raw, type=_File).limits


def values_of(reading: VisitReading) -> list[tuple[str, float]]:
    """The single values under the names of the vital record; a blood pressure is two."""
    if reading.kind is ReadingKind.BLOOD_PRESSURE:
        return [("systolic_bp", float(reading.systolic or 0)), ("diastolic_bp", float(reading.diastolic or 0))]
    return [(str(reading.kind), float(reading.value or 0))]


def require_plausible(reading: VisitReading) -> None:
    """Raises ``ImplausibleReading`` with the limits as a hint; a pressure whose halves are swapped is one too."""
    for kind, value in values_of(reading):
        low, high = (LIMITS | _by_hand_only())[kind]
        if not low <= value <= high:
            raise ImplausibleReading(field=kind, low=low, high=high)
    if reading.kind is ReadingKind.BLOOD_PRESSURE and (reading.systolic or 0) <= (reading.diastolic or 0):
        raise ImplausibleReading("systolic must be above diastolic", field="systolic_bp")
