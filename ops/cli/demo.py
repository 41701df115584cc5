"""``guoyuan demo load`` and ``guoyuan demo credentials``."""

import asyncio
import json
from typing import Annotated, Any

import asyncpg
import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy.exc import DBAPIError

from ops.demo.credentials import describe
from ops.demo.load import DEFAULT_SEED, MAX_SCALE, DemoRefused, LoadReport
from ops.demo.load import load as load_county
from ops.stack.runtime import load_settings
from services.core.logs import configure_logging

_REFUSALS = (DemoRefused, OSError, DBAPIError, asyncpg.PostgresError)

app = typer.Typer(no_args_is_help=True, help="示范县数据。 The demo county: load it, show its logins.")


@app.command()
def load(
    scale: Annotated[
        int, typer.Option(min=1, max=MAX_SCALE, help="人口倍数，1 为 360 位长者。 1 is 360 residents.")
    ] = 1,
    seed: Annotated[int, typer.Option(help="随机种子。 The same seed, the same people.")] = DEFAULT_SEED,
) -> None:
    """装入示范县（长沙县，人物均为虚构）。 Load the demo county once; its people are all invented."""
    console = Console()
    try:
        with console.status("demo county") as status:
            report = asyncio.run(load_county(load_settings(), seed=seed, scale=scale, say=status.update))
    except _REFUSALS as refusal:
        _refuse(refusal)
    for line in summary(report, seed):
        console.print(line, highlight=False)


@app.command()
def credentials(
    as_json: Annotated[bool, typer.Option("--json", help="供脚本使用。 For scripts.")] = False,
) -> None:
    """显示示范账号与终端。 Show demo logins and terminals, with fresh one-time codes and access tokens."""
    settings = load_settings()
    configure_logging(settings.model_copy(update={"log_level": "WARNING"}), "demo")
    try:
        document = asyncio.run(describe(settings))
    except _REFUSALS as refusal:
        _refuse(refusal)
    if as_json:
        typer.echo(json.dumps(document, ensure_ascii=False, indent=2))
    else:
        show(document)


def summary(report: LoadReport, seed: int) -> list[str]:
    """What a load did, in a few lines."""
    if report.loaded:
        rows = ", ".join(f"{count} {name}" for name, count in report.loaded.items())
        return [f"示范县已装入。 Demo county loaded (seed {seed}): {rows}."]
    lines = [f"示范县已存在。 The demo county is already there ({report.residents} residents)."]
    if report.renewed_passwords:
        lines.append("已更换示范密码。 The file of demo logins was lost: every demo password is new.")
    if report.prolonged_shifts:
        lines.append(f"已顺延排班。 Prolonged the roster by {report.prolonged_shifts} shifts.")
    if not report.same_seed:
        lines.append("它由另一个种子生成。 It was made from another seed than the one given.")
    if not report.changed:
        lines.append("未作任何更改。 Nothing was changed.")
    return lines


def show(document: dict[str, Any]) -> None:
    """The same as the JSON, for people; access tokens are left out."""
    console = Console()
    mqtt = document["mqtt"]
    console.print(f"API   {document['api']}   MQTT  {mqtt['host']}:{mqtt['port']}", highlight=False)
    users = _table("角色 role", "账号 login", "密码 password", "验证码 code", "区域 area")
    for user in document["users"]:
        users.add_row(
            user["role"], user["login"], user.get("password", ""), user.get("code", ""), user["area_code"]
        )
    console.print(users)
    terminals = _table("终端 terminal", "用户名 username", "密码 password")
    for terminal in document["terminals"]:
        terminals.add_row(terminal["kind"], terminal["username"], terminal["password"])
    console.print(terminals)
    new = document["provisioning"]
    console.print(
        f"新终端领取密钥 provisioning: key {new['profile_key']}, secret {new['profile_secret']},"
        f" serials {', '.join(new['serials']) or '-'}",
        highlight=False,
    )
    console.print("仅供演示，人物均为虚构。 For the demo only; every person is invented.")


def _table(*headings: str) -> Table:
    """Nothing is cut off on a narrow screen: these are to be copied."""
    table = Table(box=None, padding=(0, 1))
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def _refuse(refusal: Exception) -> None:
    words = str(refusal).partition("\n")[0] or type(refusal).__name__
    if not isinstance(refusal, DemoRefused):
        words = f"数据库不可用。 The database cannot be used: {words}"
    typer.secho(words, fg=typer.colors.RED, err=True)
    raise typer.Exit(1) from None
