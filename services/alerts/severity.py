"""How grave each kind is."""

from services.alerts.models import AlertKind
from services.alerts.states import Severity

_SEVERITY = {
    AlertKind.SOS: Severity.LIFE_SAFETY,
    AlertKind.FALL: Severity.LIFE_SAFETY,
    AlertKind.HELP_CORD: Severity.LIFE_SAFETY,
    AlertKind.SMOKE: Severity.LIFE_SAFETY,
    AlertKind.GAS: Severity.LIFE_SAFETY,
    # Somebody pressed something; what, the message does not tell.
    AlertKind.UNREADABLE_ALARM: Severity.LIFE_SAFETY,
    AlertKind.CAREGIVER_PANIC: Severity.LIFE_SAFETY,
    AlertKind.WATER: Severity.WARNING,
}


VITAL_KINDS = (
    AlertKind.HEART_RATE,
    AlertKind.SPO2,
    AlertKind.BLOOD_PRESSURE,
    AlertKind.TEMPERATURE,
    AlertKind.RESPIRATORY_RATE,
    AlertKind.GLUCOSE,
    AlertKind.EARLY_WARNING,
    AlertKind.NO_READINGS,
)
"""Kinds that a reading raises: to know of one is to know a health fact."""


def severity_of(kind: AlertKind) -> Severity:
    """The severity of a kind; anything a terminal calls an alarm and we do not know is HIGH."""
    return _SEVERITY.get(kind, Severity.HIGH)


def kind_of(word: str) -> AlertKind:
    """The kind for a terminal's word. An unknown word is still an alarm: ``other``; no terminal is a caregiver."""
    try:
        kind = AlertKind(word)
    except ValueError:
        return AlertKind.OTHER
    return AlertKind.OTHER if kind is AlertKind.CAREGIVER_PANIC else kind
