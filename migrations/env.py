"""How Alembic reaches the database: the address is handed in by `guoyuan migrate` or read from settings."""

import asyncio
import re
from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection, String, pool
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import AutoString

from services.core.columns import TextArray, UtcDateTime
from services.core.database import sqlalchemy_url
from services.core.settings import get_settings
from services.schema import metadata

_PARTITION = re.compile(r"reading_(\d{6}|other)")


def database_url() -> str:
    """The address given by the caller, else by the environment."""
    given = context.config.attributes.get("database_url") or get_settings().database_url
    if given is None:
        raise SystemExit("Set GUOYUAN_DATABASE_URL, or start the embedded stack with `guoyuan up`.")
    return sqlalchemy_url(given)


def render_item(kind: str, item: Any, autogen: AutogenContext) -> str | Literal[False]:
    """Write plain SQLAlchemy types into migrations: they must not depend on today's code."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, TextArray):
        return "sa.ARRAY(sa.Text())"
    if kind == "type" and type(item).__name__ == "AutoString":
        return "sa.Text()"
    if kind == "type" and type(item).__name__ == "JSONB":
        autogen.imports.add("from sqlalchemy.dialects import postgresql")
    return False


def include_object(_object: Any, name: str | None, kind: str, _reflected: bool, _compare: Any) -> bool:
    """Partitions belong to the worker, not to the models."""
    return not (kind == "table" and name is not None and _PARTITION.fullmatch(name))


def differs(_context: Any, _column: Any, _name: Any, in_database: Any, in_model: Any) -> bool | None:
    """SQLModel's unlimited strings are `text`; everything else is compared as usual."""
    both_text = isinstance(in_database, String) and isinstance(in_model, AutoString)
    return False if both_text and in_model.length is None else None


def run(connection: Connection) -> None:
    """Configure and run inside one transaction, one migrator at a time."""
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_item=render_item,
        include_object=include_object,
        compare_type=differs,
        compare_server_default=False,
    )
    with context.begin_transaction():
        connection.exec_driver_sql("SET LOCAL lock_timeout = '10s'")
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(4301210001)")
        context.run_migrations()


async def run_online() -> None:
    """Open one connection and run."""
    engine = create_async_engine(database_url(), poolclass=pool.NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(run)
        await connection.commit()
    await engine.dispose()


asyncio.run(run_online())
