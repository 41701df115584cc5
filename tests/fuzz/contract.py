"""What must hold for any bytes whatever: a canonical message, or a refusal with a documented code."""

import math
from datetime import UTC, datetime
from typing import Final

from devices.codecs.registry import CODECS
from devices.messages import (
    MAX_ID_LENGTH,
    MAX_READINGS,
    MAX_SEQ,
    Alarm,
    AlarmReceipt,
    MalformedMessage,
    Message,
    StatusReceipt,
)
from devices.topics import UpChannel

NOW: Final = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
LIMITS: Final = {UpChannel.ALARM: 16_384, UpChannel.VITALS: 65_536, UpChannel.STATUS: 4_096}
CODES: Final = frozenset(
    {
        "too_large",
        "not_utf8",
        "not_json",
        "not_cbor",
        "not_xml",
        "forbidden_xml",
        "too_deep",
        "wrong_type",
        "missing_field",
        "out_of_range",
        "no_readings",
        "too_many_readings",
        "unknown_kind",
        "bad_unit",
        "bad_time",
        "unknown_state",
    }
)


def check(codec: str, channel: UpChannel, payload: bytes) -> str:
    """Decode; the code of the refusal, or ``taken``. ``AssertionError`` (or whatever escapes) is a finding."""
    try:
        message = CODECS[codec].decode(channel, payload, NOW, LIMITS[channel])
    except MalformedMessage as refused:
        refusal = refused
    else:
        _check(codec, message)
        return "taken"
    assert refusal.code in CODES, refusal.code
    assert refusal.seq is not None or refusal.id is not None
    assert refusal.seq is None or 0 <= refusal.seq <= MAX_SEQ
    assert len(refusal.detail) < 200
    for alarm in refusal.alarms:
        _check_alarm(codec, alarm)
    assert CODECS[codec].encode_receipt(refusal.receipt(channel.value, NOW), 300)
    return refusal.code


def _check(codec: str, message: Message) -> None:
    for alarm in message.alarms:
        _check_alarm(codec, alarm)
    assert len({alarm.id for alarm in message.alarms}) == len(message.alarms) <= 20
    if message.vitals is not None:
        assert 0 <= message.vitals.seq <= MAX_SEQ
        assert 1 <= len(message.vitals.readings) <= 2 * MAX_READINGS
        for reading in message.vitals.readings:
            assert math.isfinite(reading.value)
            assert type(reading.value) is float or isinstance(reading.value, int)
            assert reading.measured_at.tzinfo is UTC
    if message.status is not None:
        assert message.status.state in ("online", "offline", "heartbeat")
        assert message.status.battery is None or 0 <= message.status.battery <= 100
        assert message.status.signal_dbm is None or -200 <= message.status.signal_dbm <= 0
        _check_text(message.status.firmware, 64)
        if message.status.id is not None:
            assert CODECS[codec].encode_receipt(StatusReceipt(message.status.id, NOW), 300)


def _check_alarm(codec: str, alarm: Alarm) -> None:
    assert 1 <= len(alarm.id) <= MAX_ID_LENGTH
    _check_text(alarm.id, MAX_ID_LENGTH)
    _check_text(alarm.note, 500)
    _check_text(alarm.reported_kind, 500)
    assert alarm.at.tzinfo is UTC
    assert alarm.reported_at is None or alarm.reported_at.tzinfo is UTC
    assert alarm.battery is None or 0 <= alarm.battery <= 100
    if alarm.position is not None:
        assert abs(alarm.position.lat) <= 90
        assert abs(alarm.position.lng) <= 180
    assert CODECS[codec].encode_receipt(AlarmReceipt(alarm.id, "received", NOW), None)


def _check_text(text: str | None, length: int) -> None:
    """A database must be able to store it: no NUL, no lone surrogate."""
    if text is not None:
        assert len(text) <= length
        assert "\x00" not in text
        text.encode()
