"""A resident whose readings a test makes."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import text

from services.core.actor import SYSTEM
from services.core.database import Database
from services.core.ids import new_id
from services.core.settings import Settings
from services.vitals.models import AggregateProgress
from tests.clock import ManualClock
from tests.readings import NOW, Ward
from tests.world import World


@pytest.fixture
async def ward(settings: Settings, fresh_world: World) -> AsyncIterator[Ward]:
    """A resident of a world of its own, at 10:30 in the morning."""
    assert settings.database_url is not None
    clock = ManualClock(NOW)
    database = Database(settings.database_url, 6, clock)
    async with database.unit_of_work(SYSTEM) as work:  # no worker has been at it for four days
        await work.sql(text("DELETE FROM aggregate_progress"))
        progress = AggregateProgress(id=1, merged_at=NOW - timedelta(days=4))
        work.session.add(progress)
    resident = fresh_world.here.households[0].resident
    yield Ward(database, clock, resident.id, resident.area_code, new_id())
    async with database.unit_of_work(SYSTEM) as work:  # its clock is not that of other tests
        await work.sql(text("DELETE FROM aggregate_progress"))
    await database.close()
