"""The platform's own message format: JSON in UTF-8, as ``docs/mqtt.md`` describes it.

Three pure functions. Vitals are strict, because a wrong number is worse than none; alarms are lenient,
because somebody pressed something. None raises anything but ``MalformedMessage``, whatever the bytes.
"""

import hashlib
import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, cast

import msgspec

from devices.codecs.lenient import (
    clean,
    read_alarm_id,
    read_datetime,
    read_instant,
    read_integer,
    read_position,
    read_text,
)
from devices.messages import (
    MAX_READINGS,
    MAX_SEQ,
    Alarm,
    AlarmKind,
    MalformedMessage,
    Reading,
    ReadingKind,
    StatusMessage,
    VitalsMessage,
)

ALARM_LIMIT: Final = 16_384
VITALS_LIMIT: Final = 65_536
STATUS_LIMIT: Final = 4_096

# An alarm's own time is believed inside this window around its arrival. Ahead: more than a clock drifts
# between two synchronisations. Behind: a terminal may repeat an alarm through days without a network.
CLOCK_AHEAD: Final = timedelta(minutes=5)
CLOCK_BEHIND: Final = timedelta(days=7)

NOTE_LENGTH: Final = 500
NAME_LENGTH: Final = 64

MMOL_PER_MGDL: Final = 0.0555
"""Glucose, mg/dL to mmol/L: 10 / 180.16 g/mol, the molar mass of glucose."""

_PRESSURE: Final = "blood_pressure"
_KINDS: Final[dict[str, ReadingKind]] = {
    kind.value: kind for kind in ReadingKind if kind not in (ReadingKind.SYSTOLIC_BP, ReadingKind.DIASTOLIC_BP)
}
_UNITS: Final[dict[str, str]] = {
    "heart_rate": "/min",
    "spo2": "%",
    _PRESSURE: "mm[Hg]",
    "temperature": "Cel",
    "respiratory_rate": "/min",
    "glucose": "mmol/L",
    "steps": "{steps}",
}
_NUMBERS: Final = ("value", "systolic", "diastolic")


class _WireReading(msgspec.Struct, frozen=True, gc=False):
    kind: str
    at: datetime
    value: float | None = None
    systolic: float | None = None
    diastolic: float | None = None
    unit: str | None = None


class _WireVitals(msgspec.Struct, frozen=True, gc=False):
    seq: Annotated[int, msgspec.Meta(ge=0, le=MAX_SEQ)]
    readings: Annotated[list[_WireReading], msgspec.Meta(min_length=1, max_length=MAX_READINGS)]


_vitals_decoder: Final = msgspec.json.Decoder(_WireVitals)
_any_decoder: Final = msgspec.json.Decoder()

# What msgspec raises: its own errors and UnicodeDecodeError are ValueErrors, deep nesting a RecursionError.
_DECODE_ERRORS: Final = (ValueError, RecursionError)


def decode_vitals(payload: bytes, *, limit: int = VITALS_LIMIT) -> VitalsMessage:
    """Read an ``up/vitals`` message: taken whole or refused whole.

    Every finite number is kept, plausible or not. Blood pressure becomes two readings, glucose in mg/dL
    becomes mmol/L, times become UTC. Raises ``MalformedMessage``.
    """
    try:
        return _decode_vitals(payload, limit)
    except MalformedMessage as refusal:
        _name(refusal, payload, "seq")
        raise


def _decode_vitals(payload: bytes, limit: int) -> VitalsMessage:
    if len(payload) > limit:
        raise MalformedMessage("too_large", f"more than {limit} bytes")
    try:
        wire = _vitals_decoder.decode(payload)
    except _DECODE_ERRORS:
        # Worked out a second time by hand, so that the code is ours and no library text reaches a log.
        raise _why_vitals(payload) from None
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


def _unusual(item: _WireReading, index: int) -> tuple[Reading, ...]:
    """Blood pressure, a named unit, or a mistake."""
    place = f"readings[{index}]"
    unit = _UNITS.get(item.kind)
    if unit is None:
        raise MalformedMessage("unknown_kind", f"{place}.kind")
    factor = 1.0
    if item.unit is not None and item.unit != unit:
        if item.kind != ReadingKind.GLUCOSE or item.unit != "mg/dL":
            raise MalformedMessage("bad_unit", f"{place}.unit must be {unit}")
        factor = MMOL_PER_MGDL
    if item.kind == _PRESSURE:
        if item.systolic is None or item.diastolic is None:
            raise MalformedMessage("missing_field", f"{place} needs systolic and diastolic")
        at = _utc(item.at, index)
        return (
            Reading(ReadingKind.SYSTOLIC_BP, item.systolic, at),
            Reading(ReadingKind.DIASTOLIC_BP, item.diastolic, at),
        )
    if item.value is None:
        raise MalformedMessage("missing_field", f"{place} needs value")
    return (Reading(_KINDS[item.kind], item.value * factor, _utc(item.at, index)),)


