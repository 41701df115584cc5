"""``python -m bench [ingest|sos|api|all]``: measure, show, and write to ``docs/performance.md``."""

import tempfile
from collections.abc import Awaitable, Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from bench import api, ingest, sos
from bench.house import House
from bench.machine import describe
from bench.report import Section, show, write
from services.core.logs import configure_logging
from services.core.settings import Settings

Benchmark = Callable[[House], Awaitable[Section]]

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class Which(StrEnum):
    """What to measure."""

    INGEST = "ingest"
    SOS = "sos"
    API = "api"
    ALL = "all"


BENCHMARKS: dict[Which, Benchmark] = {Which.INGEST: ingest.measure, Which.SOS: sos.measure, Which.API: api.measure}


@app.command()
def bench(
    which: Annotated[Which, typer.Argument(help="What to measure.")] = Which.ALL,
    keep: Annotated[bool, typer.Option("--write/--no-write", help="Write to docs/performance.md.")] = True,
) -> None:
    """Run benchmarks on servers of their own, with durable settings, in a temporary directory."""
    configure_logging(Settings(_env_file=None, log_level="WARNING"), "bench")
    chosen = list(BENCHMARKS) if which is Which.ALL else [which]
    for name in chosen:
        section = run(BENCHMARKS[name])
        show(section)
        if keep:
            write(section, describe())


def run(benchmark: Benchmark) -> Section:
    """One benchmark on fresh servers."""
    with tempfile.TemporaryDirectory(prefix="guoyuan-bench-", ignore_cleanup_errors=True) as directory:
        house = House(Path(directory))
        with house:
            return uvloop.run(_measured(benchmark, house))


async def _measured(benchmark: Benchmark, house: House) -> Section:
    return await benchmark(house)


if __name__ == "__main__":
    app()
