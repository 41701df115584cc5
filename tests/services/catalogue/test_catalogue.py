"""The menu and its loader."""

from sqlalchemy import text

from services.catalogue.models import Category
from services.catalogue.orderability import Asked
from services.catalogue.service import catalogue, load_items, menu_facts, seed_items
from services.core.actor import SYSTEM
from services.core.database import Database

DURATION = (
    "UPDATE service_item_version SET facts = facts || '{{\"duration_minutes\": {minutes}}}'"
    " WHERE facts->>'code' = '{code}'"
)
VERIFIED = (
    "UPDATE service_item_version SET facts = jsonb_set(facts, '{{price_rule,verified}}', '{verified}')"
    " WHERE facts->>'code' = '{code}'"
)


async def test_loading_twice_changes_nothing(database: Database) -> None:
    async with database.unit_of_work(SYSTEM) as work:
        await load_items(work)
    async with database.unit_of_work(SYSTEM) as work:
        assert await load_items(work) == 0


async def test_an_old_item_is_brought_up_to_date_and_a_verified_price_stays(database: Database) -> None:
    async with database.unit_of_work(SYSTEM) as work:
        await load_items(work)
        await work.sql(text(DURATION.format(code="tuina", minutes=1)))
        await work.sql(text(DURATION.format(code="acupuncture", minutes=1)))
        await work.sql(text(VERIFIED.format(code="acupuncture", verified="true")))
    async with database.unit_of_work(SYSTEM) as work:
        assert await load_items(work) == 1
        found = {item.code: item for item in await menu_facts(work)}
        assert (found["tuina"].duration_minutes, found["acupuncture"].duration_minutes) == (40, 1)
    async with database.unit_of_work(SYSTEM) as work:
        await work.sql(text(VERIFIED.format(code="acupuncture", verified="false")))
        await load_items(work)


async def test_the_menu_is_in_the_county_s_order_and_shows_placeholders(database: Database) -> None:
    async with database.unit_of_work(SYSTEM) as work:
        await load_items(work)
        menu = await catalogue(work, Asked())
    places = [list(Category).index(section.category) for section in menu.sections]
    assert places == sorted(places)
    assert sum(len(section.items) for section in menu.sections) >= len(seed_items())
    assert all(item.price_rule.verified is False for section in menu.sections for item in section.items)