def _parse(payload: bytes) -> Any:
    """Any JSON value, or ``MalformedMessage`` with the reason."""
    try:
        return _any_decoder.decode(payload)
    except RecursionError:
        raise MalformedMessage("too_deep", "nested too deeply") from None
    except ValueError as error:
        if isinstance(error, msgspec.ValidationError):
            raise MalformedMessage("out_of_range", "a number is too large") from None
        if _is_utf8(payload):
            raise MalformedMessage("not_json", "not a JSON text") from None
        raise MalformedMessage("not_utf8", "not UTF-8") from None


def _is_utf8(payload: bytes) -> bool:
    try:
        payload.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _parse_object(payload: bytes) -> Mapping[str, Any]:
    value = _parse(payload)
    if not isinstance(value, dict):
        raise MalformedMessage("wrong_type", "the message must be an object")
    return cast("Mapping[str, Any]", value)


def _why_vitals(payload: bytes) -> MalformedMessage:
    """The first thing wrong with a message that the typed decoder refused."""
    try:
        message = _parse_object(payload)
    except MalformedMessage as error:
        return error
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


def payload_digest(payload: bytes) -> str:
    """The name of a message that brought none: the same bytes again are the same message."""
    return hashlib.sha256(payload).hexdigest()


def _name(refusal: MalformedMessage, payload: bytes, field: str) -> None:
    """Tell the refusal which message it is about, so that its terminal can stop sending it."""
    try:
        message = _parse(payload)
    except MalformedMessage:
        message = None
    value = message.get(field) if isinstance(message, dict) else None
    if field == "seq" and isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_SEQ:
        refusal.seq = value
    elif field == "id" and (alarm_id := read_alarm_id(value)) is not None:
        refusal.id = alarm_id
    else:
        refusal.id = payload_digest(payload)


def decode_alarm(payload: bytes, received_at: datetime, *, limit: int = ALARM_LIMIT) -> Alarm:
    """Read an ``up/alarm`` message: only ``kind`` is needed, whatever else is wrong is left out and marked.

    ``received_at`` (aware) stands in for a time that is missing or absurd. Raises ``MalformedMessage``
    when there is no readable ``kind``; the caller raises an alert all the same.
    """
    try:
        return _decode_alarm(payload, received_at, limit)
    except MalformedMessage as refusal:
        _name(refusal, payload, "id")
        raise


def _decode_alarm(payload: bytes, received_at: datetime, limit: int) -> Alarm:
    if len(payload) > limit:
        raise MalformedMessage("too_large", f"more than {limit} bytes")
    message = _parse_object(payload)
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
        alarm_id = payload_digest(payload)
        marks.append("id_missing")
    reported_at = read_instant(message.get("at"), "at" in message, marks)
    trusted = reported_at is not None and (received_at - CLOCK_BEHIND <= reported_at <= received_at + CLOCK_AHEAD)
    if reported_at is not None and not trusted:
        marks.append("time_absurd")
    return Alarm(
        id=alarm_id,
        kind=kind,
        at=reported_at if trusted and reported_at is not None else received_at,
        time_source="terminal" if trusted else "server",
        reported_at=reported_at,
        reported_kind=reported_kind,
        position=read_position(message.get("position"), marks),
        battery=read_integer(message, "battery", 0, 100, marks),
        note=read_text(message, "note", NOTE_LENGTH, marks),
        marks=tuple(marks),
    )


def decode_status(payload: bytes, *, limit: int = STATUS_LIMIT) -> StatusMessage:
    """Read an ``up/status`` message: ``state`` is needed, an unreadable extra is left out and marked.

    Raises ``MalformedMessage``.
    """
    try:
        return _decode_status(payload, limit)
    except MalformedMessage as refusal:
        _name(refusal, payload, "")
        raise


def _decode_status(payload: bytes, limit: int) -> StatusMessage:
    if len(payload) > limit:
        raise MalformedMessage("too_large", f"more than {limit} bytes")
    message = _parse_object(payload)
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
        marks=tuple(marks),
    )
