"""Flat key/value telemetry as ThingsBoard takes it, which many gateways speak.

``{"heartRate": 71}``, ``{"ts": 1451649600512, "values": {"heartRate": 71}}``, or an array of either; ``ts`` is in
milliseconds since 1970, and without it the time of arrival stands. Which key means what is a table:
``data/telemetry_keys.json``. A key that is not in it is ignored and marked.

One message may hold readings, a call for help and the battery at once, so all three are looked for on any channel;
only ``up/alarm`` takes no readings, because nothing there may wait for them.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any, Final, NamedTuple, cast

import msgspec

from devices.codecs.codec import Codec, arrival_id, payload_digest, payload_seq
from devices.codecs.lenient import clean, read_integer, read_text
from devices.codecs.native_json import parse
from devices.codecs.native_message import NAME_LENGTH, trusted
from devices.codecs.units import converter
from devices.messages import (
    MAX_READINGS,
    Alarm,
    AlarmKind,
    MalformedMessage,
    Message,
    Reading,
    ReadingKind,
    Receipt,
    StatusMessage,
    StatusReceipt,
    VitalsMessage,
    encode_receipt,
)
from devices.topics import UpChannel

_TABLE: Final[dict[str, Any]] = msgspec.json.decode(
    (files("devices.codecs") / "data" / "telemetry_keys.json").read_bytes()
)
_READINGS: Final = {
    key: (ReadingKind(kind), unit)
    for kind, units in _TABLE["readings"].items()
    for unit, keys in units.items()
    for key in keys
}
_FLAGS: Final = {key: AlarmKind(kind) for kind, keys in _TABLE["flags"].items() for key in keys}
_WORDS: Final = _FLAGS | {word: AlarmKind(kind) for kind, words in _TABLE["words"].items() for word in words}
_NAMED: Final = frozenset(_TABLE["named"])
_STATUS: Final[dict[str, str]] = {key: field for field, keys in _TABLE["status"].items() for key in keys}
_NO: Final = frozenset(_TABLE["no"])
_PUNCTUATION: Final = str.maketrans("", "", "_-. ")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MAX_ALARMS: Final = 20


class _Entry(NamedTuple):
    """Values of one moment."""

    at: datetime | None
    has_bad_time: bool
    values: Mapping[str, Any]
    place: str


def _word(text: str) -> str:
    return text.translate(_PUNCTUATION).lower()


def _time(ts: object) -> datetime | None:
    if isinstance(ts, bool) or not isinstance(ts, int):
        return None
    try:
        return _EPOCH + timedelta(milliseconds=ts)
    except OverflowError:
        return None


def _entries(message: object) -> tuple[list[_Entry], MalformedMessage | None]:
    """The entries that can be read, and the first thing that is wrong with the others."""
    is_array = isinstance(message, list)
    entries: list[_Entry] = []
    problem: MalformedMessage | None = None
    for index, item in enumerate(cast("list[Any]", message) if is_array else [message]):
        try:
            entries.append(_entry(item, f"[{index}]" if is_array else "message"))
        except MalformedMessage as refusal:
            problem = problem or refusal
    return entries, problem


def _entry(item: object, place: str) -> _Entry:
    if not isinstance(item, dict):
        raise MalformedMessage("wrong_type", f"{place} must be an object")
    values: object = item.get("values", item)
    if not isinstance(values, dict):
        raise MalformedMessage("wrong_type", f"{place}.values must be an object")
    at = _time(item.get("ts"))
    return _Entry(at, at is None and "ts" in item, values, place)


def _pairs(entry: _Entry) -> Iterator[tuple[str, str, Any]]:
    """Key as sent, key as compared, value."""
    for key, value in entry.values.items():
        if key not in ("ts", "values"):
            yield key, _word(key), value


def _says_no(value: object) -> bool:
    """Whether an alarm key says that there is no alarm. What is neither yes nor no is a yes."""
    if value is None or isinstance(value, bool | int | float):
        return not value
    return isinstance(value, str) and _word(value) in _NO


def _alarm_kind(word: str, value: object) -> AlarmKind | None:
    """What a key with its value calls for; ``None`` for a key that is no alarm's."""
    if word in _FLAGS:
        return _FLAGS[word]
    if word not in _NAMED:
        return None
    said = _word(value) if isinstance(value, str) else ""
    return _WORDS.get(said, AlarmKind.UNKNOWN)


def _alarms(entries: list[_Entry], payload: bytes, received_at: datetime) -> tuple[tuple[Alarm, ...], bool]:
    """The calls in a message, and whether it has any alarm key, be it one that says no.

    Several of one kind and time are one call. Beyond ``MAX_ALARMS`` the others would only be more presses of the
    same alerts.
    """
    found: dict[str, Alarm] = {}
    has_key = False
    digest = payload_digest(payload)
    for entry in entries:
        for key, word, value in _pairs(entry):
            kind = _alarm_kind(word, value)
            if kind is None:
                continue
            has_key = True
            if not _says_no(value) and len(found) < MAX_ALARMS:
                alarm = _alarm(kind, key, value, entry, digest, received_at)
                found.setdefault(alarm.id, alarm)
    return tuple(found.values()), has_key


