"""What an item says moves from its row into a published version, and back."""

import asyncio
from typing import Any
from uuid import uuid4

import asyncpg
from alembic import command

from ops.migrate import configuration, migrate
from ops.stack.embedded import EmbeddedStack
from services.catalogue.models import ItemContent, ServiceItemVersion
from services.catalogue.service import facts_of
from services.core.database import asyncpg_url

BEFORE, AFTER = "0016_order_lines", "0017_catalogue_versions"
RULE = """{"components": [
 {"code": "service", "name_zh": "服务费", "name_en": "Fee", "kind": "flat", "unit_fen": 1300}
 ], "source": "test", "version": "2026-11", "effective_date": "2026-11-22", "verified": false}"""


def run(url: str, statement: str, *values: object) -> list[Any]:
    """One statement on a connection of its own: Alembic has its own loop, so this is no async test."""

    async def go() -> list[Any]:
        connection = await asyncpg.connect(asyncpg_url(url))
        try:
            return list(await connection.fetch(statement, *values))
        finally:
            await connection.close()

    return asyncio.run(go())


def test_an_item_becomes_its_first_version_and_a_row_again(stack: EmbeddedStack) -> None:
    name = f"catalogue_{uuid4().hex[:12]}"
    run(stack.postgres.url, f"CREATE DATABASE {name}")
    address, _, query = stack.postgres.url.partition("?")
    url = address.rsplit("/", 1)[0] + f"/{name}" + (f"?{query}" if query else "")
    try:
        migrate(url, BEFORE)
        run(
            url,
            "INSERT INTO service_item (id, code, category, name_zh, name_en, description_zh, description_en, unit,"
            " duration_minutes, caregivers_required, required_skill, required_licences, practice_years, checklist,"
            " price_rule, is_active, version) VALUES ($1, 'foot_care', 'nursing', '足部护理', 'Foot care', '', '',"
            " 'visit', 40, 1, 'nursing', '{nurse_licence}', 5, '[]', $2, false, 3)",
            uuid4(),
            RULE,
        )
        before = run(url, "SELECT * FROM service_item")[0]
        migrate(url, AFTER)
        row = run(
            url, "SELECT number, is_active, facts::text, effective_from, saved_by FROM service_item_version"
        )[0]
        assert (row["number"], row["is_active"], row["saved_by"]) == (3, False, None)
        content = ItemContent.model_validate_json(row["facts"])
        assert (content.code, content.required_licences, content.income) == (
            "foot_care",
            ["nurse_licence"],
            "medical",
        )
        facts = facts_of(ServiceItemVersion(number=3, facts=content.model_dump(mode="json"), item_id=uuid4()))
        assert (facts.version, facts.duration_minutes) == (3, 40)
        command.downgrade(configuration(url), BEFORE)
        after = run(url, "SELECT * FROM service_item")[0]
        assert dict(after) == dict(before)
        migrate(url, AFTER)
    finally:
        run(stack.postgres.url, f"DROP DATABASE {name} WITH (FORCE)")
