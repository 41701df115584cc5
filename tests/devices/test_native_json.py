"""The native codec: what it takes, what it refuses with which code, and that it does nothing else."""

import contextlib
import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.codecs.native_json import (
    ALARM_LIMIT,
    VITALS_LIMIT,
    decode_alarm,
    decode_status,
    decode_vitals,
    payload_digest,
)
from devices.messages import AlarmKind, MalformedMessage, Position, ReadingKind

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
AT = "2026-11-22T15:59:58.250+08:00"
AT_UTC = datetime(2026, 11, 22, 7, 59, 58, 250_000, tzinfo=UTC)


def vitals(*readings: Any, seq: Any = 7, **extra: Any) -> bytes:
    return json.dumps({"seq": seq, "readings": list(readings), **extra}).encode()


def reading(kind: str = "heart_rate", value: Any = 72, at: Any = AT, **extra: Any) -> dict[str, Any]:
    return {"kind": kind, "value": value, "at": at, **extra}


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (reading("heart_rate", 72), [(ReadingKind.HEART_RATE, 72.0)]),
        (reading("spo2", 0), [(ReadingKind.SPO2, 0.0)]),
        (reading("temperature", 36.65), [(ReadingKind.TEMPERATURE, 36.65)]),
        (reading("temperature", 36.6, unit="Cel"), [(ReadingKind.TEMPERATURE, 36.6)]),
        (reading("respiratory_rate", -1e9), [(ReadingKind.RESPIRATORY_RATE, -1e9)]),
        (reading("glucose", 5.6, unit="mmol/L"), [(ReadingKind.GLUCOSE, 5.6)]),
        (reading("glucose", 100, unit="mg/dL"), [(ReadingKind.GLUCOSE, pytest.approx(5.55))]),
        (reading("temperature", 98.6, unit="[degF]"), [(ReadingKind.TEMPERATURE, pytest.approx(37))]),
        (reading("steps", 12_000), [(ReadingKind.STEPS, 12_000.0)]),
        (reading("steps", 1, note="an unknown field is no fault"), [(ReadingKind.STEPS, 1.0)]),
        (
            {"kind": "blood_pressure", "systolic": 138, "diastolic": 0, "at": AT},
            [(ReadingKind.SYSTOLIC_BP, 138.0), (ReadingKind.DIASTOLIC_BP, 0.0)],
        ),
    ],
)
def test_vitals_taken(sent: dict[str, Any], expected: list[tuple[ReadingKind, float]]) -> None:
    message = decode_vitals(vitals(sent))
    assert message.seq == 7
    assert [(r.kind, r.value) for r in message.readings] == expected
    assert {r.measured_at for r in message.readings} == {AT_UTC}


