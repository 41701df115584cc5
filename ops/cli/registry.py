"""``guoyuan terminals``: taking boxes of terminals into stock, and seeing who tried to provision one."""

import asyncio
import csv
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar
from uuid import UUID

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from ops.stack.runtime import load_settings
from services.centres.service import centre_in_charge
from services.core.actor import SYSTEM
from services.core.database import Database, Work
from services.core.errors import DomainError
from services.terminals.lifecycle import register
from services.terminals.profiles import list_profiles
from services.terminals.queries import page_of_attempts
from services.terminals.registry_models import TerminalCreate

app = typer.Typer(no_args_is_help=True, help="终端入库与领取记录。 Terminals into stock; who fetched credentials.")

T = TypeVar("T")

COLUMNS = ("serial", "profile", "area_code")


class BadList(Exception):
    """What is wrong with which line of the file."""


@app.command()
def stock(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV: serial, profile, area_code.")],
) -> None:
    """批量入库：全部成功或全部不入。 Register every terminal of a CSV file, or none of them.

    ``profile`` is a profile's code, ``area_code`` the town whose centre has the terminal on its shelf.
    """
    try:
        count = asyncio.run(_with_work(lambda work: _register_all(work, file)))
    except BadList as error:
        typer.secho(f"{file}: {error}", fg=typer.colors.RED, err=True)
        raise typer.Exit(1) from None
    typer.echo(f"已入库 {count} 台终端。 {count} terminals are in stock now.")


@app.command()
def attempts(
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="最多几条。 Rows at most.")] = 50,
) -> None:
    """终端领取密钥的记录。 Who tried to provision a terminal, newest first; also those of unknown serials."""
    rows = asyncio.run(_with_work(lambda work: page_of_attempts(work, limit, None, None)))
    table = Table("时间 at", "序列号 serial", "来源 address", "结果 outcome", box=None, padding=(0, 1))
    for row in rows:
        table.add_row(f"{row.at:%Y-%m-%d %H:%M:%S}Z", row.serial, row.address or "", str(row.outcome))
    Console().print(table)


async def _with_work(run: Callable[[Work], Awaitable[T]]) -> T:
    settings = load_settings()
    if settings.database_url is None:
        raise typer.BadParameter("没有正在运行的系统。 Nothing is running: `guoyuan up`, or GUOYUAN_DATABASE_URL.")
    database = Database(settings.database_url, 2)
    try:
        async with database.unit_of_work(SYSTEM) as work:
            return await run(work)
    finally:
        await database.close()


async def _register_all(work: Work, file: Path) -> int:
    profiles = {profile.code: profile.id for profile in await list_profiles(work)}
    count = 0
    with file.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.DictReader(lines)
        missing = set(COLUMNS) - set(reader.fieldnames or ())
        if missing:
            raise BadList(f"缺少列 no column {', '.join(sorted(missing))}")
        for row in reader:
            await _register(work, row, profiles, reader.line_num)
            count += 1
    return count


async def _register(work: Work, row: dict[str, str], profiles: dict[str, UUID], line: int) -> None:
    where = f"第 {line} 行 line {line}"
    if row["profile"] not in profiles:
        raise BadList(f"{where}: 没有此型号 no such profile: {row['profile']}")
    try:
        centre = await centre_in_charge(work, row["area_code"])
        new = TerminalCreate(serial=row["serial"], profile_id=profiles[row["profile"]], centre_id=centre.id)
        await register(work, new)
    except ValidationError as error:
        raise BadList(f"{where}: serial: {error.errors()[0]['msg']}") from None
    except ValueError as error:
        raise BadList(f"{where}: area_code: {error}") from None
    except DomainError as error:
        raise BadList(f"{where}: {error.title_zh} {error.title_en}") from None
