"""The catalogue's verbs."""

import json
from importlib.resources import files
from itertools import groupby
from typing import Any

from services.catalogue import repository
from services.catalogue.errors import NotOnTheMenu
from services.catalogue.models import (
    CataloguePublic,
    CatalogueSection,
    Category,
    ItemFacts,
    ServiceItem,
    ServiceItemPublic,
)
from services.core.database import Work

_MENU_ORDER = {category: place for place, category in enumerate(Category)}


async def catalogue(work: Work) -> CataloguePublic:
    """The active items by category, in the order of the county's menu."""
    items = [ServiceItemPublic.model_validate(item) for item in await repository.active_items(work)]
    items.sort(key=lambda item: (_MENU_ORDER[item.category], item.code))
    return CataloguePublic(
        sections=[
            CatalogueSection(category=category, items=list(group))
            for category, group in groupby(items, key=lambda item: item.category)
        ]
    )


async def orderable_item(work: Work, code: str) -> ItemFacts:
    """The facts of an active item; raises ``NotOnTheMenu``."""
    item = await repository.item_by_code(work, code)
    if item is None or not item.is_active:
        raise NotOnTheMenu(field="item_code")
    return ItemFacts.model_validate(item)


def seed_items() -> list[ItemFacts]:
    """The default menu of ``data/items.json``, checked; prices there are planning placeholders."""
    raw = json.loads(files("services.catalogue").joinpath("data/items.json").read_text("utf-8"))
    rules = raw["price_rules"]
    return [ItemFacts.model_validate(item | {"price_rule": _priced(item, rules)}) for item in raw["items"]]


def _priced(item: dict[str, Any], rules: dict[str, Any]) -> dict[str, Any]:
    """The item's price rule: the shared one it is based on, with its own components."""
    own: dict[str, Any] = item["price_rule"]
    return {**rules[own["based_on"]], **own}


async def load_items(work: Work) -> int:
    """Insert the default menu, or bring changed items up to date; gives the number of rows touched.

    Items that a county has added, and items whose price it has verified, stay as they are. Running it
    twice changes nothing the second time.
    """
    stored = await repository.items_by_code(work)
    touched = 0
    for facts in seed_items():
        values = facts.model_dump(mode="json", exclude={"category"}) | {"category": facts.category}
        row = stored.get(facts.code)
        if row is None:
            work.session.add(ServiceItem(**values))
            touched += 1
        elif not row.price_rule["verified"] and _differs(row, values):
            row.sqlmodel_update(values)
            row.version += 1
            touched += 1
    await work.session.flush()
    return touched


def _differs(row: ServiceItem, values: dict[str, Any]) -> bool:
    return any(getattr(row, name) != value for name, value in values.items())