def test_many_readings_with_their_own_times() -> None:
    sent = [reading(at=f"2026-11-22T07:{m:02}:00Z") for m in range(60)]
    message = decode_vitals(vitals(*sent, seq=2**63 - 1))
    assert message.seq == 2**63 - 1
    assert [r.measured_at.minute for r in message.readings] == list(range(60))
    assert all(r.measured_at.tzinfo is UTC for r in message.readings)


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"", "not_json"),
        (b"hello", "not_json"),
        (b'{"seq":1,', "not_json"),
        (b'{"seq":1,"readings":[{"kind":"spo2","value":NaN,"at":"2026-11-22T08:00:00Z"}]}', "not_json"),
        (b'{"seq":1,"readings":[{"kind":"spo2","value":Infinity,"at":"2026-11-22T08:00:00Z"}]}', "not_json"),
        (b"\xef\xbb\xbf{}", "not_json"),
        (b'{"seq":"\xff\xfe"}', "not_utf8"),
        (b"[" * 60_000, "too_deep"),
        (b'{"seq":' + b'{"a":' * 5_000, "too_deep"),
        (b"{" + b" " * VITALS_LIMIT + b"}", "too_large"),
        (b"[]", "wrong_type"),
        (b"null", "wrong_type"),
        (b"{}", "missing_field"),
        (b'{"seq":1}', "missing_field"),
        (b'{"readings":[]}', "missing_field"),
        (vitals(), "no_readings"),
        (vitals(*[reading()] * 501), "too_many_readings"),
        (vitals(reading(), seq="7"), "wrong_type"),
        (vitals(reading(), seq=7.5), "wrong_type"),
        (vitals(reading(), seq=True), "wrong_type"),
        (vitals(reading(), seq=-1), "out_of_range"),
        (vitals(reading(), seq=2**63), "out_of_range"),
        (vitals(reading(), seq=10**400), "out_of_range"),
        (vitals(7), "wrong_type"),
        (vitals({"value": 1, "at": AT}), "missing_field"),
        (vitals({"kind": "spo2", "value": 1}), "missing_field"),
        (vitals({"kind": "spo2", "at": AT}), "missing_field"),
        (vitals({"kind": "blood_pressure", "systolic": 120, "at": AT}), "missing_field"),
        (vitals({"kind": "blood_pressure", "value": 120, "at": AT}), "missing_field"),
        (vitals(reading(value="72")), "wrong_type"),
        (vitals(reading(value=True)), "wrong_type"),
        (vitals(reading(value=None)), "missing_field"),
        (vitals(reading(value=10**400)), "out_of_range"),
        (b'{"seq":1,"readings":[{"kind":"spo2","value":1e999,"at":"2026-11-22T08:00:00Z"}]}', "out_of_range"),
        (vitals(reading(kind="mood")), "unknown_kind"),
        (vitals(reading(kind="systolic_bp")), "unknown_kind"),
        (vitals(reading(kind="spo2\x00")), "unknown_kind"),
        (vitals(reading(unit="bpm")), "bad_unit"),
        (vitals(reading("temperature", 98, unit="kPa")), "bad_unit"),
        (vitals(reading("glucose", 98, unit="MG/DL")), "bad_unit"),
        (vitals(reading(unit=1)), "wrong_type"),
        (vitals(reading(at="2026-11-22T08:00:00")), "bad_time"),
        (vitals(reading(at="yesterday")), "bad_time"),
        (vitals(reading(at=1_795_000_000)), "wrong_type"),
        (vitals(reading(at="0001-01-01T00:00:00+08:00")), "bad_time"),
        (vitals(reading(at="9999-12-31T23:59:59-14:00")), "bad_time"),
        (vitals(reading(), reading(at="2026-02-30T08:00:00Z")), "bad_time"),
    ],
)
def test_vitals_refused(payload: bytes, code: str) -> None:
    with pytest.raises(MalformedMessage) as refused:
        decode_vitals(payload)
    assert refused.value.code == code


def test_a_refusal_never_repeats_what_was_sent() -> None:
    secret = "张三的血糖"
    for payload in (
        vitals(reading(kind=secret)),
        vitals(reading(at=secret)),
        vitals(reading(value=secret)),
        vitals(reading(unit=secret)),
        json.dumps({secret: 1}).encode(),
        secret.encode("gb18030"),
    ):
        with pytest.raises(MalformedMessage) as refused:
            decode_vitals(payload)
        assert secret not in str(refused.value)
        assert refused.value.__cause__ is None


@pytest.mark.parametrize(
    ("payload", "seq"),
    [
        (vitals(reading(unit="bpm"), seq=9), 9),
        (vitals(reading(at="2026-11-22T08:00:00"), seq=0), 0),
        (vitals(*[reading()] * 501, seq=12), 12),
        (vitals(seq=3, padding="x" * VITALS_LIMIT), 3),
        (vitals(reading(), seq="9"), None),
        (vitals(reading(), seq=2**63), None),
        (b"{", None),
    ],
)
def test_a_refusal_names_its_message(payload: bytes, seq: int | None) -> None:
    with pytest.raises(MalformedMessage) as refused:
        decode_vitals(payload)
    receipt = refused.value.receipt("vitals", NOW)
    assert receipt.seq == seq
    assert receipt.id == (None if seq is not None else payload_digest(payload))


def test_a_refused_alarm_or_status_is_named_too() -> None:
    for decode, payload, name in (
        (lambda p: decode_alarm(p, NOW), b'{"id":"a1","kind":7}', "a1"),
        (lambda p: decode_alarm(p, NOW), b'{"kind":7}', payload_digest(b'{"kind":7}')),
        (decode_status, b"{}", payload_digest(b"{}")),
    ):
        with pytest.raises(MalformedMessage) as refused:
            decode(payload)
        assert refused.value.id == name


