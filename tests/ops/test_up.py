"""``guoyuan up`` as a person meets it: start, crash, refusal, recovery, stop. Real servers, dummy applications."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from ops.stack.ports import PortTakenError, accepts, choose
from ops.stack.process import launched

SCRIPT = Path(__file__).with_name("dummies.py")
STARTED = "guoyuan doctor"  # the last lines of the summary
PATIENCE = 40.0


class Run:
    """One ``guoyuan up`` in a directory, with its output in a file."""

    def __init__(self, directory: Path, **environment: str) -> None:
        self.directory = directory
        self.output = directory / f"output-{time.monotonic_ns()}"
        variables = {
            "GUOYUAN_DATA_DIR": str(directory / "data"),
            "GUOYUAN_API_PORT": "0",
            "GUOYUAN_MQTT_PORT": "0",
            "GUOYUAN_EMBEDDED_BROKER": "builtin",
            "COLUMNS": "200",
            **environment,
        }
        kept = {name: value for name, value in variables.items() if value}
        with self.output.open("wb") as file:
            self.process = subprocess.Popen(  # noqa: S603 - our own program
                launched([sys.executable, str(SCRIPT), "up"]),  # it ends with the test run, however that ends
                stdout=file,
                stderr=subprocess.STDOUT,
                env={**os.environ, **kept},
                cwd=directory,
                process_group=0,
            )

    def text(self) -> str:
        return self.output.read_text(errors="replace")

    def until(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, f"not {what}:\n{self.text()}"
            time.sleep(0.05)

    def started(self) -> "Run":
        self.until(lambda: STARTED in self.text() or self.process.poll() is not None, "started")
        assert self.process.poll() is None, self.text()
        return self

    def ended(self) -> int:
        code = self.process.wait(PATIENCE)
        assert "Traceback" not in self.text()
        return code

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.ended()

    def runtime(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.directory / "data" / "runtime.json").read_text())
        return found

    def pid(self, name: str) -> int:
        return next(int(p["pid"]) for p in self.runtime()["processes"] if p["name"] == name)

    def came_back(self, name: str, killed: int) -> bool:
        return self.pid(name) not in (0, killed)

    def running(self) -> list[int]:
        return [p["pid"] for p in self.runtime()["processes"] if alive(p["pid"])]


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    made: list[Run] = []

    def make(**environment: str) -> Run:
        made.append(Run(tmp_path, **environment))
        return made[-1]

    yield make
    for each in made:
        if each.process.poll() is None:
            each.process.send_signal(signal.SIGTERM)
            each.process.wait(PATIENCE)


def test_one_life_of_a_stack(run: Callable[..., Run]) -> None:
    """Start, refuse a second one, survive the death of every kind of child, stop."""
    first = run().started()
    assert {p["name"] for p in first.runtime()["processes"]} == {
        *("postgres", "redis", "broker", "api", "ingest-alarms", "ingest-vitals", "worker", "chores", "simulate")
    }
    data = first.directory / "data"
    for name in ("runtime.json", "secrets.json", "logs/api.log"):
        assert (data / name).stat().st_mode & 0o777 == 0o600

    second = run()
    assert second.ended() == 1
    assert "Another `guoyuan up`" in second.text()
    assert str(first.process.pid) in second.text()

    for name in ("worker", "redis", "postgres", "broker"):
        killed = first.pid(name)
        os.kill(killed, signal.SIGKILL)
        first.until(partial(first.came_back, name, killed), f"{name} again")
    assert all(p["restarts"] == 0 for p in first.runtime()["processes"] if p["name"] == "api")
    port = int(first.runtime()["environment"]["GUOYUAN_DATABASE_URL"].rsplit(":", 1)[1].split("/")[0])
    first.until(partial(accepts, port), "PostgreSQL back")

    pids = first.running()
    assert first.stop(signal.SIGINT) == 0
    assert not any(alive(pid) for pid in pids)
    assert not (data / "runtime.json").exists()


def test_killed_itself_it_leaves_nothing_running_and_starts_again_on_its_data(run: Callable[..., Run]) -> None:
    first = run().started()
    secrets = (first.directory / "data" / "secrets.json").read_text()
    ports = (first.directory / "data" / "ports.json").read_text()
    pids = first.running()
    assert len(pids) == 9
    first.process.kill()
    first.process.wait()
    first.until(lambda: not any(alive(pid) for pid in pids), "all children gone")
    again = run().started()
    assert (again.directory / "data" / "secrets.json").read_text() == secrets
    assert (again.directory / "data" / "ports.json").read_text() == ports
    assert again.stop() == 0


def test_what_keeps_dying_is_given_up_and_the_rest_runs_on(run: Callable[..., Run]) -> None:
    up = run(DUMMY_BROKEN="worker").started()
    up.until(lambda: "ended 5 times" in up.text(), "given up")
    assert "I cannot live" in up.text()
    assert alive(up.pid("api"))
    assert up.stop() == 1


def test_a_port_in_use_is_named_with_its_setting(run: Callable[..., Run]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for setting in ("GUOYUAN_API_PORT", "GUOYUAN_MQTT_PORT"):
            refused = run(**{setting: str(port)})
            assert refused.ended() == 1
            assert f"Port {port} is in use" in refused.text()
            assert setting in refused.text()


def test_a_start_killed_during_initdb_is_repeated(run: Callable[..., Run], tmp_path: Path) -> None:
    data = tmp_path / "data"
    cut = run()
    cut.until(lambda: (data / "postgres.partial").exists() or (data / "postgres").exists(), "initdb")
    cut.process.kill()
    cut.process.wait()
    assert run().started().stop() == 0


def test_wrong_settings_are_explained(run: Callable[..., Run]) -> None:
    refused = run(GUOYUAN_MODE="production")
    assert refused.ended() != 0
    assert "production mode needs GUOYUAN_TOKEN_SECRET" in refused.text()


def test_an_interrupted_start_stops_what_it_began(run: Callable[..., Run]) -> None:
    up = run()
    up.until(lambda: "postgres" in up.text(), "PostgreSQL")
    children = psutil.Process(up.process.pid).children(recursive=True)
    assert up.stop(signal.SIGINT) == 0
    assert not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children)


def test_external_servers_are_used_and_not_started(run: Callable[..., Run], stack: Any) -> None:
    up = run(
        GUOYUAN_DATABASE_URL=stack.settings.database_url,
        GUOYUAN_REDIS_URL=stack.settings.redis_url,
        GUOYUAN_MQTT_URL=stack.settings.mqtt_url,
    ).started()
    assert {"postgres", "redis", "broker"}.isdisjoint(p["name"] for p in up.runtime()["processes"])
    assert up.stop() == 0
    assert stack.postgres.ready()


def test_a_default_port_in_use_moves_on_and_says_so() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert choose(port, "GUOYUAN_API_PORT", chosen_by_user=False) > port
        with pytest.raises(PortTakenError, match="GUOYUAN_API_PORT"):
            choose(port, "GUOYUAN_API_PORT", chosen_by_user=True)
