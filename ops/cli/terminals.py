"""What ``simulate`` and ``replay`` share: which terminals there are, and where their broker is."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from devices.address import MqttAddress
from devices.terminal_driver import TerminalCredential
from ops.demo.credentials import terminal_credentials
from ops.demo.load import DemoRefused
from ops.stack import runtime
from ops.stack.runtime import load_settings
from ops.stack.up import SIMULATED_TERMINALS
from services.core.logs import configure_logging
from services.core.settings import Settings


def find_terminals(
    file: Path | None, limit: int, *, even_busy: bool = False
) -> tuple[list[TerminalCredential], MqttAddress]:
    """Terminals from a credentials file, or else those of the running demo; and the broker's address.

    Of the running demo's, those that ``guoyuan up`` simulates itself are left out unless ``even_busy``: a
    terminal has one connection, and two programs with its credential would take it from each other.
    Raises ``typer.BadParameter`` with a sentence that says what to do.
    """
    settings = load_settings()
    # A terminal that cannot connect is counted, not logged: there may be a thousand of them.
    configure_logging(settings.model_copy(update={"log_level": "ERROR"}), "terminals")
    if file is None:
        address = _configured_address(settings)
        try:
            taken = 0 if even_busy else _simulated_by_up(settings)
            entries: Sequence[Any] = terminal_credentials(settings, limit + taken)[taken:]
        except DemoRefused as error:
            raise typer.BadParameter(str(error)) from None
    else:
        document = _read(file)
        entries = document.get("terminals", []) if isinstance(document, dict) else document
        mqtt = document.get("mqtt") if isinstance(document, dict) else None
        address = MqttAddress(mqtt["host"], int(mqtt["port"])) if mqtt else _configured_address(settings)
    try:
        terminals = [TerminalCredential.read(entry) for entry in entries[:limit]]
    except (ValueError, TypeError, AttributeError) as error:
        raise typer.BadParameter(f"not a list of terminal credentials: {error}") from None
    if not terminals:
        raise typer.BadParameter("没有可用的终端。 There are no terminals: is the demo county loaded?")
    return terminals, address


def _simulated_by_up(settings: Settings) -> int:
    """How many terminals, from the first on, another process of the running stack plays already."""
    running = runtime.read(settings.data_dir)
    if running is None or not running.alive:
        return 0
    others = [p for p in running.processes if p.name == "simulate" and p.pid != os.getpid()]
    busy = any(runtime.same_process(p.pid, p.created_at) for p in others)
    return SIMULATED_TERMINALS if busy else 0


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"cannot read {file}: {error}") from None


def _configured_address(settings: Settings) -> MqttAddress:
    if settings.mqtt_url is None:
        raise typer.BadParameter(
            "没有正在运行的系统。 Nothing is running: start `guoyuan up`, or set GUOYUAN_MQTT_URL."
        )
    return MqttAddress(*settings.terminal_broker)