def alarm(**fields: Any) -> bytes:
    return json.dumps(fields).encode()


def test_a_whole_alarm() -> None:
    payload = alarm(
        id="a1",
        kind="fall",
        at=AT,
        battery=41,
        note="浴室 bathroom",
        position={"lat": 28.24, "lng": 113.08, "accuracy_m": 12},
    )
    taken = decode_alarm(payload, NOW)
    assert (taken.id, taken.kind, taken.at, taken.time_source) == ("a1", AlarmKind.FALL, AT_UTC, "terminal")
    assert taken.position == Position(28.24, 113.08, 12.0)
    assert (taken.battery, taken.note, taken.marks) == (41, "浴室 bathroom", ())


@pytest.mark.parametrize("kind", ["sos", "fall", "smoke", "gas", "water", "help_cord", "fall_cancel"])
def test_every_named_kind(kind: str) -> None:
    assert decode_alarm(alarm(id="1", kind=kind, at=AT), NOW).kind == AlarmKind(kind)


@pytest.mark.parametrize(
    ("fields", "marks"),
    [
        ({"id": "1", "kind": " SOS "}, ("time_missing",)),
        ({"kind": "sos", "at": AT}, ("id_missing",)),
        ({"id": "", "kind": "sos", "at": AT}, ("id_missing",)),
        ({"id": "x" * 65, "kind": "sos", "at": AT}, ("id_missing",)),
        ({"id": "a\x00b", "kind": "sos", "at": AT}, ("id_missing",)),
        ({"id": 5, "kind": "sos", "at": AT}, ("id_missing",)),
        ({"id": "1", "kind": "earthquake", "at": AT}, ("kind_unknown",)),
        ({"id": "1", "kind": "sos", "at": "2026-11-22T16:00:00"}, ("time_without_offset",)),
        ({"id": "1", "kind": "sos", "at": 1}, ("time_unreadable",)),
        ({"id": "1", "kind": "sos", "at": "2000-01-01T00:00:00Z"}, ("time_absurd",)),
        ({"id": "1", "kind": "sos", "at": "2026-11-22T08:06:00Z"}, ("time_absurd",)),
        ({"id": "1", "kind": "sos", "at": "0001-01-01T00:00:00+08:00"}, ("time_absurd",)),
        ({"id": "1", "kind": "sos", "at": AT, "battery": 101}, ("battery_dropped",)),
        ({"id": "1", "kind": "sos", "at": AT, "battery": True}, ("battery_dropped",)),
        ({"id": "1", "kind": "sos", "at": AT, "battery": 10**400}, ("battery_dropped",)),
        ({"id": "1", "kind": "sos", "at": AT, "position": [28, 113]}, ("position_dropped",)),
        ({"id": "1", "kind": "sos", "at": AT, "position": {"lat": 91, "lng": 0}}, ("position_dropped",)),
        ({"id": "1", "kind": "sos", "at": AT, "position": {"lat": 9}}, ("position_dropped",)),
        ({"id": "1", "kind": "sos", "at": AT, "note": "a\x00b"}, ("note_changed",)),
        ({"id": "1", "kind": "sos", "at": AT, "note": "x" * 501}, ("note_changed",)),
        ({"id": "1", "kind": "sos", "at": AT, "note": 4}, ("note_changed",)),
    ],
)
def test_an_alarm_is_forgiven(fields: dict[str, Any], marks: tuple[str, ...]) -> None:
    payload = alarm(**fields)
    taken = decode_alarm(payload, NOW)
    assert taken.marks == marks
    assert taken.id == (payload_digest(payload) if "id_missing" in marks else "1")
    assert "\x00" not in f"{taken.id}{taken.note}{taken.reported_kind}"
    if any(mark.startswith("time") for mark in marks):
        assert (taken.at, taken.time_source) == (NOW, "server")
    else:
        assert (taken.at, taken.time_source) == (AT_UTC, "terminal")


def test_the_same_bytes_for_every_press_are_heard_every_time() -> None:
    """A sloppy terminal that sends neither id nor time must not be heard only once in its life."""
    payload = alarm(kind="sos")
    first, repeat = decode_alarm(payload, NOW), decode_alarm(payload, NOW + timedelta(seconds=30))
    later = decode_alarm(payload, NOW + timedelta(days=30))
    assert first.id == repeat.id != later.id
    assert len(later.id) <= 64


