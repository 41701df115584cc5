"""``guoyuan up`` and ``guoyuan status``."""

import json
import time
from typing import Annotated

import typer
from rich.console import Console
from rich.status import Status
from rich.table import Table

from ops.stack import runtime
from ops.stack.lock import AlreadyRunningError
from ops.stack.ports import PortTakenError
from ops.stack.postgres import DamagedDataError
from ops.stack.process import StartFailedError
from ops.stack.runtime import PROJECT, own_settings, same_process
from ops.stack.up import Up, api_url
from services.core.settings import Settings


class Screen:
    """Shows the progress of ``guoyuan up``: a spinner on a terminal, lines in a log file."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status: Status | None = None

    def doing(self, what: str) -> None:
        """Turn the spinner for a step."""
        self._end()
        if self._console.is_terminal:
            self._status = self._console.status(what)
            self._status.start()

    def done(self, what: str) -> None:
        """Tick a step off."""
        self._end()
        self._console.print(f"[green]✓[/green] {what}")

    def note(self, what: str) -> None:
        """Print a line to read."""
        self._end()
        self._console.print(what, style="yellow", markup=False, highlight=False)

    def running(self, settings: Settings) -> None:
        """Print the addresses."""
        self._end()
        url = api_url(settings)
        host, port = settings.terminal_broker
        table = Table.grid(padding=(0, 2))
        table.add_row("接口 API", url)
        table.add_row("接口文档 API documentation", f"{url}/api/v1/openapi.json")
        table.add_row("终端接入 MQTT", f"{host}:{port}")
        table.add_row("数据与日志 data and logs", str(settings.data_dir))
        if settings.mode == "demo":
            table.add_row("演示账号 demo logins", "guoyuan demo credentials")
        table.add_row("检查 check", "guoyuan doctor")
        table.add_row("停止 stop", "Ctrl-C")
        self._console.print()
        self._console.print(table)
        self._console.print()

    def _end(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None


def up(
    simulate: Annotated[
        bool, typer.Option(help="演示模式下运行模拟终端。 Simulated terminals in demo mode.")
    ] = True,
) -> None:
    """启动全部。 Start everything, watch over it, and stop it on Ctrl-C or SIGTERM."""
    console = Console(highlight=False)
    settings = own_settings()
    try:
        code = Up(settings, Screen(console), simulate=simulate).run()
    except (AlreadyRunningError, PortTakenError, StartFailedError, DamagedDataError) as error:
        console.print(str(error), style="red", markup=False, highlight=False)
        raise typer.Exit(1) from None
    raise typer.Exit(code)


def status(
    as_json: Annotated[bool, typer.Option("--json", help="机器可读。 For programs.")] = False,
) -> None:
    """各进程状态。 The processes of the running stack; exit code 1 when it does not run or one of them failed."""
    settings = own_settings()
    found = runtime.read(settings.data_dir)
    if found is None and "data_dir" not in settings.model_fields_set:
        found = runtime.read(PROJECT / settings.data_dir)
    running = found is not None and found.alive
    rows = [
        {
            "name": process.name,
            "state": process.state if same_process(process.pid, process.created_at) else _absent(process.state),
            "pid": process.pid or None,
            "uptime_seconds": round(time.time() - process.created_at) if process.created_at else None,
            "restarts": process.restarts,
            "log": process.log,
        }
        for process in (found.processes if found is not None and running else [])
    ]
    if as_json:
        typer.echo(
            json.dumps({"running": running, "pid": found.pid if found and running else None, "processes": rows})
        )
    elif not running:
        Console().print("没有运行。 Nothing is running: start it with `guoyuan up`.")
    else:
        table = Table(box=None, padding=(0, 2, 0, 0))
        for title in ("进程 process", "状态 state", "pid", "运行 up, s", "重启 restarts"):
            table.add_column(title, no_wrap=True)
        table.add_column("日志 log", overflow="fold")
        for row in rows:
            table.add_row(*("" if value is None else str(value) for value in row.values()))
        Console().print(table)
    if not running or any(row["state"] in ("failed", "restarting") for row in rows):
        raise typer.Exit(1)


def _absent(state: str) -> str:
    return state if state in ("failed", "finished") else "restarting"
