"""What ``simulate`` and ``replay`` share: which terminals there are, and where their broker is."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from devices.address import MqttAddress
from devices.terminal_driver import TerminalCredential
from ops.demo.credentials import terminal_credentials
from ops.demo.load import DemoRefused
from ops.stack.runtime import load_settings
from services.core.logs import configure_logging
from services.core.settings import Settings


def find_terminals(file: Path | None, limit: int) -> tuple[list[TerminalCredential], MqttAddress]:
    """Terminals from a credentials file, or else those of the running demo; and the broker's address.

    Raises ``typer.BadParameter`` with a sentence that says what to do.
    """
    settings = load_settings()
    # A terminal that cannot connect is counted, not logged: there may be a thousand of them.
    configure_logging(settings.model_copy(update={"log_level": "ERROR"}), "terminals")
    if file is None:
        address = _configured_address(settings)
        try:
            entries: Sequence[Any] = terminal_credentials(settings, limit)
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
