"""``guoyuan retention``: what the policy lets go, and, when told so, letting it go now."""

import asyncio
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

import services.schema  # noqa: F401  every table is known
from ops.stack.runtime import load_settings
from services.core.actor import SYSTEM
from services.core.database import Database
from services.core.logs import configure_logging
from services.vitals.models import RetentionLog
from services.vitals.months.retention import Doomed, Policy, load_policy, plan, retain


def retention(
    dry_run: Annotated[
        bool, typer.Option("--dry-run/--delete", help="只列出／立即删除。 Only list, or delete now.")
    ] = True,
) -> None:
    """按保留期限清理数据。 List what is older than the policy keeps; the worker deletes it, and writes it down."""
    settings = load_settings()
    configure_logging(settings, "retention")
    if settings.database_url is None:
        raise typer.BadParameter("set GUOYUAN_DATABASE_URL, or start the stack with `guoyuan up`")
    policy = load_policy()
    due, gone = asyncio.run(_run(settings.database_url, policy, delete=not dry_run))
    console = Console()
    kept = ", ".join(f"{item.what} {item.months}" for item in policy.items)
    console.print(f"policy {policy.version}: months kept: {kept}{'' if policy.verified else ' (project default)'}")
    console.print(_table(due))
    for line in gone:
        typer.echo(f"deleted {line.what} {line.range_start:%Y-%m-%d} – {line.range_end:%Y-%m-%d}: {line.rows}")


async def _run(database_url: str, policy: Policy, *, delete: bool) -> tuple[list[Doomed], Sequence[RetentionLog]]:
    """The plan, and what was deleted, one thing a transaction."""
    database = Database(database_url, pool_size=2)
    gone: list[RetentionLog] = []
    try:
        async with database.unit_of_work(SYSTEM) as work:
            due = await plan(work, policy)
        while delete:
            async with database.unit_of_work(SYSTEM) as work:
                lines = await retain(work, policy)
            if not lines:
                break
            gone += lines
    finally:
        await database.close()
    return due, gone


def _table(due: Sequence[Doomed]) -> Table:
    table = Table("数据 what", "从 from", "至 before", "行数 rows", "保留 held")
    for one in due:
        start = "" if one.start is None else f"{one.start:%Y-%m-%d}"
        table.add_row(one.what, start, f"{one.end:%Y-%m-%d}", str(one.rows), "✓" if one.held else "")
    return table
