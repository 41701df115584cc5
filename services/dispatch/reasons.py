"""Why a caregiver fits or does not: a stable code and a sentence in both languages."""

from enum import StrEnum

from pydantic import BaseModel


class Level(StrEnum):
    BLOCKING = "blocking"  # rules the caregiver out; an override may pass some of these
    WARNING = "warning"  # fits, but somebody should know
    PLUS = "plus"  # speaks for the caregiver


class Reason(BaseModel):
    """One reason. ``points`` is what it adds to the score, out of 100 for all reasons together.

    ``never_passed``: no override lets the caregiver in against it.
    """

    code: str
    level: Level
    zh: str
    en: str
    points: float | None = None
    never_passed: bool | None = None
