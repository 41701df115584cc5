"""A world of its own for every test of the desk, and a clock that the test moves."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from services.alerts.states import LIVE
from services.core.actor import SYSTEM
from services.core.database import Database
from services.core.settings import Settings
from tests.clock import ManualClock
from tests.desk import Scene, bound_terminal
from tests.world import World, build_world


@pytest.fixture(scope="module", autouse=True)
async def _others_are_over(database: Database) -> None:
    """What earlier tests left open would be climbed and audited with every test here: thousands of ladders."""
    async with database.unit_of_work(SYSTEM) as work:
        live = ", ".join(f"'{status}'" for status in LIVE)
        await work.sql(text(f"UPDATE alert SET status = 'resolved' WHERE status IN ({live})"))  # noqa: S608  ours
        await work.sql(text("UPDATE escalation SET next_at = NULL, repage_at = NULL, called_at = NULL"))


@pytest.fixture
async def world(database: Database, settings: Settings, world: World) -> World:
    """A world of its own for every test: alerts are counted."""
    return await build_world(database, settings, world.vault)


@pytest.fixture
async def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def desk(settings: Settings, clock: ManualClock) -> AsyncIterator[Database]:
    """The database with a clock that the test moves."""
    assert settings.database_url is not None
    database = Database(settings.database_url, 20, clock)
    yield database
    await database.close()


@pytest.fixture
async def scene(desk: Database, world: World, clock: ManualClock) -> Scene:
    """All of it, with a pendant of the first resident."""
    return Scene(desk, world, clock, await bound_terminal(world))
