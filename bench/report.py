"""Results as a table on the screen and as a section of ``docs/performance.md``."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance.md"
HEAD = """# Performance

Written by `make bench` (`python -m bench`), which starts servers of its own in a temporary directory. Each
section is one run: the platform beside the least that could do the same work, with the same client, on the same
servers, in turn. Take the ratios; the absolute figures are this machine's.

Three benchmarks take a few minutes and are what `make bench` runs: `ingest`, `sos`, `api`. The others take longer
and want the machine for themselves: `make bench ARGS="fleet"` (a county's terminals for ten minutes), `storm` and
`storm --kill` (an alarm storm; a part killed in each), `backlog` (ingest away for ten minutes), `share` (two
ingest processes) and `history` (10 and 50 million readings). `python -m bench NAME --help` lists their sizes. The
same storms run small in `tests/faults`, and every benchmark in `tests/bench`, at a size of seconds.
"""


@dataclass(frozen=True, slots=True)
class Section:
    """One benchmark's results."""

    key: str
    title: str
    how: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    findings: Sequence[str] = field(default_factory=tuple)


def progress(what: str) -> None:
    """Say how far a long run is, beside its result."""
    print(f"{datetime.now(UTC):%H:%M:%S} {what}", file=sys.stderr, flush=True)


def show(section: Section) -> None:
    """Print it."""
    console = Console()
    table = Table(*section.columns, title=section.title)
    for row in section.rows:
        table.add_row(*row)
    console.print(table)
    for finding in section.findings:
        console.print(f"- {finding}", highlight=False)


def write(section: Section, machine: Sequence[str], page: Path = PAGE) -> None:
    """Put the section into the page, in place of an earlier one; the other sections stay."""
    text = page.read_text("utf-8") if page.exists() else HEAD
    begin, end = f"<!-- {section.key} -->", f"<!-- end of {section.key} -->"
    block = f"{begin}\n{markdown(section, machine)}{end}"
    before, found, rest = text.partition(begin)
    text = before + block + rest.partition(end)[2] if found else f"{text.rstrip()}\n\n{block}\n"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(text, "utf-8")


def markdown(section: Section, machine: Sequence[str]) -> str:
    """The section as it stands in the page."""
    lines = [
        f"## {section.title}",
        "",
        section.how,
        "",
        _line(section.columns),
        _line(["---"] * len(section.columns)),
    ]
    lines += [_line(row) for row in section.rows]
    lines += ["", *(f"- {finding}" for finding in section.findings)]
    lines += ["", f"Measured on {datetime.now(UTC):%Y-%m-%d}: {'; '.join(machine)}.", ""]
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
