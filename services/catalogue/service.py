"""The catalogue's verbs for everybody who reads or orders from it, and the default menu."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from importlib.resources import files
from itertools import groupby
from typing import Any
from uuid import UUID

from services.catalogue import repository
from services.catalogue.errors import NotOnTheMenu, OnNegativeList
from services.catalogue.models import (
    CataloguePublic,
    CatalogueSection,
    Category,
    ItemContent,
    ItemFacts,
    MenuItem,
    NursingList,
    ServiceItem,
    ServiceItemVersion,
)
from services.catalogue.orderability import Asked, refusals_of, warnings_of
from services.core.clock import BUSINESS_ZONE
from services.core.database import Work

_MENU_ORDER = {category: place for place, category in enumerate(Category)}


async def catalogue(work: Work, asked: Asked, unmet: Mapping[str, Sequence[Any]] | None = None) -> CataloguePublic:
    """The active items by category, in the order of the county's menu, each with why it cannot be ordered.

    ``unmet``: further barriers by item code, which rooms above this one know of.
    """
    stored = await repository.items_in_force(work, today(work))
    items = [_menu_item(item, version) for item, version in stored if version.is_active]
    words = {} if asked.centre_id is None else await repository.words_of_centre(work, asked.centre_id)
    for item in items:
        word = words.get(item.id)
        item.refusals = [
            *refusals_of(item, asked, is_offered=word is None or word.is_offered),
            *(unmet or {}).get(item.code, ()),
        ]
        item.warnings = warnings_of(item, asked)
        item.orderable = not item.refusals
    items.sort(key=lambda item: (_MENU_ORDER[item.category], item.code))
    return CataloguePublic(
        resident_id=asked.resident_id,
        centre_id=asked.centre_id,
        sections=[
            CatalogueSection(category=category, items=list(group))
            for category, group in groupby(items, key=lambda item: item.category)
        ],
    )


async def menu_facts(work: Work) -> list[ItemFacts]:
    """The facts of every active item."""
    stored = await repository.items_in_force(work, today(work))
    return [facts_of(version) for _, version in stored if version.is_active]


async def orderable_item(work: Work, code: str) -> ItemFacts:
    """The facts of an active item as published; raises ``NotOnTheMenu``, ``OnNegativeList``."""
    stored = await repository.items_in_force(work, today(work), [code])
    if not stored or not stored[0][1].is_active:
        raise NotOnTheMenu(field="item_code")
    facts = facts_of(stored[0][1])
    if facts.nursing_list is NursingList.NEGATIVE:
        raise OnNegativeList(
            field="item_code", item_code=code, source=facts.list_source, verified=facts.list_verified
        )
    return facts


async def is_switched_off(work: Work, centre_id: UUID, codes: Sequence[str]) -> frozenset[str]:
    """Which of the items a centre has said it does not offer."""
    words = await repository.words_of_centre(work, centre_id)
    stored = await repository.items_in_force(work, today(work), codes)
    return frozenset(item.code for item, _ in stored if item.id in words and not words[item.id].is_offered)


def today(work: Work) -> date:
    """The business day of this unit of work, by which versions take effect."""
    return work.now.astimezone(BUSINESS_ZONE).date()


def facts_of(version: ServiceItemVersion) -> ItemFacts:
    """What a version says, with its number."""
    return ItemFacts.model_validate({**version.facts, "version": version.number})


def _menu_item(item: ServiceItem, version: ServiceItemVersion) -> MenuItem:
    return MenuItem.model_validate({**version.facts, "version": version.number, "id": item.id})


@lru_cache(maxsize=1)
def _seeds() -> tuple[ItemContent, ...]:
    raw = json.loads(files("services.catalogue").joinpath("data/items.json").read_text("utf-8"))
    rules = raw["price_rules"]
    return tuple(ItemContent.model_validate(item | {"price_rule": _priced(item, rules)}) for item in raw["items"])


def seed_items() -> list[ItemFacts]:
    """The default menu of ``data/items.json``, checked, without what is on the negative list.

    Prices there are planning placeholders.
    """
    offered = [item for item in _seeds() if item.nursing_list is not NursingList.NEGATIVE]
    return [ItemFacts.model_validate(item.model_dump()) for item in offered]


def _priced(item: dict[str, Any], rules: dict[str, Any]) -> dict[str, Any]:
    """The item's price rule: the shared one it is based on, with its own components."""
    own: dict[str, Any] = item["price_rule"]
    return {**rules[own["based_on"]], **own}


async def load_items(work: Work) -> int:
    """Publish the default menu, or new versions of what changed in it; gives the number of versions made.

    Items that people have edited, and items whose price the county has verified, stay as they are. Running it
    twice changes nothing the second time.
    """
    seeds = {seed.code: seed for seed in _seeds()}
    stored = {item.code: versions for item, versions in await repository.working_versions(work, codes=list(seeds))}
    locked = await repository.lock_items(work, list(seeds))
    made = 0
    for code, seed in seeds.items():
        if code not in stored:
            item = ServiceItem(code=code)
            work.session.add(item)
            await work.session.flush()
            _publish_seed(work, item, 1, seed, min(seed.price_rule.effective_date, today(work)))
            made += 1
        elif _may_follow(stored[code], seed):
            number = await repository.last_number(work, locked[code].id) + 1
            locked[code].version += 1
            _publish_seed(work, locked[code], number, seed, today(work))
            made += 1
    await work.session.flush()
    return made


def _may_follow(versions: Sequence[ServiceItemVersion], seed: ItemContent) -> bool:
    """Whether the newest state is the loader's own, of another content, with a price nobody has verified."""
    if any(version.saved_by is not None for version in versions):
        return False
    newest = ItemContent.model_validate(versions[0].facts)
    return not newest.price_rule.verified and newest != seed


def _publish_seed(work: Work, item: ServiceItem, number: int, seed: ItemContent, day: date) -> None:
    work.session.add(
        ServiceItemVersion(
            item_id=item.id,
            number=number,
            facts=seed.model_dump(mode="json"),
            saved_at=work.now,
            published_at=work.now,
            effective_from=day,
            reason="default menu",
        )
    )
