"""The platform's own message, as ``docs/mqtt.md`` describes it, whatever carries it: JSON or CBOR.

Here are the rules of its fields, once. Vitals are strict, because a wrong number is worse than none; alarms are
lenient, because somebody pressed something.
"""

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Literal, cast

import msgspec

from devices.codecs.codec import arrival_id, payload_digest
from devices.codecs.lenient import (
    clean,
    read_alarm_id,
    read_datetime,
    read_flag,
    read_instant,
    read_integer,
    read_position,
    read_text,
)
from devices.codecs.units import UNITS, converter
from devices.messages import (
    MAX_READINGS,
    MAX_SEQ,
    Alarm,
    AlarmKind,
    CommandReport,
    MalformedMessage,
    Reading,
    ReadingKind,
    StatusMessage,
    VitalsMessage,
)

# An alarm's own time is believed inside this window around its arrival. Ahead: more than a clock drifts
# between two synchronisations. Behind: a terminal may repeat an alarm through days without a network.
CLOCK_AHEAD: Final = timedelta(minutes=5)
CLOCK_BEHIND: Final = timedelta(days=7)

NOTE_LENGTH: Final = 500
NAME_LENGTH: Final = 64

_PRESSURE: Final = "blood_pressure"
_KINDS: Final[dict[str, ReadingKind]] = {
    kind.value: kind for kind in ReadingKind if kind not in (ReadingKind.SYSTOLIC_BP, ReadingKind.DIASTOLIC_BP)
}
_SENSORS: Final = frozenset({*_KINDS, _PRESSURE})
_NUMBERS: Final = ("value", "systolic", "diastolic")


class WireReading(msgspec.Struct, frozen=True, gc=False):
    """One reading as it is sent."""

    kind: str
    at: datetime
    value: float | None = None
    systolic: float | None = None
    diastolic: float | None = None
    unit: str | None = None


class WireVitals(msgspec.Struct, frozen=True, gc=False):
    """A vitals message as it is sent."""

    seq: Annotated[int, msgspec.Meta(ge=0, le=MAX_SEQ)]
    readings: Annotated[list[WireReading], msgspec.Meta(min_length=1, max_length=MAX_READINGS)]


def vitals_of(wire: WireVitals) -> VitalsMessage:
    """The canonical message. Raises ``MalformedMessage``.

    Every finite number is kept, plausible or not. Blood pressure becomes two readings, a value in another named
    unit becomes one in the unit of its kind, times become UTC.
    """
    readings: list[Reading] = []
    for index, item in enumerate(wire.readings):
        kind = _KINDS.get(item.kind)
        if kind is None or item.value is None or item.unit is not None:
            readings += _unusual(item, index)
        else:
            readings.append(Reading(kind, item.value, _utc(item.at, index)))
    return VitalsMessage(wire.seq, tuple(readings))


def _utc(at: datetime, index: int) -> datetime:
    zone = at.tzinfo
    if zone is UTC:
        return at
    if zone is None:
        raise MalformedMessage("bad_time", f"readings[{index}].at has no offset")
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise MalformedMessage("bad_time", f"readings[{index}].at is outside the calendar") from None


def _unusual(item: WireReading, index: int) -> tuple[Reading, ...]:
    """Blood pressure, a named unit, or a mistake."""
    place = f"readings[{index}]"
    if item.kind == _PRESSURE:
        systolic = _measured(ReadingKind.SYSTOLIC_BP, item.systolic, item, index)
        diastolic = _measured(ReadingKind.DIASTOLIC_BP, item.diastolic, item, index)
        if systolic is None or diastolic is None:
            raise MalformedMessage("missing_field", f"{place} needs systolic and diastolic")
        return (systolic, diastolic)
    kind = _KINDS.get(item.kind)
    if kind is None:
        raise MalformedMessage("unknown_kind", f"{place}.kind")
    reading = _measured(kind, item.value, item, index)
    if reading is None:
        raise MalformedMessage("missing_field", f"{place} needs value")
    return (reading,)


def _measured(kind: ReadingKind, value: float | None, item: WireReading, index: int) -> Reading | None:
    """One value in the unit of its kind."""
    convert = float if item.unit is None else converter(kind, item.unit)
    if convert is None:
        raise MalformedMessage("bad_unit", f"readings[{index}].unit must be {UNITS[kind]}")
    if value is None:
        return None
    converted = convert(value)
    if not math.isfinite(converted):
        raise MalformedMessage("out_of_range", f"readings[{index}] is too large in {UNITS[kind]}")
    return Reading(kind, converted, _utc(item.at, index))


def as_object(value: object) -> Mapping[str, Any]:
    """A message is an object."""
    if not isinstance(value, dict):
        raise MalformedMessage("wrong_type", "the message must be an object")
    return cast("Mapping[str, Any]", value)


def why_vitals(value: object) -> MalformedMessage:
    """The first thing wrong with a message that the typed decoder refused.

    Worked out by hand, so that the code is ours and no library's text reaches a log.
    """
    if not isinstance(value, dict):
        return MalformedMessage("wrong_type", "the message must be an object")
    message = cast("Mapping[str, Any]", value)
    for field in ("seq", "readings"):
        if field not in message:
            return MalformedMessage("missing_field", field)
    seq, readings = message["seq"], message["readings"]
    if not isinstance(seq, int) or isinstance(seq, bool):
        return MalformedMessage("wrong_type", "seq must be an integer")
    if not 0 <= seq <= MAX_SEQ:
        return MalformedMessage("out_of_range", f"seq must be 0 to {MAX_SEQ}")
    if not isinstance(readings, list):
        return MalformedMessage("wrong_type", "readings must be an array")
    if not readings:
        return MalformedMessage("no_readings", "readings is empty")
    if len(readings) > MAX_READINGS:
        return MalformedMessage("too_many_readings", f"more than {MAX_READINGS} readings")
    for index, item in enumerate(readings):
        problem = _why_reading(item, f"readings[{index}]")
        if problem is not None:
            return problem
    return MalformedMessage("wrong_type", "the message does not follow the schema")


