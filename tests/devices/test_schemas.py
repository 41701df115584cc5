"""The schemas, the documentation, the samples and the code say the same."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker, ValidationError

from devices.codecs import native_json, units
from devices.codecs.native_json import decode_alarm, decode_status, decode_vitals
from devices.messages import (
    MAX_READINGS,
    AlarmKind,
    AlarmReceipt,
    RefusedReceipt,
    VitalsReceipt,
    decode_command,
    decode_receipt,
    encode_receipt,
)
from devices.rhythm import Scenario, VitalsRhythm
from devices.terminal import CAPACITY, WINDOW, TerminalProtocol
from devices.topics import UpChannel
from ops.demo.samples import alarm_sample, vitals_sample
from services.core.ids import new_id
from services.terminals.models import TerminalKind

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "mqtt.md").read_text(encoding="utf-8")
NOW = datetime(2026, 11, 22, 8, 0, 10, tzinfo=UTC)
NAMES = ("alarm", "vitals", "status", "receipt", "command")
SCHEMAS: dict[str, Any] = {
    name: json.loads((ROOT / "devices" / "schemas" / f"{name}.json").read_text(encoding="utf-8")) for name in NAMES
}
formats = FormatChecker()


@formats.checks("date-time", raises=ValueError)
def is_date_time(value: object) -> bool:
    """RFC 3339 needs an offset, which the standard library does not."""
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


def validate(name: str, message: object) -> None:
    Draft202012Validator(SCHEMAS[name], format_checker=formats).validate(message)


def examples() -> Iterator[tuple[str, str]]:
    """Every fenced block of the page that names its schema."""
    yield from re.findall(r"^```json (\w+)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("name", NAMES)
def test_the_schemas_are_schemas(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])


def test_the_examples_on_the_page_are_valid_and_readable() -> None:
    found = list(examples())
    assert {name for name, _ in found} == {"alarm", "vitals", "status", "receipt", "command"}
    for name, text in found:
        validate(name, json.loads(text))
        payload = text.encode()
        if name == "alarm":
            assert decode_alarm(payload, NOW).marks == ()
        elif name == "vitals":
            assert decode_vitals(payload).readings
        elif name == "status":
            assert decode_status(payload).marks == ()
        elif name == "command":
            assert decode_command(payload).args
        else:
            decode_receipt(payload)


@pytest.mark.parametrize("scenario", list(Scenario))
def test_what_the_simulator_sends_is_valid(scenario: Scenario) -> None:
    rhythm, protocol = VitalsRhythm("one", scenario), TerminalProtocol(5)
    for minute in range(0, 600, 5):
        protocol.measure(rhythm.sample(NOW + timedelta(minutes=minute), minute), minute)
    protocol.press("fall", NOW, 0, battery=44, position={"lat": 28.2, "lng": 113.1})
    sent = protocol.due(1_000)
    assert len(sent) > 100
    for message in sent:
        validate(message.channel.value, json.loads(message.payload))
        if message.channel is UpChannel.VITALS:
            decode_vitals(message.payload)
        else:
            assert decode_alarm(message.payload, NOW).marks == ()


@pytest.mark.parametrize("kind", list(TerminalKind))
def test_the_demo_samples_are_valid(kind: TerminalKind) -> None:
    alarm, vitals = alarm_sample(kind, new_id(), NOW), vitals_sample(kind, NOW)
    validate("alarm", alarm)
    validate("vitals", vitals)
    assert decode_alarm(json.dumps(alarm).encode(), NOW).marks == ()
    assert decode_vitals(json.dumps(vitals).encode()).readings


@pytest.mark.parametrize(
    "receipt",
    [
        VitalsReceipt(((1, 2), (4, 4)), NOW),
        AlarmReceipt("a", "on_the_way", NOW, "7"),
        AlarmReceipt("a", "received", NOW),
        RefusedReceipt("alarm", "not_json", NOW, id="a" * 64),
        RefusedReceipt("vitals", "bad_time", NOW, seq=4),
    ],
)
def test_what_the_platform_answers_is_valid(receipt: VitalsReceipt | AlarmReceipt | RefusedReceipt) -> None:
    validate("receipt", json.loads(encode_receipt(receipt)))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("alarm", {"id": "", "kind": "sos", "at": "2026-11-22T16:00:00+08:00"}),
        ("alarm", {"id": "1", "kind": "earthquake", "at": "2026-11-22T16:00:00+08:00"}),
        ("alarm", {"id": "1", "kind": "sos", "at": "2026-11-22T16:00:00"}),
        ("vitals", {"seq": -1, "readings": [{"kind": "spo2", "value": 1, "at": "2026-11-22T16:00:00Z"}]}),
        ("vitals", {"seq": 1, "readings": []}),
        ("vitals", {"seq": 1, "readings": [{"kind": "spo2", "value": "1", "at": "2026-11-22T16:00:00Z"}]}),
        ("vitals", {"seq": 1, "readings": [{"kind": "blood_pressure", "value": 1, "at": "2026-11-22T16:00:00Z"}]}),
        (
            "vitals",
            {"seq": 1, "readings": [{"kind": "spo2", "value": 1, "unit": "Cel", "at": "2026-11-22T16:00:00Z"}]},
        ),
        ("status", {"state": "asleep"}),
        ("receipt", {"type": "vitals", "ranges": [[1]], "at": "2026-11-22T16:00:00Z"}),
        ("command", {"id": "1", "kind": "beep"}),
    ],
)
def test_what_the_schemas_refuse(name: str, message: object) -> None:
    with pytest.raises(ValidationError):
        validate(name, message)


def test_the_page_and_the_code_have_the_same_codes_and_numbers() -> None:
    codecs = sorted(Path(native_json.__file__).parent.glob("*.py"))
    source = "".join(path.read_text(encoding="utf-8") for path in codecs)
    raised = set(re.findall(r'MalformedMessage\(\s*"(\w+)"', source))
    table = PAGE.split("\n| `code` | Meaning |\n")[1].split("\n\n")[0]
    documented = set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))
    assert documented - {"not_storable"} == raised
    for number in (native_json.ALARM_LIMIT, native_json.VITALS_LIMIT, native_json.STATUS_LIMIT, CAPACITY):
        assert f"{number:,}".replace(",", " ") in PAGE
    for small in (str(MAX_READINGS), str(WINDOW), str(units.MMOL_PER_MGDL)):
        assert small in PAGE
    assert set(SCHEMAS["alarm"]["properties"]["kind"]["enum"]) == {k.value for k in AlarmKind} - {"unknown"}
