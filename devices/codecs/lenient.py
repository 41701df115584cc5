"""Reading the fields of a message that must not fail: what cannot be read is left out, and marked.

Each reader gets the list of marks, in which it names what it had to forgive.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from devices.messages import MAX_ID_LENGTH, Position

# PostgreSQL text refuses NUL, and no other control character has business in a name or a note.
_CONTROL: Final = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)])


def read_datetime(text: object) -> datetime | None:
    """An RFC 3339 time, with or without offset; ``None`` for anything else."""
    if not isinstance(text, str):
        return None
    try:
        return msgspec.convert(text, datetime)
    except msgspec.ValidationError:
        return None


def clean(value: object, length: int) -> str | None:
    """A string without control characters, cut to ``length``; or nothing."""
    if not isinstance(value, str):
        return None
    return value.translate(_CONTROL).strip()[:length] or None


def read_alarm_id(value: object) -> str | None:
    """An id as it stands, or ``None``: cutting it could make two alarms one."""
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_ID_LENGTH:
        return None
    return value if value.translate(_CONTROL) == value else None


def read_instant(value: object, present: bool, marks: list[str]) -> datetime | None:
    """An aware UTC time, or ``None`` with the reason marked."""
    if not present:
        marks.append("time_missing")
        return None
    at = read_datetime(value)
    if at is None:
        marks.append("time_unreadable")
        return None
    if at.tzinfo is None:
        marks.append("time_without_offset")
        return None
    try:
        return at.astimezone(UTC)
    except OverflowError:
        marks.append("time_absurd")
        return None


def read_integer(message: Mapping[str, Any], field: str, low: int, high: int, marks: list[str]) -> int | None:
    """A number between ``low`` and ``high``, rounded."""
    value = message.get(field)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        marks.append(f"{field}_dropped")
        return None
    return round(value)


def read_text(message: Mapping[str, Any], field: str, length: int, marks: list[str]) -> str | None:
    """A text without control characters, at most ``length`` long."""
    value = message.get(field)
    if value is None:
        return None
    text = clean(value, length)
    if text != value:
        marks.append(f"{field}_changed")
    return text


def read_flag(message: Mapping[str, Any], field: str, marks: list[str]) -> bool | None:
    """True or false, and nothing that merely looks like it."""
    value = message.get(field)
    if value is None or isinstance(value, bool):
        return value
    marks.append(f"{field}_dropped")
    return None


def read_position(value: object, marks: list[str]) -> Position | None:
    """A place on Earth."""
    if value is None:
        return None
    position: Position | None = None
    try:
        position = msgspec.convert(value, Position)
    except (ValueError, RecursionError):
        marks.append("position_dropped")
        return None
    accuracy = position.accuracy_m
    if abs(position.lat) > 90 or abs(position.lng) > 180 or (accuracy is not None and accuracy < 0):
        marks.append("position_dropped")
        return None
    return position
