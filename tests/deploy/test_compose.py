"""The compose file and the image speak of the same settings and commands as the code."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from ops.cli.lazy import LazyCommands
from ops.stack.mosquitto import configuration
from services.core.settings import Settings

ROOT = Path(__file__).parents[2]
SERVICES = {
    "postgres",
    "redis",
    "mosquitto",
    "migrate",
    "api",
    "ingest-alarms",
    "ingest-vitals",
    "worker",
    "chores",
}
SECRET = re.compile(r"PASSWORD|SECRET|_KEY$")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return document


def test_every_process_has_its_container(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == SERVICES


def test_every_command_is_one_of_ours(compose: dict[str, Any]) -> None:
    ours = [s for s in compose["services"].values() if s["image"].startswith("guoyuan:")]
    assert {service["command"][0] for service in ours} <= set(LazyCommands.places)


def test_every_setting_exists_and_production_is_on(compose: dict[str, Any]) -> None:
    settings = compose["services"]["api"]["environment"]
    known = {f"GUOYUAN_{name.upper()}" for name in Settings.model_fields}
    assert set(settings) <= known
    assert settings["GUOYUAN_MODE"] == "production"
    needed = {
        f"GUOYUAN_{n}"
        for n in ("DATABASE_URL", "REDIS_URL", "MQTT_URL", "TOKEN_SECRET", "FIELD_KEY", "LOOKUP_KEY")
    }
    assert needed <= set(settings)


def test_no_secret_has_a_value_or_a_default(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            if SECRET.search(name):
                assert re.fullmatch(r"\$\{\w+:\?[^}]+\}", value), name
    blanks = (ROOT / "deploy" / "production.env.example").read_text().splitlines()
    assert all(line.startswith("#") or not line or line.endswith("=") for line in blanks)


def test_the_examples_name_settings_that_exist_and_hold_nothing() -> None:
    known = {f"GUOYUAN_{name.upper()}" for name in Settings.model_fields}
    lines = (ROOT / "deploy" / "notifications.env.example").read_text().splitlines()
    named = [line for line in lines if line and not line.startswith("#")]
    assert all(line.endswith("=") for line in named)
    assert {line.rstrip("=") for line in named} <= known


def test_an_empty_line_of_an_example_is_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUOYUAN_SMS_GATEWAY_URL", "")
    assert Settings(_env_file=None).sms_gateway_url is None


def test_only_the_api_and_the_terminals_door_are_published(compose: dict[str, Any]) -> None:
    published = {name for name, service in compose["services"].items() if "ports" in service}
    assert published == {"api", "mosquitto"}
    assert compose["services"]["mosquitto"]["ports"] == ["${GUOYUAN_MQTT_PORT:-1883}:1883"]


def test_the_platforms_door_opens_to_the_private_network_only_when_told(tmp_path: Path) -> None:
    alone = configuration(tmp_path, host="0.0.0.0", terminal_port=1883, service_port=1884)
    assert "listener 1884 127.0.0.1" in alone
    together = configuration(
        tmp_path, host="0.0.0.0", terminal_port=1883, service_port=1884, service_host="0.0.0.0"
    )
    assert "listener 1884 0.0.0.0" in together
    assert together.count("allow_anonymous false") == 2


def test_the_image_runs_as_an_ordinary_user_from_the_pinned_lock() -> None:
    lines = (ROOT / "Dockerfile").read_text()
    assert "--require-hashes" in lines
    assert re.search(r"^USER guoyuan$", lines, re.MULTILINE)


def test_every_process_of_ours_is_looked_after(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        if name == "migrate" or not service["image"].startswith("guoyuan:"):
            continue
        assert service["restart"] == "unless-stopped", name
        assert service["healthcheck"]["test"] == ["CMD", "python", "/opt/guoyuan/alive.py", name]
        assert service["cap_drop"] == ["ALL"], name


def test_the_image_takes_the_runtime_part_of_the_lock() -> None:
    def pinned(name: str) -> dict[str, str]:
        lines = (ROOT / name).read_text().splitlines()
        return {line.split("==")[0]: line.split(" \\")[0] for line in lines if "==" in line}

    runtime, whole = pinned("requirements-runtime.lock"), pinned("requirements.lock")
    assert {name: whole.get(name) for name in runtime} == runtime, "run `make lock`"
    assert {"pytest", "mypy", "ruff"} & set(runtime) == set()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {re.split(r"[\[>=<]", each)[0] for each in project["dependencies"]}
    assert wanted <= set(runtime), "run `make lock`"
