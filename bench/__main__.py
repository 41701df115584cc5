"""``python -m bench [NAME]``: measure, show, and write to ``docs/performance.md``."""

import tempfile
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from bench import api, backlog, full_fleet, history, ingest, plans, share, sos, storm, suggest
from bench.house import House
from bench.machine import describe
from bench.report import Section, show, write
from services.core.logs import configure_logging
from services.core.settings import Settings

Benchmark = Callable[[House], Awaitable[Section | Sequence[Section]]]

QUICK: dict[str, Benchmark] = {"ingest": ingest.measure, "sos": sos.measure, "api": api.measure}

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__)

Write = Annotated[bool, typer.Option("--write/--no-write", help="Write to docs/performance.md.")]
Terminals = Annotated[int, typer.Option(min=10, max=15_000, help="How many terminals.")]
Minutes = Annotated[float, typer.Option(min=0.05, help="How long.")]


@app.callback(invoke_without_command=True)
def quick(context: typer.Context) -> None:
    """Measure on servers of their own, with durable settings, in a temporary directory.

    Without a name: the three quick ones. The others take minutes each and want the machine for themselves.
    """
    configure_logging(Settings(_env_file=None, log_level="WARNING"), "bench")
    if context.invoked_subcommand is None:
        run(*QUICK.values())


@app.command("ingest")
def ingest_command(keep: Write = True) -> None:
    """Broker → committed rows, beside the minimal loop (1 min)."""
    run(ingest.measure, keep=keep)


@app.command("sos")
def sos_command(keep: Write = True) -> None:
    """Button → dispatcher's screen, at rest and beside vitals (3 min)."""
    run(sos.measure, keep=keep)


@app.command("api")
def api_command(keep: Write = True) -> None:
    """Requests a second, beside bare routes (2 min)."""
    run(api.measure, keep=keep)


@app.command("fleet")
def fleet_command(
    terminals: Terminals = full_fleet.TERMINALS, minutes: Minutes = full_fleet.MINUTES, keep: Write = True
) -> None:
    """Ten thousand terminals at a mixed rate for ten minutes (15 min)."""
    run(partial(full_fleet.measure, terminals=terminals, minutes=minutes), keep=keep)


@app.command("storm")
def storm_command(
    terminals: Terminals = storm.TERMINALS,
    presses: Annotated[int, typer.Option(min=1, help="SOS within five seconds.")] = storm.PRESSES,
    kill: Annotated[bool, typer.Option(help="Six more storms, a part killed in each.")] = False,
    keep: Write = True,
) -> None:
    """An alarm storm while every terminal reconnects (4 min, with --kill 8 min)."""
    if presses * (7 if kill else 1) > terminals:
        raise typer.BadParameter("a terminal presses once: fewer presses or more terminals")
    run(partial(storm.measure, terminals=terminals, presses=presses, kill=kill), keep=keep)


@app.command("backlog")
def backlog_command(
    terminals: Terminals = backlog.TERMINALS, minutes: Minutes = backlog.MINUTES, keep: Write = True
) -> None:
    """Ingest away for ten minutes, and what comes after (16 min)."""
    run(partial(backlog.measure, terminals=terminals, minutes=minutes), keep=keep)


@app.command("share")
def share_command(
    messages: Annotated[int, typer.Option(min=200, help="In each round.")] = share.MESSAGES, keep: Write = True
) -> None:
    """One vitals process beside two that share the load (3 min)."""
    run(partial(share.measure, messages=messages), keep=keep)


@app.command("suggest")
def suggest_command(
    quick: Annotated[bool, typer.Option("--quick", help="Twenty caregivers, some seconds; not written.")] = False,
    keep: Write = True,
) -> None:
    """Suggestions over HTTP at 20, 100 and 300 caregivers with a full day (3 min)."""
    run(partial(suggest.measure, quick=quick), keep=keep and not quick)


@app.command("history")
def history_command(
    rows: Annotated[list[str] | None, typer.Option(help="Such as 10M; several times.")] = None,
    messages: Annotated[int, typer.Option(min=200, help="Drained at each length.")] = history.MESSAGES,
    keep: Write = True,
) -> None:
    """Ingest and charts beside 10 and 50 million readings (30 min and some 20 GB)."""
    wanted = sorted(history.millions(text) for text in rows or ("10M", "50M"))
    run(partial(history.measure, rows=wanted, messages=messages), keep=keep)


@app.command("plans")
def plans_command(
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="Of the public instances.")],
    quick: Annotated[bool, typer.Option("--quick", help="Only that it runs through, in seconds.")] = False,
    only: Annotated[plans.Part | None, typer.Option(help="One part of it.")] = None,
    keep: Write = True,
) -> None:
    """Planning days: public instances, townships beside VROOM, urgent visits, repair (75 min)."""
    for section in plans.measure(folder, plans.QUICK if quick else plans.FULL, only):
        show(section)
        if keep and not quick:
            write(section, describe())


def run(*benchmarks: Benchmark, keep: bool = True) -> None:
    """Each on fresh servers; shown, and written unless `keep` is false."""
    for benchmark in benchmarks:
        with tempfile.TemporaryDirectory(prefix="guoyuan-bench-", ignore_cleanup_errors=True) as directory:
            house = House(Path(directory))
            with house:
                found = uvloop.run(_measured(benchmark, house))
        for section in [found] if isinstance(found, Section) else found:
            show(section)
            if keep:
                write(section, describe())


async def _measured(benchmark: Benchmark, house: House) -> Section | Sequence[Section]:
    return await benchmark(house)


if __name__ == "__main__":
    app()
