"""``guoyuan simulate`` and ``guoyuan replay``."""

import asyncio
import json
import signal
import sys
from pathlib import Path
from uuid import UUID

import pytest
import typer
from typer.testing import CliRunner

from devices.client import MqttAddress
from ops.cli import replay as replay_module
from ops.cli.replay import replay
from tests.devices.brokers import PASSWORD, BrokerUnderTest, free_port
from tests.devices.platform import FakePlatform

SIMULATE = "import typer; from ops.cli.simulate import simulate; typer.run(simulate)"
RECORDING = (
    "at,kind,value\n2026-11-22T08:00:00Z,spo2,97\n2026-11-22T08:01:00Z,mood,5\n2026-11-22T08:02:00Z,spo2,0\n"
)

app = typer.Typer()
app.command()(replay)


@pytest.fixture
def broker_kind() -> str:
    """One broker is enough here."""
    return "embedded"


def write_credentials(directory: Path, port: int, terminal_id: UUID, password: str = PASSWORD) -> Path:
    """A file as ``guoyuan demo credentials --json`` writes it."""
    terminal = {"id": str(terminal_id), "username": str(terminal_id), "password": password}
    file = directory / "credentials.json"
    file.write_text(json.dumps({"mqtt": {"host": "127.0.0.1", "port": port}, "terminals": [terminal]}))
    return file


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    file = tmp_path / "recording.csv"
    file.write_text(RECORDING)
    return file


def run_replay(*arguments: object) -> tuple[int, str]:
    """The command in this process, on a loop of its own: to be called in a thread beside a broker."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return result.exit_code, result.output


async def test_simulate_ends_cleanly_on_sigterm(
    service_address: MqttAddress, broker: BrokerUnderTest, terminal_id: UUID, tmp_path: Path
) -> None:
    credentials = write_credentials(tmp_path, broker.port, terminal_id)
    arguments = ["-n", "1", "--scenario", "sos", "--interval", "0.1", "--credentials", str(credentials)]
    async with FakePlatform(service_address) as platform:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            SIMULATE,
            *arguments,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(60):
            await platform.has_vitals.wait()
            process.send_signal(signal.SIGTERM)
            output, _ = await process.communicate()
        assert process.returncode == 0, output.decode()
        assert b"Traceback" not in output
        assert b"receipted" in output
        await asyncio.sleep(0.2)
        [states] = platform.status.values()
        assert [status.state for status in states] == ["online", "offline"]


async def test_replay_tells_what_became_of_it(
    service_address: MqttAddress, broker: BrokerUnderTest, terminal_id: UUID, tmp_path: Path, recording: Path
) -> None:
    credentials = write_credentials(tmp_path, broker.port, terminal_id)
    async with FakePlatform(service_address) as platform:
        code, output = await asyncio.to_thread(
            run_replay, recording, "--speed", 0, "--start", "2026-11-22T08:00:00Z", "--credentials", credentials
        )
    assert code == 0, output
    values = [[r.value for r in message.readings] for message in platform.vitals.values()]
    assert values == [[97], [0]]
    assert "receipted" in output
    assert "refused" in output


async def test_replay_with_a_wrong_password(
    broker: BrokerUnderTest, terminal_id: UUID, tmp_path: Path, recording: Path
) -> None:
    credentials = write_credentials(tmp_path, broker.port, terminal_id, "wrong")
    code, output = await asyncio.to_thread(run_replay, recording, "--credentials", credentials)
    assert code == 2
    assert "refused the terminal" in output


def test_replay_without_a_broker(
    terminal_id: UUID, tmp_path: Path, recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay_module, "CONNECT_SECONDS", 0.5)
    code, output = run_replay(recording, "--credentials", write_credentials(tmp_path, free_port(), terminal_id))
    assert code == 2
    assert "no broker answers" in output


@pytest.mark.parametrize(
    ("text", "arguments", "said"),
    [
        ("minute,HR\n", (), "not a single reading"),
        (RECORDING, ("--terminal", "nobody"), "no terminal nobody"),
        (RECORDING, ("--start", "2026-11-22T08:00:00"), "offset"),
        (RECORDING, ("--start", "noon"), "not a time"),
    ],
)
def test_replay_says_what_is_wrong(
    terminal_id: UUID, tmp_path: Path, text: str, arguments: tuple[str, ...], said: str
) -> None:
    file = tmp_path / "recording.csv"
    file.write_text(text)
    credentials = write_credentials(tmp_path, free_port(), terminal_id)
    code, output = run_replay(file, "--credentials", credentials, *arguments)
    assert code == 2
    assert said in output


@pytest.mark.parametrize("text", ["", "[]", '{"terminals": [{"id": "x"}]}', '{"terminals": 5}', "[5]"])
def test_a_credentials_file_that_is_none(tmp_path: Path, recording: Path, text: str) -> None:
    file = tmp_path / "credentials.json"
    file.write_text(text)
    code, _ = run_replay(recording, "--credentials", file)
    assert code == 2


def test_replay_compares_without_a_broker_or_a_database(tmp_path: Path) -> None:
    file = tmp_path / "minutes.csv"
    heart = [80] * 10 + [150 + i % 3 for i in range(10)] + [0] * 5 + [80] * 10 + [170] + [80] * 5
    file.write_text("minute,HR\n" + "".join(f"{minute},{value}\n" for minute, value in enumerate(heart)))
    code, output = run_replay(file, "--compare")
    assert code == 0, output
    assert "heart_rate high: minute 12.0" in output
    assert "1/1" in output
    assert "missed" not in output
