"""Many rows at once: SQLModel rows by COPY, inside the transaction of a unit of work."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import asyncpg
import msgspec
from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import JSONB, Range
from sqlmodel import SQLModel

from services.core.database import Work

_CHUNK = 20_000
"""Rows a COPY: each stays far below the statement timeout."""


async def driver(work: Work) -> Any:
    """The asyncpg connection below a unit of work, inside its transaction."""
    connection = await work.session.connection()
    # SQLAlchemy begins asyncpg's transaction with the first statement that goes through itself.
    await connection.exec_driver_sql("SELECT 1")
    raw = await connection.get_raw_connection()
    return raw.driver_connection


async def copy_rows(work: Work, rows: Iterable[SQLModel]) -> int:
    """Store rows of one table; identity columns are numbered by the database. Returns how many."""
    connection = await driver(work)
    iterator = iter(rows)
    stored = 0
    while chunk := list(islice(iterator, _CHUNK)):
        table = table_of(chunk[0])
        names = [column.name for column in table.columns if column.identity is None]
        await connection.copy_records_to_table(table.name, records=_records(chunk, names), columns=names)
        stored += len(chunk)
    return stored


async def insert_missing(work: Work, rows: Sequence[SQLModel]) -> None:
    """Store those rows of one table that are not there yet, by any of its unique keys."""
    table = table_of(rows[0])
    names = [column.name for column in table.columns if column.identity is None]
    places = ", ".join(f"${n + 1}" for n in range(len(names)))
    connection = await driver(work)
    await connection.executemany(
        f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({places}) ON CONFLICT DO NOTHING",  # noqa: S608  our own names
        _records(rows, names),
    )


def table_of(row: SQLModel) -> Table:
    """The table of a row."""
    table: Table = row.__table__  # type: ignore[attr-defined]
    return table


def _records(rows: Sequence[SQLModel], names: list[str]) -> list[tuple[Any, ...]]:
    json_names = {column.name for column in table_of(rows[0]).columns if isinstance(column.type, JSONB)}
    return [tuple(_value(getattr(row, name), name in json_names) for name in names) for row in rows]


def _value(value: Any, is_json: bool) -> Any:
    if is_json and value is not None:
        return msgspec.json.encode(value).decode()
    if isinstance(value, Range):
        return asyncpg.Range(value.lower, value.upper, lower_inc=True, upper_inc=False)
    return value
