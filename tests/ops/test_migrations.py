"""The schema of the migrations is the schema of the models, and every step leads back as well."""

import asyncio
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import pytest
from alembic import command

from ops.migrate import configuration, migrate
from ops.stack.embedded import EmbeddedStack

FIRST = "0001_create_tables"


async def _run(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture
def empty_database(stack: EmbeddedStack) -> Iterator[str]:
    """A database of its own beside the tests' one."""
    name = f"migrations_{uuid4().hex}"
    asyncio.run(_run(stack.postgres.url, f"CREATE DATABASE {name}"))
    yield urlunsplit(urlsplit(stack.postgres.url)._replace(path=f"/{name}"))
    asyncio.run(_run(stack.postgres.url, f"DROP DATABASE {name}"))


def test_the_models_are_what_the_migrations_make(empty_database: str) -> None:
    migrate(empty_database)
    command.check(configuration(empty_database))


def test_every_step_leads_back_and_forth(empty_database: str) -> None:
    migrate(empty_database)
    command.downgrade(configuration(empty_database), FIRST)
    migrate(empty_database)
    command.check(configuration(empty_database))
