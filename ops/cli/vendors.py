"""``guoyuan vendors``: keys with which vendors' clouds send for their devices."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated, TypeVar
from uuid import UUID

import typer

import services.schema  # noqa: F401  every table is known
from devices.codecs.registry import NAMES
from ops.stack.runtime import load_settings
from services.core.actor import SYSTEM
from services.core.crypto import Vault, vault_from
from services.core.database import Database, Work
from services.core.errors import DomainError
from services.core.logs import configure_logging
from services.vendors import service
from services.vendors.repository import list_keys

app = typer.Typer(help="厂商云回调密钥。 Keys of vendors' clouds.", no_args_is_help=True)
T = TypeVar("T")

KeyId = Annotated[UUID, typer.Argument(help="密钥编号。 The key's id, as `list` shows it.")]


@app.command()
def add(
    vendor: Annotated[str, typer.Argument(help="厂商名称。 The vendor's name.")],
    area: Annotated[str, typer.Option(help="区划代码。 The area whose terminals it may send for.")],
    codec: Annotated[str, typer.Option(help=f"编码。 One of {', '.join(NAMES)}.")] = NAMES[0],
) -> None:
    """新建密钥，密文只显示一次。 Make a key; its secret is shown this once."""
    if codec not in NAMES:
        raise typer.BadParameter(f"one of {', '.join(NAMES)}", param_hint="--codec")
    key, secret = _do(lambda work, vault: service.add_key(work, vault, vendor, area, codec))
    typer.echo(f"POST /api/v1/callbacks/{key.id}\n{secret}")


@app.command()
def rotate(
    key_id: KeyId,
    overlap_hours: Annotated[
        float, typer.Option(min=0, help="旧密文继续有效的小时数。 Hours that the old one stays good.")
    ] = 24,
) -> None:
    """更换密文。 Make a new secret for a key."""
    overlap = timedelta(hours=overlap_hours)
    _, secret = _do(lambda work, vault: service.rotate_key(work, vault, key_id, overlap))
    typer.echo(secret)


@app.command()
def disable(key_id: KeyId) -> None:
    """停用密钥，立即生效。 Keep a key out, at once."""
    _do(lambda work, _: service.enable_key(work, key_id, False))


@app.command()
def enable(key_id: KeyId) -> None:
    """启用密钥。 Let a key in again."""
    _do(lambda work, _: service.enable_key(work, key_id, True))


@app.command(name="list")
def show() -> None:
    """列出密钥。 Every key, without its secret."""
    for key in _do(lambda work, _: list_keys(work)):
        state = "on" if key.is_enabled else "off"
        typer.echo(f"{key.id}  {state:3}  {key.area_code:12}  {key.codec:12}  {key.vendor}")


def _do(verb: Callable[[Work, Vault], Awaitable[T]]) -> T:
    """One verb in one transaction; a refusal is a line and status 1."""
    settings = load_settings()
    configure_logging(settings, "vendors")
    if settings.database_url is None:
        raise typer.BadParameter("set GUOYUAN_DATABASE_URL, or start the stack with `guoyuan up`")
    try:
        return asyncio.run(_run(settings.database_url, vault_from(settings), verb))
    except DomainError as refusal:
        typer.secho(f"{refusal.title_zh} {refusal.title_en} {refusal.detail or ''}", fg="red", err=True)
        raise typer.Exit(1) from None


async def _run(url: str, vault: Vault, verb: Callable[[Work, Vault], Awaitable[T]]) -> T:
    database = Database(url, pool_size=2)
    try:
        async with database.unit_of_work(SYSTEM) as work:
            return await verb(work, vault)
    finally:
        await database.close()
