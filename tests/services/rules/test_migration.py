"""The limits that residents had before are the figures that the default rules ask for, and back again."""

import asyncio
from typing import Any
from uuid import uuid4

import asyncpg
from alembic import command

from ops.migrate import configuration, migrate
from ops.stack.embedded import EmbeddedStack
from services.core.database import asyncpg_url

RESIDENT = uuid4()
BEFORE, WITH_RULES = "0008_add_vendor_callbacks", "0009_add_vital_rules"


def run(url: str, statement: str, *values: object) -> list[Any]:
    """One statement on a connection of its own: Alembic has its own loop, so this is no async test."""

    async def go() -> list[Any]:
        connection = await asyncpg.connect(asyncpg_url(url))
        try:
            return list(await connection.fetch(statement, *values))
        finally:
            await connection.close()

    return asyncio.run(go())


def test_own_limits_move_into_attributes_and_back(stack: EmbeddedStack) -> None:
    name = f"rules_{uuid4().hex[:12]}"
    run(stack.postgres.url, f"CREATE DATABASE {name}")
    url = _other(stack.postgres.url, name)
    try:
        migrate(url, BEFORE)
        run(
            url,
            "INSERT INTO resident (id, area_code, name, gender, birth_date, address, latitude, longitude,"
            " access_note, conditions, allergies, medicines, categories, dialect, created_at, version)"
            " VALUES ($1, '430121107201', '王青梅', 'female', '1940-01-01', '', 28.3, 113.2, '', '{}', '{}', '{}',"
            " '{}', '', now(), 1)",
            RESIDENT,
        )
        run(
            url,
            "INSERT INTO vital_threshold (resident_id, kind, area_code, low, high, set_at, version)"
            " VALUES ($1, 'heart_rate', '430121107201', NULL, 110, now(), 1),"
            " ($1, 'spo2', '430121107201', 88, NULL, now(), 1)",
            RESIDENT,
        )
        migrate(url, WITH_RULES)
        rows = run(url, "SELECT name, value FROM resident_attribute ORDER BY name")
        assert [tuple(row) for row in rows] == [("heart_rate_high", 110), ("spo2_low", 88)]
        command.downgrade(configuration(url), BEFORE)
        rows = run(url, "SELECT kind, low, high FROM vital_threshold ORDER BY kind")
        assert [tuple(row) for row in rows] == [("heart_rate", None, 110), ("spo2", 88, None)]
        migrate(url, WITH_RULES)
    finally:
        run(stack.postgres.url, f"DROP DATABASE {name} WITH (FORCE)")


def _other(url: str, name: str) -> str:
    """The address of another database of the same server."""
    before, _, query = url.partition("?")
    address = before.rsplit("/", 1)[0] + f"/{name}"
    return f"{address}?{query}" if query else address
