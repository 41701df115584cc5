"""Commands on the terminal's side: carried out once and in time; and the status fields that answer them."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from devices.client import MqttAddress
from devices.codecs.native_json import decode_alarm, decode_status
from devices.messages import AlarmKind, CommandReport, Position
from devices.terminal import COMMANDS_KEPT, Order, TerminalProtocol
from devices.terminal_driver import COMMANDS, TerminalCredential, TerminalDriver
from devices.topics import DownChannel, down_topic
from tests.devices.brokers import PASSWORD
from tests.devices.platform import FakePlatform

AT = datetime(2026, 11, 22, 8, tzinfo=UTC)


def command(kind: str = "speak", command_id: str = "c1", at: datetime = AT, **args: Any) -> bytes:
    """One that holds for two minutes."""
    message = {"id": command_id, "kind": kind, "args": args, "expires_at": (at + timedelta(minutes=2)).isoformat()}
    return json.dumps(message).encode()


def test_a_command_is_carried_out_once_and_answered_again() -> None:
    terminal = TerminalProtocol(1)
    order, answer = terminal.on_command(command(text="您好"), AT, COMMANDS)
    assert order == Order("c1", "speak", {"text": "您好"})
    assert answer == {"id": "c1", "state": "received"}
    assert terminal.on_command(command(text="您好"), AT, COMMANDS) == (None, {"id": "c1", "state": "received"})
    terminal.answer_command("c1", "done")
    late = AT + timedelta(hours=1)
    assert terminal.on_command(command(), late, COMMANDS) == (None, {"id": "c1", "state": "done"})


def test_an_expired_command_is_ignored() -> None:
    terminal = TerminalProtocol(1)
    assert terminal.on_command(command(), AT + timedelta(minutes=2), COMMANDS) == (None, None)
    assert terminal.counters.expired_commands == 1


def test_a_kind_that_is_not_known_is_refused() -> None:
    order, answer = TerminalProtocol(1).on_command(command("dance"), AT, COMMANDS)
    assert order is None
    assert answer == {"id": "c1", "state": "refused", "detail": "unknown kind"}


@pytest.mark.parametrize(
    "payload",
    [b"", b"\xff", b"[]", b"{}", b'{"id":"1","kind":"speak","expires_at":"2026-11-22T08:00:00"}', b"[" * 9000],
)
def test_what_is_no_command_is_counted_and_nothing_else(payload: bytes) -> None:
    terminal = TerminalProtocol(1)
    assert terminal.on_command(payload, AT, COMMANDS) == (None, None)
    assert terminal.counters.strange_commands == 1


def test_the_memory_of_commands_has_a_bound() -> None:
    terminal = TerminalProtocol(1)
    for number in range(COMMANDS_KEPT * 3):
        terminal.on_command(command(command_id=str(number)), AT, COMMANDS)
        terminal.answer_command(str(number), "done")
    assert len(terminal._commands) == COMMANDS_KEPT
    assert str(COMMANDS_KEPT * 3 - 1) in terminal._commands


def test_a_status_tells_of_tamper_sensors_and_a_command() -> None:
    said = {
        "state": "heartbeat",
        "tamper": True,
        "sensors": {"spo2": "off", "blood_pressure": "on"},
        "command": {"id": "c1", "state": "done", "position": {"lat": 28.2, "lng": 113.1, "accuracy_m": 30}},
    }
    status = decode_status(json.dumps(said).encode())
    assert (status.tamper, status.sensors, status.marks) == (True, {"spo2": "off", "blood_pressure": "on"}, ())
    assert status.command == CommandReport("c1", "done", position=Position(28.2, 113.1, 30))


@pytest.mark.parametrize(
    ("extra", "mark"),
    [
        ({"tamper": "yes"}, "tamper_dropped"),
        ({"tamper": 1}, "tamper_dropped"),
        ({"sensors": ["spo2"]}, "sensors_dropped"),
        ({"sensors": {"spo2": "maybe", "heart_rate": "on"}}, "sensors_dropped"),
        ({"sensors": {"hairs": "off"}}, "sensors_dropped"),
        ({"command": "done"}, "command_dropped"),
        ({"command": {"id": "", "state": "done"}}, "command_dropped"),
        ({"command": {"id": "c1", "state": "perhaps"}}, "command_dropped"),
        ({"command": {"id": "c1", "state": ["done"]}}, "command_dropped"),
        ({"command": {"id": "c1", "state": "done", "position": {"lat": 99, "lng": 0}}}, "position_dropped"),
    ],
)
def test_what_cannot_be_read_in_a_status_is_left_out_and_the_heartbeat_stays(
    extra: dict[str, Any], mark: str
) -> None:
    status = decode_status(json.dumps({"state": "heartbeat", **extra}).encode())
    assert status.state == "heartbeat"
    assert mark in status.marks


async def test_the_driver_obeys(terminal_id: UUID, service_address: MqttAddress) -> None:
    said: list[str] = []

    def obey(order: Order) -> dict[str, Any] | None:
        if order.kind != "speak":
            return None
        said.append(order.args["text"])
        return {"state": "done"}

    credential = TerminalCredential(str(terminal_id), str(terminal_id), PASSWORD)
    now = datetime.now(UTC)
    async with (
        FakePlatform(service_address) as platform,
        TerminalDriver(credential, service_address, obey=obey) as driver,
    ):
        await driver.client.wait_connected(10)
        topic = down_topic(terminal_id, DownChannel.COMMAND)
        for payload in (
            command("speak", "c1", now, text="马上到"),
            command("speak", "c1", now, text="马上到"),
            command("speak", "c2", now - timedelta(hours=1), text="太晚了"),
            command("test_call", "c3", now),
            command("set_interval", "c4", now, what="heartbeat", seconds=1),
            command("locate", "c5", now),
        ):
            await platform.client.publish(topic, payload)
        wanted = {("c1", "done"), ("c3", "done"), ("c4", "done"), ("c5", "refused")}
        heard: set[tuple[str, str]] = set()
        async with asyncio.timeout(15):
            while not (wanted <= heard and platform.alarms and platform.beats(terminal_id) > 2):
                await platform.next_message()
                statuses = platform.status[str(terminal_id)]
                heard = {(s.command.id, s.command.state) for s in statuses if s.command is not None}
    assert said == ["马上到"]
    assert [alarm.kind for alarm in platform.alarms.values()] == [AlarmKind.TEST]
    assert "c2" not in {command_id for command_id, _ in heard}


def test_a_test_is_an_alarm_of_its_own_kind() -> None:
    protocol = TerminalProtocol(1)
    protocol.press("test", AT, 0)
    [message] = protocol.due(0)
    assert decode_alarm(message.payload, AT).kind is AlarmKind.TEST
