"""``guoyuan simulate``: terminals that send, on the running stack or on any other."""

import asyncio
import contextlib
import resource
import signal
from pathlib import Path
from typing import Annotated

import typer
import uvloop
from rich.console import Console
from rich.table import Table

from devices.address import MqttAddress
from devices.rhythm import Scenario
from devices.simulator import Simulation, SimulationPlan, Totals
from devices.terminal_driver import TerminalCredential
from ops.cli.terminals import find_terminals

REPORT_SECONDS = 5.0
SPARE_FILES = 100


def simulate(
    terminals: Annotated[int, typer.Option("--terminals", "-n", min=1, help="终端数 How many.")] = 10,
    scenario: Annotated[Scenario, typer.Option(help="情景 What happens to them.")] = Scenario.NORMAL,
    interval: Annotated[
        float,
        typer.Option(min=0.01, help="每台终端的发送间隔，秒 Seconds between two vitals messages of one."),
    ] = 5.0,
    seconds: Annotated[
        float | None,
        typer.Option(min=0, help="运行多久；不填则直到 Ctrl-C。 For how long; else until Ctrl-C."),
    ] = None,
    press_every: Annotated[
        float | None, typer.Option(min=0.1, help="之后每隔几秒再报警 Alarm again after so many seconds.")
    ] = None,
    speed: Annotated[float, typer.Option(min=0.1, help="病情发展加速倍数 Illness this much faster.")] = 1.0,
    seed: Annotated[int, typer.Option(help="随机种子 The same seed, the same people.")] = 1,
    credentials: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="`guoyuan demo credentials --json` 的输出 Its output."),
    ] = None,
) -> None:
    """模拟终端发送体征与报警。 Simulated terminals: vitals and alarms, repeated until their receipts come."""
    found, address = find_terminals(credentials, terminals)
    _allow_sockets(len(found))
    plan = SimulationPlan(scenario, interval, speed, seed, press_every)
    totals = uvloop.run(run(plan, found, address, seconds))
    show(totals)
    if totals.pending or (totals.terminals and not totals.sent):
        raise typer.Exit(1)


def _allow_sockets(count: int) -> None:
    """A process may often open 1,024 files unless it asks for more: each terminal is one."""
    wanted = count + SPARE_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise typer.BadParameter(f"this machine allows {hard} open files; ask for fewer terminals")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def run(
    plan: SimulationPlan,
    credentials: list[TerminalCredential],
    address: MqttAddress,
    seconds: float | None,
) -> Totals:
    """Simulate until the time is over, or SIGINT or SIGTERM comes; a line every few seconds meanwhile."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if seconds is not None:
        loop.call_later(seconds, stop.set)
    simulation = Simulation(plan, credentials, address)
    Console().print(
        f"{len(credentials)} terminals · {plan.scenario} · every {plan.interval_seconds:g} s · "
        f"{address.host}:{address.port}"
    )
    reporter = asyncio.create_task(_report(simulation))
    try:
        return await simulation.run(stop)
    finally:
        reporter.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await reporter


async def _report(simulation: Simulation) -> None:
    console = Console()
    while True:
        await asyncio.sleep(REPORT_SECONDS)
        totals = simulation.totals()
        refused = f" · 登录被拒 logins refused {totals.refused_logins}" if totals.refused_logins else ""
        console.print(
            f"在线 online {totals.connected}/{totals.terminals} · 已发 sent {totals.sent} · "
            f"已回执 receipted {totals.receipted} · 报警 alarms {totals.alarms}{refused}"
        )


def show(totals: Totals) -> None:
    """The sums as a table."""
    table = Table(title="模拟结果 Simulation", show_header=False)
    for label, value in (
        ("终端 terminals", totals.terminals),
        ("已发 sent", totals.sent),
        ("重发 sent again", totals.resent),
        ("已回执 receipted", totals.receipted),
        ("被拒 refused", totals.refused),
        ("丢弃 dropped from a full ring", totals.dropped),
        ("未回执 without a receipt", totals.pending),
        ("报警 alarms", totals.alarms),
    ):
        table.add_row(label, str(value))
    if totals.delays:
        ordered = sorted(totals.delays)
        middle, last = ordered[len(ordered) // 2], ordered[-1]
        table.add_row("报警到回执 alarm to receipt", f"p50 {middle * 1000:.0f} ms, max {last * 1000:.0f} ms")
    Console().print(table)
