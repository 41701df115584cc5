"""What is measured, and whether a value may be looked at as a measurement."""

from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from typing import Any

import msgspec


class ReadingKind(StrEnum):
    """One measured quantity, with the unit it is stored in (UCUM). LOINC codes: domain facts §7."""

    HEART_RATE = "heart_rate"  # /min
    SPO2 = "spo2"  # %
    SYSTOLIC_BP = "systolic_bp"  # mm[Hg]
    DIASTOLIC_BP = "diastolic_bp"  # mm[Hg]
    TEMPERATURE = "temperature"  # Cel
    RESPIRATORY_RATE = "respiratory_rate"  # /min
    GLUCOSE = "glucose"  # mmol/L
    STEPS = "steps"  # count


class Quality(StrEnum):
    """Whether a value is a measurement."""

    GOOD = "good"
    NO_DATA = "no_data"  # sensor off, or outside physiology: kept as evidence, never shown as a reading


@dataclass(frozen=True, slots=True)
class Unit:
    """How one kind is written in other systems: UCUM unit and LOINC code (``None`` where there is none)."""

    ucum: str
    loinc: str | None


def load_units() -> dict[ReadingKind, Unit]:
    """Every kind's unit and code, from the data file (its source and what is verified stand in it)."""
    raw: Any = msgspec.json.decode((files("services.vitals") / "data" / "kinds.json").read_bytes())
    return {ReadingKind(kind): Unit(row["ucum"], row["loinc"]) for kind, row in raw["kinds"].items()}


UNITS = load_units()
