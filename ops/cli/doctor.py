"""``guoyuan doctor``: whether each part works."""

import asyncio
import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ops.stack.health import Finding, examine
from ops.stack.runtime import load_settings


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="机器可读。 For programs.")] = False,
) -> None:
    """检查各部分。 Check every part: reachable, version, migrated, lag. Exit code 1 when one does not work."""
    findings = asyncio.run(examine(load_settings()))
    healthy = all(finding.ok for finding in findings)
    if as_json:
        typer.echo(
            json.dumps({"ok": healthy, "parts": [asdict(finding) for finding in findings]}, ensure_ascii=False)
        )
    else:
        Console().print(_table(findings))
    raise typer.Exit(0 if healthy else 1)


def _table(findings: list[Finding]) -> Table:
    table = Table("部分 part", "", "说明 detail", "数值 figures")
    for finding in findings:
        figures = "\n".join(f"{name} {value:g}" for name, value in finding.figures.items())
        table.add_row(finding.part, "[green]✓[/green]" if finding.ok else "[red]✗[/red]", finding.detail, figures)
    return table
