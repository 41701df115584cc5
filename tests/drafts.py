"""Items of a test's own: the default cleaning under another code, so that no other test's menu changes."""

from typing import Any

from services.catalogue.editing import create_item, publish
from services.catalogue.service import seed_items
from services.catalogue.views import ItemDetail, ItemDraft, Publish
from services.core.actor import Actor
from services.core.database import Database
from services.core.ids import new_id

CLEANING = next(item for item in seed_items() if item.code == "cleaning")


def draft(code: str, **said: Any) -> ItemDraft:
    return ItemDraft.model_validate(CLEANING.model_dump(mode="json", exclude={"version"}) | {"code": code} | said)


def new_code() -> str:
    return f"test_{new_id().hex}"


async def published(database: Database, officer: Actor, code: str, **said: Any) -> ItemDetail:
    async with database.unit_of_work(officer) as work:
        await create_item(work, draft(code, **said))
    async with database.unit_of_work(officer) as work:
        return await publish(work, code, Publish(reason="新增"), None)
