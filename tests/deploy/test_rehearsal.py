"""The containers' processes with the containers' own environment, on the tests' servers instead of theirs."""

import base64
import os
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ops.stack import mosquitto
from ops.stack.application import guoyuan
from ops.stack.embedded import EmbeddedStack
from ops.stack.ports import free_port
from ops.stack.process import Part

ROOT = Path(__file__).parents[2]
DATABASE = "rehearsal"
PATIENCE = 60.0
PROCESSES = ("mosquitto", "api", "ingest-alarms", "ingest-vitals", "worker", "chores")

pytestmark = pytest.mark.skipif(mosquitto.find() is None, reason="mosquitto is not installed")


def filled_in(value: str, answers: dict[str, str]) -> str:
    """``${NAME:?message}`` and ``${NAME:-default}`` as compose fills them in."""

    def choose(found: re.Match[str]) -> str:
        name, kind, rest = found.groups()
        return answers[name] if name in answers or kind == "?" else rest

    return re.sub(r"\$\{(\w+):([?-])([^}]*)\}", choose, value)


class Container(Part):
    """One service of ``docker-compose.yml`` without its container."""

    def __init__(self, name: str, command: list[str], environment: dict[str, str], logs: Path) -> None:
        super().__init__(name, logs / f"{name}.log")
        self._command = command
        self._environment = environment

    def argv(self) -> list[str]:
        return guoyuan(*self._command)

    def environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **self._environment}

    def is_healthy(self) -> bool:
        """What the container's health check says."""
        check = [sys.executable, str(ROOT / "deploy" / "alive.py"), self.name]
        done = subprocess.run(check, env=self.environment(), capture_output=True, check=False)  # noqa: S603  ours
        return done.returncode == 0

    def turns(self, *, healthy: bool) -> None:
        deadline = time.monotonic() + PATIENCE
        while self.is_healthy() is not healthy:
            assert time.monotonic() < deadline, f"{self.name}: {self.log_tail()}"
            time.sleep(0.2)


@pytest.fixture(scope="module")
def containers(stack: EmbeddedStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Container]]:
    """Everything of ours in the compose file, running in production mode."""
    compose: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    directory = tmp_path_factory.mktemp("rehearsal")
    url = stack.postgres.create_database(DATABASE)
    names = set(re.findall(r"\$\{(\w+):\?", (ROOT / "docker-compose.yml").read_text()))
    answers = {name: base64.b64encode(secrets.token_bytes(32)).decode() for name in names}
    answers["MQTT_PASSWORD"] = secrets.token_urlsafe(16)
    addresses = {
        "GUOYUAN_DATABASE_URL": url,
        "GUOYUAN_REDIS_URL": stack.redis.url,
        "GUOYUAN_MQTT_URL": f"mqtt://guoyuan-service:{answers['MQTT_PASSWORD']}@127.0.0.1:{free_port()}",
        "GUOYUAN_MQTT_TERMINAL_URL": f"mqtt://127.0.0.1:{free_port()}",
        "GUOYUAN_API_HOST": "127.0.0.1",
        "GUOYUAN_API_PORT": str(free_port()),
    }
    made: dict[str, Container] = {}
    for name in ("migrate", *PROCESSES):
        service = compose["services"][name]
        settings = {key: filled_in(value, answers) for key, value in service["environment"].items()}
        own = {**settings, **addresses, "GUOYUAN_DATA_DIR": str(directory / name)}
        made[name] = Container(name, service["command"], own, directory)
    migrate = made.pop("migrate")
    migrate.spawn()
    while (code := migrate.poll()) is None:
        time.sleep(0.05)
    assert code == 0, migrate.log_tail()
    for container in made.values():
        container.spawn()
    yield made
    for container in made.values():
        container.request_stop()
    for container in made.values():
        container.stop()
    stack.postgres.drop_database(DATABASE)


def test_all_become_healthy_in_production_mode(containers: dict[str, Container]) -> None:
    for name in PROCESSES:
        containers[name].turns(healthy=True)


def test_a_dead_process_is_found_out(containers: dict[str, Container]) -> None:
    for name in ("api", "mosquitto"):
        containers[name].turns(healthy=True)
        containers[name].kill()
        containers[name].turns(healthy=False)


def test_a_process_that_never_lived_is_not_healthy(containers: dict[str, Container]) -> None:
    stranger = Container("nobody", [], containers["worker"].environment(), containers["worker"].log.parent)
    assert not stranger.is_healthy()