def _alarm(kind: AlarmKind, key: str, value: object, entry: _Entry, digest: str, received_at: datetime) -> Alarm:
    marks: list[str] = []
    is_trusted = trusted(entry.at, received_at)
    if entry.at is None:
        marks.append("time_unreadable" if entry.has_bad_time else "time_missing")
    elif not is_trusted:
        marks.append("time_absurd")
    if kind is AlarmKind.UNKNOWN:
        marks.append("kind_unknown")
    at = entry.at if is_trusted and entry.at is not None else received_at
    own = f"{kind.value}-{at.timestamp() * 1000:.0f}"
    said = clean(value, NAME_LENGTH) if isinstance(value, str) else None
    status = _status_fields([entry], [])
    return Alarm(
        id=own if is_trusted else arrival_id(f"{kind.value}-{digest}", received_at),
        kind=kind,
        at=at,
        time_source="terminal" if is_trusted else "server",
        reported_at=entry.at,
        reported_kind=said if _word(key) in _NAMED and said else clean(key, NAME_LENGTH),
        battery=read_integer(status, "battery", 0, 100, marks),
        marks=tuple(marks),
    )


def _readings(entries: list[_Entry], received_at: datetime, marks: list[str]) -> tuple[Reading, ...]:
    """Strict: one value that cannot be a measurement refuses the message."""
    found: list[Reading] = []
    for entry in entries:
        for _, word, value in _pairs(entry):
            known = _READINGS.get(word)
            if known is None:
                if word not in _STATUS and _alarm_kind(word, value) is None and "unknown_key" not in marks:
                    marks.append("unknown_key")
                continue
            if value is None:
                marks.append("empty_value")
                continue
            found.append(_reading(known, value, entry, received_at))
            if len(found) > MAX_READINGS:
                raise MalformedMessage("too_many_readings", f"more than {MAX_READINGS} readings")
    return tuple(found)


def _reading(known: tuple[ReadingKind, str], value: object, entry: _Entry, received_at: datetime) -> Reading:
    kind, unit = known
    place = f"{entry.place}: {kind.value}"
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise MalformedMessage("wrong_type", f"{place} must be a number")
    if entry.has_bad_time:
        raise MalformedMessage(
            "bad_time", f"{entry.place}.ts must be milliseconds since 1970, within the calendar"
        )
    convert = converter(kind, unit)
    assert convert is not None  # noqa: S101  the table is checked when it is loaded
    if not -1e300 < value < 1e300:
        raise MalformedMessage("out_of_range", f"{place} is too large")
    return Reading(kind, convert(float(value)), entry.at or received_at)


def _status_fields(entries: list[_Entry], marks: list[str]) -> dict[str, Any]:
    """The newest word on battery, signal and firmware; entries stand in the order in which they were sent."""
    fields: dict[str, Any] = {}
    for entry in entries:
        for _, word, value in _pairs(entry):
            if word in _STATUS and value is not None:
                fields[_STATUS[word]] = value
    state = fields.get("state")
    if state is not None and not (isinstance(state, str) and state in ("online", "offline", "heartbeat")):
        marks.append("state_dropped")
        del fields["state"]
    return fields


def _status(entries: list[_Entry]) -> StatusMessage | None:
    """Without a time: ``ts`` is when something was measured; sent late, it tells nothing of the clock."""
    marks: list[str] = []
    fields = _status_fields(entries, marks)
    if not fields:
        return None
    return StatusMessage(
        state=fields.get("state", "heartbeat"),
        battery=read_integer(fields, "battery", 0, 100, marks),
        signal_dbm=read_integer(fields, "signal", -200, 0, marks),
        firmware=read_text(fields, "firmware", NAME_LENGTH, marks),
        marks=tuple(marks),
    )


def decode(channel: UpChannel, payload: bytes, received_at: datetime, limit: int) -> Message:
    """Whatever a gateway sends; see ``Codec``."""
    alarms: tuple[Alarm, ...] = ()
    try:
        if len(payload) > limit:
            raise MalformedMessage("too_large", f"more than {limit} bytes")
        entries, problem = _entries(parse(payload))
        alarms, has_alarm_key = _alarms(entries, payload, received_at)
        if problem is not None and not (channel is UpChannel.ALARM and has_alarm_key):
            raise problem
        return _message(channel, entries, alarms, has_alarm_key, payload, received_at)
    except MalformedMessage as refusal:
        refusal.alarms = alarms
        if channel is UpChannel.VITALS:
            refusal.seq = payload_seq(payload)
        else:
            refusal.id = payload_digest(payload)
        raise


def _message(
    channel: UpChannel,
    entries: list[_Entry],
    alarms: tuple[Alarm, ...],
    has_alarm_key: bool,
    payload: bytes,
    received_at: datetime,
) -> Message:
    marks: list[str] = []
    status = _status(entries)
    if channel is UpChannel.ALARM:
        if not has_alarm_key:
            raise MalformedMessage("missing_field", "no key of an alarm")
        if any(word in _READINGS for entry in entries for _, word, _ in _pairs(entry)):
            marks.append("readings_left_out")
        return Message(alarms=alarms, status=status, marks=tuple(marks))
    readings = _readings(entries, received_at, marks)
    if channel is UpChannel.VITALS and not readings and not has_alarm_key and status is None:
        raise MalformedMessage("no_readings", "no key that is known")
    if channel is UpChannel.STATUS and status is None and not has_alarm_key and not readings:
        raise MalformedMessage("unknown_state", "no key of a status")
    vitals = VitalsMessage(payload_seq(payload), readings) if readings else None
    return Message(alarms=alarms, vitals=vitals, status=status, marks=tuple(marks))


def _receipt(receipt: Receipt | StatusReceipt, _heartbeat_seconds: int | None) -> bytes | None:
    return None if isinstance(receipt, StatusReceipt) else encode_receipt(receipt)


if any(converter(kind, unit) is None for kind, unit in _READINGS.values()):
    raise ValueError("telemetry_keys.json names a unit that does not belong to its kind")

CODEC: Final = Codec("thingsboard", decode, _receipt, msgspec.json.encode)
