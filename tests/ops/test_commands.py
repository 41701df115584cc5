"""The command line: every command can be imported, and `doctor` and `status` tell the truth."""

import json
import os
import subprocess
import time
from pathlib import Path

import psutil
import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from ops.cli import app
from ops.cli.lazy import LazyCommands
from ops.stack import runtime
from ops.stack.application import guoyuan
from ops.stack.embedded import EmbeddedStack
from ops.stack.health import examine
from ops.stack.runtime import ProcessRecord, Runtime, environment_of, load_settings
from services.core.actor import SYSTEM
from services.core.database import Database
from services.core.settings import Settings


@pytest.mark.parametrize("name", LazyCommands.places)
def test_every_command_explains_itself(name: str) -> None:
    shown = CliRunner().invoke(app, [name, "--help"])
    assert shown.exit_code == 0, shown.output
    assert "Usage" in shown.output


def test_the_overview_names_every_command() -> None:
    shown = CliRunner().invoke(app, ["--help"])
    assert shown.exit_code == 0, shown.output
    assert all(name in shown.output for name in LazyCommands.places)


async def _long_ago(settings: Settings) -> None:
    """Whatever beat its heart for an earlier test has been silent for an hour."""
    database = Database(settings.database_url or "", pool_size=2)
    try:
        async with database.unit_of_work(SYSTEM) as work:
            await work.sql(text("UPDATE heartbeat SET beaten_at = beaten_at - interval '1 hour'"))
    finally:
        await database.close()


async def test_doctor_finds_what_runs_and_what_does_not(stack: EmbeddedStack, settings: Settings) -> None:
    await _long_ago(settings)
    found = {finding.part: finding for finding in await examine(settings)}
    assert found["PostgreSQL"].ok
    assert found["PostgreSQL"].detail.startswith("18")
    assert found["数据库结构 schema"].ok
    assert found["Redis"].ok
    assert found["MQTT"].ok
    assert "outbox_waiting" in found["待办 queues"].figures
    assert not found["API"].ok
    assert not found["notifications"].ok
    assert "sms file" in found["通知渠道 channels"].detail


async def test_doctor_says_when_nobody_can_be_reached_by_phone(settings: Settings) -> None:
    mute = settings.model_copy(update={"notification_outlet": "gateways"})
    found = {finding.part: finding for finding in await examine(mute)}
    assert not found["通知渠道 channels"].ok
    assert "sms not configured" in found["通知渠道 channels"].detail


async def test_doctor_survives_servers_that_are_away(settings: Settings) -> None:
    away = settings.model_copy(
        update={
            "database_url": "postgresql://nobody:x@127.0.0.1:1/none",
            "redis_url": "redis://127.0.0.1:1/0",
            "mqtt_url": "mqtt://x:y@127.0.0.1:1",
        }
    )
    found = await examine(away)
    of_itself = ("通知渠道 channels", "进程 processes", "路程 travel times")
    assert not any(finding.ok for finding in found if finding.part not in of_itself)
    assert not any("x@" in finding.detail for finding in found)


def test_doctor_without_anything_fails_for_a_script(tmp_path: Path) -> None:
    done = subprocess.run(  # noqa: S603 - our own program
        guoyuan("doctor", "--json"),
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "GUOYUAN_DATA_DIR": str(tmp_path)},
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["ok"] is False


@pytest.fixture
def written(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Runtime:
    """A runtime file that says this very test process is the stack."""
    monkeypatch.setenv("GUOYUAN_DATA_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    own = psutil.Process().create_time()
    here = Runtime(
        os.getpid(),
        own,
        environment_of(settings),
        [
            ProcessRecord("api", os.getpid(), own, 2, "api.log"),
            ProcessRecord("worker", 0, 0.0, 5, "w.log", state="failed"),
        ],
    )
    runtime.write(tmp_path, here)
    return here


def test_commands_find_the_running_stack(
    written: Runtime, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUOYUAN_REDIS_URL", "redis://elsewhere")
    found = load_settings()
    assert found.database_url == settings.database_url
    assert found.token_secret == settings.token_secret
    assert found.redis_url == "redis://elsewhere"


def test_a_stack_that_was_killed_is_not_found(written: Runtime, tmp_path: Path) -> None:
    runtime.write(tmp_path, Runtime(written.pid, written.created_at - 1000, written.environment))
    assert load_settings().database_url is None
    (tmp_path / "runtime.json").write_text("{half")
    assert load_settings().database_url is None


def test_status_shows_the_processes(written: Runtime) -> None:
    shown = CliRunner().invoke(app, ["status", "--json"])
    assert shown.exit_code == 1  # one of them failed
    report = json.loads(shown.output)
    assert report["running"] is True
    assert [(row["name"], row["state"], row["restarts"]) for row in report["processes"]] == [
        ("api", "running", 2),
        ("worker", "failed", 5),
    ]
    assert report["processes"][0]["uptime_seconds"] <= time.time() - written.created_at + 1
    assert "api" in CliRunner().invoke(app, ["status"]).output


def test_status_without_a_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUOYUAN_DATA_DIR", str(tmp_path))
    shown = CliRunner().invoke(app, ["status"])
    assert shown.exit_code == 1
    assert "guoyuan up" in shown.output
