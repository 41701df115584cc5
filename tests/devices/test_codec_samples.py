"""Every sample of every codec gives exactly what its table says."""

from typing import Any

import pytest

from devices.codecs.registry import CODECS, NAMES, decode
from devices.messages import Alarm, MalformedMessage, Message
from tests.devices.codec_samples import FOLDER, NOW, Sample, samples

LIMIT = 16_384


def shown(alarm: Alarm, expected: dict[str, Any]) -> dict[str, Any]:
    """The fields of an alarm that the table names."""
    values = {"id": alarm.id, "kind": alarm.kind.value, "at": alarm.at.isoformat(), "marks": list(alarm.marks)}
    return {name: value for name, value in values.items() if name in expected}


def check_alarms(alarms: tuple[Alarm, ...], expect: dict[str, Any]) -> None:
    expected = expect.get("alarms", [])
    assert len(alarms) == len(expected)
    assert [shown(alarm, row) for alarm, row in zip(alarms, expected, strict=True)] == expected


def check(message: Message, expect: dict[str, Any]) -> None:
    check_alarms(message.alarms, expect)
    readings = [] if message.vitals is None else message.vitals.readings
    expected = expect.get("readings", [])
    assert [(r.kind.value, r.measured_at.isoformat()) for r in readings] == [(k, at) for k, _, at in expected]
    assert [r.value for r in readings] == pytest.approx([value for _, value, _ in expected], rel=1e-6)
    if "seq" in expect:
        assert message.vitals is not None
        assert message.vitals.seq == expect["seq"]
    assert (message.status is not None) == ("status" in expect)
    for name, value in expect.get("status", {}).items():
        assert getattr(message.status, name) == value
    assert list(message.marks) == expect.get("marks", list(message.marks) if "readings" not in expect else [])


@pytest.mark.parametrize("sample", samples(), ids=str)
def test_sample(sample: Sample) -> None:
    refused = sample.expect.get("refused")
    if refused is None:
        check(decode(sample.codec, sample.channel, sample.payload, NOW, LIMIT), sample.expect)
        return
    with pytest.raises(MalformedMessage) as refusal:
        decode(sample.codec, sample.channel, sample.payload, NOW, LIMIT)
    assert refusal.value.code == refused
    assert refusal.value.seq is not None or refusal.value.id is not None, "its sender must learn which one"
    check_alarms(refusal.value.alarms, sample.expect)


def test_every_codec_has_samples_and_every_sample_a_codec() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == set(NAMES) == set(CODECS)
    for name, codec in CODECS.items():
        assert codec.name == name
        rows = samples(name)
        assert any("refused" in row.expect for row in rows)
        assert any("alarms" in row.expect for row in rows)
        assert len({row.name for row in rows if row.channel.value == "alarm"}) > 3
