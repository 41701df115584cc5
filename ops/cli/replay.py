"""``guoyuan replay FILE.csv``: recorded vital signs as the messages of one terminal."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
import uvloop
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from devices.address import ConnectionRefused, MqttAddress
from devices.recording import Recording, RecordingError, read_recording
from devices.replay import ReplayResult, replay_recording
from devices.terminal_driver import TerminalCredential, TerminalDriver
from ops.cli.comparison import show_comparison
from ops.cli.terminals import find_terminals
from services.core.clock import BUSINESS_ZONE

CONNECT_SECONDS = 15.0
MANY = 1_000_000
MONITOR = "bedside_monitor"


def replay(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="CSV：minute,HR,SpO2,… 或 or at,kind,value")
    ],
    terminal: Annotated[
        str | None, typer.Option(help="终端编号；默认第一台床旁监护仪 Its id; default: the first bedside monitor.")
    ] = None,
    speed: Annotated[
        float,
        typer.Option(min=0, help="加速倍数，0 为最快 Times as fast as recorded; 0: as fast as it goes."),
    ] = 60.0,
    start: Annotated[
        str | None,
        typer.Option(help="首条时间，RFC 3339；默认末条为现在 Time of the first; default: last is now."),
    ] = None,
    patience: Annotated[
        float, typer.Option(min=1, help="等回执的秒数 Give up after so many seconds without a receipt.")
    ] = 120.0,
    credentials: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="`guoyuan demo credentials --json` 的输出 Its output."),
    ] = None,
    compare: Annotated[
        bool,
        typer.Option(
            "--compare", help="不发送，只比较报警 Send nothing: naive alarms beside ours, and the misses."
        ),
    ] = False,
) -> None:
    """回放记录的体征，直到全部收到回执。 Replay recorded vital signs until every receipt has come.

    With --compare nothing is sent: it prints what a naive threshold and our default rules would raise, and whether
    each true episode of the recording is raised. No broker, no database.
    """
    recording = _load(file)
    if compare:
        show_comparison(recording)
        return
    found, address = find_terminals(credentials, MANY, even_busy=terminal is not None)
    monitors = [item for item in found if item.kind == MONITOR]
    chosen = next((item for item in [*monitors, *found] if terminal in (None, item.id)), None)
    if chosen is None:
        raise typer.BadParameter(f"no terminal {terminal} among the {len(found)} known ones")
    try:
        result = uvloop.run(run(recording, chosen, address, _time(start), speed, patience))
    except ConnectionRefused as error:
        raise typer.BadParameter(f"the broker refused the terminal: {error.reason}") from None
    except TimeoutError:
        raise typer.BadParameter(f"no broker answers at {address.host}:{address.port}") from None
    show(recording, chosen, result)
    if not result.complete:
        raise typer.Exit(1)


def _load(file: Path) -> Recording:
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            return read_recording(lines)
    except (RecordingError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{file}: {error}") from None


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("--start is not a time") from None
    if at.tzinfo is None:
        raise typer.BadParameter("--start needs an offset, such as +08:00")
    return at


def _shown(at: datetime) -> str:
    return at.astimezone(BUSINESS_ZONE).strftime("%Y-%m-%d %H:%M:%S")


async def run(
    recording: Recording,
    credential: TerminalCredential,
    address: MqttAddress,
    start: datetime | None,
    speed: float,
    patience: float,
) -> ReplayResult:
    """Connect as the terminal and play it, with a progress bar."""
    console = Console()
    async with TerminalDriver(credential, address, firmware="guoyuan-replay") as driver:
        await driver.client.wait_connected(CONNECT_SECONDS)
        with Progress(console=console, transient=True) as progress:
            task = progress.add_task("回放 replay", total=len(recording.moments))
            return await replay_recording(
                recording,
                driver,
                start=start,
                speed=speed,
                patience_seconds=patience,
                on_sent=lambda count: progress.update(task, completed=count),
            )


def show(recording: Recording, terminal: TerminalCredential, result: ReplayResult) -> None:
    """What was sent and what became of it."""
    counters = result.counters
    table = Table(title="回放结果 Replay", show_header=False)
    rows: list[tuple[str, object]] = [
        ("终端 terminal", terminal.id),
        ("消息 messages in the recording", len(recording.moments)),
        ("读数 readings", recording.readings),
        ("第一条 first", _shown(result.first_at)),
        ("最后一条 last", _shown(result.last_at)),
        ("已发 sent", counters.sent),
        ("重发 sent again", counters.resent),
        ("已回执 receipted", counters.receipted),
        ("被拒 refused", counters.refused),
    ]
    if recording.columns_left_out:
        rows.append(("未发送的列 columns not sent", ", ".join(recording.columns_left_out)))
    if recording.unreadable_cells:
        rows.append(("无法读取的单元格 unreadable cells", recording.unreadable_cells))
    for label, value in rows:
        table.add_row(label, str(value))
    console = Console()
    console.print(table)
    if not result.complete:
        console.print("[red]有消息没有收到回执。 Some messages have no receipt.[/red]")
