"""The menu and its loader."""

from sqlalchemy import text
from sqlmodel import select

from services.catalogue.models import Category, ServiceItem
from services.catalogue.service import catalogue, load_items, seed_items
from services.core.actor import SYSTEM
from services.core.database import Database


async def test_loading_twice_changes_nothing(database: Database) -> None:
    async with database.unit_of_work(SYSTEM) as work:
        await load_items(work)
    async with database.unit_of_work(SYSTEM) as work:
        assert await load_items(work) == 0


async def test_an_old_item_is_brought_up_to_date_and_a_verified_price_stays(database: Database) -> None:
    async with database.unit_of_work(SYSTEM) as work:
        await load_items(work)
        await work.sql(text("UPDATE service_item SET duration_minutes = 1 WHERE code = 'tuina'"))
        await work.sql(
            text(
                "UPDATE service_item SET duration_minutes = 1,"
                " price_rule = price_rule || '{\"verified\": true}' WHERE code = 'acupuncture'"
            )
        )
    async with database.unit_of_work(SYSTEM) as work:
        assert await load_items(work) == 1
        found = {item.code: item.duration_minutes for item in (await work.session.exec(select(ServiceItem))).all()}
        assert (found["tuina"], found["acupuncture"]) == (40, 1)
    async with database.unit_of_work(SYSTEM) as work:
        await work.sql(
            text(
                "UPDATE service_item SET price_rule = price_rule || '{\"verified\": false}'"
                " WHERE code = 'acupuncture'"
            )
        )
        await load_items(work)


async def test_the_menu_is_in_the_county_s_order_and_shows_placeholders(database: Database) -> None:
    async with database.unit_of_work(SYSTEM) as work:
        await load_items(work)
        menu = await catalogue(work)
    places = [list(Category).index(section.category) for section in menu.sections]
    assert places == sorted(places)
    assert sum(len(section.items) for section in menu.sections) >= len(seed_items())
    assert all(item.price_rule.verified is False for section in menu.sections for item in section.items)
