"""Units on the wire (UCUM) and the unit in which each kind is kept."""

from collections.abc import Callable
from typing import Final

from devices.messages import ReadingKind

MMOL_PER_MGDL: Final = 0.0555
"""Glucose, mg/dL to mmol/L: 10 / 180.16 g/mol, the molar mass of glucose."""

MMHG_PER_KPA: Final = 1 / 0.133322387415
"""The conventional millimetre of mercury is 133.322387415 Pa."""

UNITS: Final[dict[ReadingKind, str]] = {
    ReadingKind.HEART_RATE: "/min",
    ReadingKind.SPO2: "%",
    ReadingKind.SYSTOLIC_BP: "mm[Hg]",
    ReadingKind.DIASTOLIC_BP: "mm[Hg]",
    ReadingKind.TEMPERATURE: "Cel",
    ReadingKind.RESPIRATORY_RATE: "/min",
    ReadingKind.GLUCOSE: "mmol/L",
    ReadingKind.STEPS: "{steps}",
}

_OTHER_UNITS: Final[dict[tuple[ReadingKind, str], Callable[[float], float]]] = {
    (ReadingKind.GLUCOSE, "mg/dL"): lambda value: value * MMOL_PER_MGDL,
    (ReadingKind.TEMPERATURE, "[degF]"): lambda value: (value - 32) * 5 / 9,
    (ReadingKind.SYSTOLIC_BP, "kPa"): lambda value: value * MMHG_PER_KPA,
    (ReadingKind.DIASTOLIC_BP, "kPa"): lambda value: value * MMHG_PER_KPA,
}


def converter(kind: ReadingKind, unit: str) -> Callable[[float], float] | None:
    """How a value in a named unit becomes one in the unit of its kind; ``None`` for a unit that is not known."""
    if unit == UNITS[kind]:
        return float
    return _OTHER_UNITS.get((kind, unit))
