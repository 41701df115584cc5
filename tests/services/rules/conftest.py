"""A world of one's own, on a clock that stands still, and a resident in it who wears a monitor."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from services.core.database import Database
from services.core.settings import Settings
from services.terminals.models import TerminalKind
from tests.clock import ManualClock
from tests.services.rules.wearing import Wearer, make_wearer
from tests.world import World


@pytest.fixture
def clock() -> ManualClock:
    """Two in the afternoon of today in Asia/Shanghai: within every default rule's hours."""
    today = datetime.now(UTC).replace(hour=6, minute=0, second=0, microsecond=0)
    return ManualClock(today - timedelta(days=1))


@pytest.fixture
async def own_database(settings: Settings, clock: ManualClock) -> AsyncIterator[Database]:
    """The tests' database on the test's clock."""
    database = Database(str(settings.database_url), clock=clock)
    yield database
    await database.close()


@pytest.fixture
async def wearer(own_database: Database, clock: ManualClock, fresh_world: World) -> Wearer:
    """A resident at a bedside monitor."""
    return await make_wearer(own_database, clock, fresh_world, TerminalKind.BEDSIDE_MONITOR)