def test_an_alarm_kept_through_days_without_a_network_keeps_its_time() -> None:
    pressed = NOW - timedelta(days=6)
    taken = decode_alarm(alarm(id="1", kind="sos", at=pressed.isoformat()), NOW)
    assert (taken.at, taken.time_source) == (pressed, "terminal")


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"", "not_json"),
        (b"SOS!", "not_json"),
        (b"\xff\xff", "not_utf8"),
        (b'["sos"]', "wrong_type"),
        (b"{}", "missing_field"),
        (b'{"kind":null}', "wrong_type"),
        (b'{"kind":"  "}', "wrong_type"),
        (b'{"kind":"sos","x":' + b"[" * 16_000, "too_deep"),
        (b'{"kind":"sos","note":"' + b"x" * ALARM_LIMIT + b'"}', "too_large"),
    ],
)
def test_an_alarm_that_cannot_be_read(payload: bytes, code: str) -> None:
    with pytest.raises(MalformedMessage) as refused:
        decode_alarm(payload, NOW)
    assert refused.value.code == code


def test_status() -> None:
    sent = {"state": "heartbeat", "at": AT, "battery": 80, "signal": -71, "firmware": "1.4.2"}
    status = decode_status(json.dumps(sent).encode())
    assert (status.state, status.at, status.battery) == ("heartbeat", AT_UTC, 80)
    assert (status.signal_dbm, status.firmware, status.marks) == (-71, "1.4.2", ())
    assert decode_status(b'{"state":"offline"}').at is None
    odd = decode_status(b'{"state":"online","signal":30,"battery":"full","at":"now","firmware":"a\\u0000"}')
    assert odd.state == "online"
    assert odd.marks == ("time_unreadable", "battery_dropped", "signal_dropped", "firmware_changed")


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"{}", "missing_field"),
        (b'{"state":"asleep"}', "unknown_state"),
        (b'{"state":[1]}', "unknown_state"),
        (b"5", "wrong_type"),
        (b" " * 5_000, "too_large"),
    ],
)
def test_status_refused(payload: bytes, code: str) -> None:
    with pytest.raises(MalformedMessage) as refused:
        decode_status(payload)
    assert refused.value.code == code


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just(AT),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=10), inner, max_size=5),
    max_leaves=30,
)
FIELDS = """seq readings kind value at unit systolic diastolic id position battery note state signal firmware
lat lng accuracy_m"""
names = st.sampled_from(FIELDS.split())
words = st.sampled_from(["heart_rate", "blood_pressure", "glucose", "mg/dL", "sos", "online", AT, "\x00"])
near_misses = st.recursive(
    words | st.floats() | st.integers() | st.none() | st.booleans(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=6),
    max_leaves=40,
)


def decode_all(payload: bytes) -> None:
    """Every decoder, each of which may take the payload or refuse it, and nothing else."""
    try:
        message = decode_vitals(payload)
    except MalformedMessage:
        pass
    else:
        assert 0 <= message.seq < 2**63
        assert message.readings
        for item in message.readings:
            assert math.isfinite(item.value)
            assert item.measured_at.tzinfo is UTC
    try:
        taken = decode_alarm(payload, NOW)
    except MalformedMessage:
        pass
    else:
        assert 1 <= len(taken.id) <= 64
        assert taken.at.tzinfo is UTC
        assert "\x00" not in f"{taken.id}{taken.note}{taken.reported_kind}"
    with contextlib.suppress(MalformedMessage):
        decode_status(payload)


@given(st.binary(max_size=300))
def test_any_bytes(payload: bytes) -> None:
    decode_all(payload)


@given(json_values | near_misses | st.dictionaries(names, near_misses, max_size=8))
def test_any_json(value: Any) -> None:
    decode_all(json.dumps(value).encode())


@given(st.sampled_from([b"[", b'{"a":', b'{"readings":[', b'{"kind":{"kind":']), st.integers(1, 4_000))
def test_any_depth(opening: bytes, times: int) -> None:
    decode_all(opening * times)
    decode_all(b'{"kind":"sos","seq":1,"readings":' + opening * times)