def _why_reading(item: object, place: str) -> MalformedMessage | None:
    if not isinstance(item, dict):
        return MalformedMessage("wrong_type", f"{place} must be an object")
    for field in ("kind", "at"):
        if field not in item:
            return MalformedMessage("missing_field", f"{place}.{field}")
        if not isinstance(item[field], str):
            return MalformedMessage("wrong_type", f"{place}.{field} must be a string")
    for field in _NUMBERS:
        value = item.get(field)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            return MalformedMessage("wrong_type", f"{place}.{field} must be a number")
        if not _is_finite(value):
            return MalformedMessage("out_of_range", f"{place}.{field} is not a finite number")
    if not isinstance(item.get("unit"), str | None):
        return MalformedMessage("wrong_type", f"{place}.unit must be a string")
    if read_datetime(item["at"]) is None:
        return MalformedMessage("bad_time", f"{place}.at is not an RFC 3339 time")
    return None


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond the largest float
        return False


def name_refusal(refusal: MalformedMessage, message: object, payload: bytes, field: str) -> None:
    """Tell the refusal which message it is about, so that its terminal can stop sending it."""
    value = message.get(field) if isinstance(message, dict) else None
    if field == "seq" and isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_SEQ:
        refusal.seq = value
    elif field == "id" and (alarm_id := read_alarm_id(value)) is not None:
        refusal.id = alarm_id
    else:
        refusal.id = payload_digest(payload)


def trusted(reported_at: datetime | None, received_at: datetime) -> bool:
    """Whether an alarm's own time is believed."""
    return reported_at is not None and received_at - CLOCK_BEHIND <= reported_at <= received_at + CLOCK_AHEAD


def alarm_of(value: object, payload: bytes, received_at: datetime) -> Alarm:
    """An alarm: only ``kind`` is needed, whatever else is wrong is left out and marked.

    ``received_at`` (aware) stands in for a time that is missing or absurd. Raises ``MalformedMessage`` when there
    is no readable ``kind``; the caller raises an alert all the same.
    """
    message = as_object(value)
    if "kind" not in message:
        raise MalformedMessage("missing_field", "kind")
    reported_kind = clean(message["kind"], NAME_LENGTH)
    if reported_kind is None:
        raise MalformedMessage("wrong_type", "kind must be a non-empty string")
    marks: list[str] = []
    try:
        kind = AlarmKind(reported_kind.lower())
    except ValueError:
        kind = AlarmKind.UNKNOWN
        marks.append("kind_unknown")
    alarm_id = read_alarm_id(message.get("id"))
    if alarm_id is None:
        marks.append("id_missing")
    reported_at = read_instant(message.get("at"), "at" in message, marks)
    is_trusted = trusted(reported_at, received_at)
    if reported_at is not None and not is_trusted:
        marks.append("time_absurd")
    if alarm_id is None:
        digest = payload_digest(payload)
        alarm_id = digest if is_trusted else arrival_id(digest, received_at)
    return Alarm(
        id=alarm_id,
        kind=kind,
        at=reported_at if is_trusted and reported_at is not None else received_at,
        time_source="terminal" if is_trusted else "server",
        reported_at=reported_at,
        reported_kind=reported_kind,
        position=read_position(message.get("position"), marks),
        battery=read_integer(message, "battery", 0, 100, marks),
        note=read_text(message, "note", NOTE_LENGTH, marks),
        marks=tuple(marks),
    )


def status_of(value: object) -> StatusMessage:
    """A status: ``state`` is needed, an unreadable extra is left out and marked. Raises ``MalformedMessage``."""
    message = as_object(value)
    if "state" not in message:
        raise MalformedMessage("missing_field", "state")
    state = message["state"]
    if state not in ("online", "offline", "heartbeat"):
        raise MalformedMessage("unknown_state", "state must be online, offline or heartbeat")
    marks: list[str] = []
    return StatusMessage(
        state=state,
        at=read_instant(message["at"], True, marks) if "at" in message else None,
        battery=read_integer(message, "battery", 0, 100, marks),
        signal_dbm=read_integer(message, "signal", -200, 0, marks),
        firmware=read_text(message, "firmware", NAME_LENGTH, marks),
        tamper=read_flag(message, "tamper", marks),
        sensors=_sensors_of(message.get("sensors"), marks),
        command=_command_of(message.get("command"), marks),
        marks=tuple(marks),
    )


def _sensors_of(value: object, marks: list[str]) -> dict[str, Literal["on", "off"]] | None:
    """Which kinds are switched on or off; an entry that cannot be read is left out."""
    if value is None:
        return None
    said = value if isinstance(value, dict) else {}
    known = {name: state for name, state in said.items() if name in _SENSORS and state in ("on", "off")}
    if known != value:
        marks.append("sensors_dropped")
    return known or None


def _command_of(value: object, marks: list[str]) -> CommandReport | None:
    """An answer to a command. Without a readable id and state it is none; the heartbeat around it still is one."""
    if value is None:
        return None
    report = value if isinstance(value, dict) else {}
    command_id, state = read_alarm_id(report.get("id")), report.get("state")
    if command_id is None or state not in ("received", "done", "failed", "refused"):
        marks.append("command_dropped")
        return None
    return CommandReport(
        id=command_id,
        state=state,
        detail=clean(report.get("detail"), NOTE_LENGTH),
        position=read_position(report.get("position"), marks),
    )
