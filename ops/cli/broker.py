"""``guoyuan broker``: the MQTT broker at the address in GUOYUAN_MQTT_URL."""

import asyncio
import signal
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote, urlsplit

import structlog
import typer
import uvloop

from devices.broker import Broker
from devices.broker_gate import DatabaseGate
from ops.stack.mosquitto import Accounts, Mosquitto, find
from ops.stack.ports import LOOPBACK
from ops.stack.process import StartFailedError
from ops.stack.runtime import load_settings
from services.core.doorbell import Doorbell
from services.core.logs import configure_logging
from services.core.settings import Settings
from services.terminals.models import CHANGE_CHANNEL

app = typer.Typer(invoke_without_command=True, help="MQTT 消息代理。 The embedded MQTT broker.")
logger = structlog.get_logger("guoyuan.broker")

EVERYWHERE = "0.0.0.0"  # noqa: S104  only where the address names a host of a private network
ACCOUNTS_SECONDS = 3.0  # how often Mosquitto's password file is compared with the database, unless told before


@app.callback()
def broker(context: typer.Context) -> None:
    """Run the MQTT broker until SIGTERM: Mosquitto when it is installed, else the built-in one."""
    if context.invoked_subcommand is not None:
        return
    settings = load_settings()
    configure_logging(settings, "broker")
    binary = find() if settings.embedded_broker != "builtin" else None
    if settings.embedded_broker == "mosquitto" and binary is None:
        raise typer.BadParameter("GUOYUAN_EMBEDDED_BROKER=mosquitto, but no program `mosquitto` was found")
    raise typer.Exit(uvloop.run(_until_signal(settings, binary)))


@app.command()
def export(
    directory: Annotated[Path, typer.Argument(help="Where the password and access files go.")],
) -> None:
    """Write Mosquitto's password and access files from the database, for a broker that runs elsewhere."""
    settings = load_settings()
    database_url, _, password = _addresses(settings)
    uvloop.run(Accounts(database_url, directory, password).export())
    typer.echo(str(directory))


async def _until_signal(settings: Settings, binary: str | None) -> int:
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    if binary is None:
        await _serve_builtin(settings, ended)
        return 0
    return await _serve_mosquitto(settings, binary, ended)


async def _serve_builtin(settings: Settings, ended: asyncio.Event) -> None:
    database_url, (host, port), password = _addresses(settings)
    gate = DatabaseGate(database_url, password)
    embedded = Broker(gate)
    listening = asyncio.create_task(gate.listen_forever())
    await embedded.start(host, port)
    await ended.wait()
    await embedded.stop()
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await gate.close()


async def _serve_mosquitto(settings: Settings, binary: str, ended: asyncio.Event) -> int:
    """Run Mosquitto beside a task that keeps its accounts in step with the database."""
    database_url, (service_host, service_port), password = _addresses(settings)
    host, terminal_port = settings.terminal_broker
    directory = settings.data_dir / "mosquitto"
    server = Mosquitto(
        binary,
        directory,
        settings.data_dir / "logs" / "mosquitto.log",
        host=host,
        terminal_port=terminal_port,
        service_port=service_port,
        # In a container the platform's other processes come in by a name, over the private network.
        service_host=LOOPBACK if service_host in (LOOPBACK, "localhost") else EVERYWHERE,
    )
    accounts = Accounts(database_url, directory, password)
    server.prepare()
    await accounts.export()
    try:
        server.start()
    except StartFailedError as error:
        typer.echo(str(error), err=True)
        return 1
    bell = Doorbell(database_url, CHANGE_CHANNEL)
    listening = asyncio.create_task(bell.listen_forever())
    logger.info("mosquitto_started", terminal_port=terminal_port, service_port=service_port)
    try:
        while not ended.is_set():
            await _wait_for_either(ended, bell)
            if server.poll() is not None:
                typer.echo(server.log_tail(), err=True)
                return 1
            if await accounts.export():
                server.reload()
        return 0
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        server.stop()


async def _wait_for_either(ended: asyncio.Event, bell: Doorbell) -> None:
    """Until we are to end, a terminal has changed, or it is time to look anyway."""
    waiting = {asyncio.ensure_future(ended.wait()), asyncio.ensure_future(bell.wait(ACCOUNTS_SECONDS))}
    _, left = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


def _addresses(settings: Settings) -> tuple[str, tuple[str, int], str]:
    """Database, the platform's own door, and the password of its account. Raises typer.BadParameter."""
    if settings.mqtt_url is None or settings.database_url is None:
        raise typer.BadParameter(
            "set GUOYUAN_MQTT_URL and GUOYUAN_DATABASE_URL, or start the stack with `guoyuan up`"
        )
    address = urlsplit(settings.mqtt_url)
    door = (address.hostname or "127.0.0.1", address.port or 1883)
    return settings.database_url, door, unquote(address.password or "")
