"""``guoyuan create-admin``: the first account of an installation, from which all others are made."""

import asyncio
import os
import sys
from typing import Annotated

import asyncpg
import typer
from sqlalchemy.exc import DBAPIError

import services.schema  # noqa: F401  every table is known, so that the account's foreign keys resolve
from ops.stack.runtime import load_settings
from services.core.actor import SYSTEM, Role
from services.core.areas import AreaLevel, level_of
from services.core.database import Database
from services.core.errors import DomainError
from services.core.logs import configure_logging
from services.identity.accounts import NewAccount, create_staff_account

PASSWORD_VARIABLE = "GUOYUAN_ADMIN_PASSWORD"  # noqa: S105  the variable's name


def create_admin(
    login: Annotated[str, typer.Argument(help="登录名。 The login, 1 to 64 characters.")],
    name: Annotated[str, typer.Option(help="显示名。 The name that others see.")] = "县级平台",
    county: Annotated[str, typer.Option(help="县代码。 The county's national code, 6 digits.")] = "430121",
) -> None:
    """创建县级管理员。 Make a county officer's account.

    The password is asked for, or read from GUOYUAN_ADMIN_PASSWORD, or from standard input when that is not a
    terminal. It is never an argument: arguments are seen in the list of processes.
    """
    settings = load_settings()
    configure_logging(settings, "create-admin")
    if settings.database_url is None:
        raise typer.BadParameter("set GUOYUAN_DATABASE_URL, or start the stack with `guoyuan up`")
    if not county.isdecimal() or len(county) != 6 or level_of(county) is not AreaLevel.COUNTY:
        raise typer.BadParameter("a county code has six digits", param_hint="--county")
    new = NewAccount(role=Role.COUNTY_OFFICER, display_name=name, area_code=county)
    try:
        asyncio.run(store(settings.database_url, new, login, read_password()))
    except DomainError as refusal:
        typer.secho(f"{refusal.title_zh} {refusal.title_en} {refusal.detail or ''}", fg="red", err=True)
        raise typer.Exit(1) from None
    except (OSError, DBAPIError, asyncpg.PostgresError) as error:
        typer.secho(f"数据库不可用。 The database cannot be used: {_first_line(error)}", fg="red", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"已创建。 Made the county officer {login!r} for {county}.")


def read_password() -> str:
    """From the environment, a pipe, or the keyboard (asked twice)."""
    given = os.environ.get(PASSWORD_VARIABLE)
    if given is not None:
        return given
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password: str = typer.prompt("密码 Password", hide_input=True, confirmation_prompt=True)
    return password


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__


async def store(database_url: str, new: NewAccount, login: str, password: str) -> None:
    """Store the account; raises ``LoginTaken`` or ``InvalidInput``."""
    database = Database(database_url, pool_size=1)
    try:
        async with database.unit_of_work(SYSTEM) as work:
            await create_staff_account(work, new, login, password)
    finally:
        await database.close()
