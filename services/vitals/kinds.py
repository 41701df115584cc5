"""What is measured, and whether a value may be looked at as a measurement."""

from enum import StrEnum


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
