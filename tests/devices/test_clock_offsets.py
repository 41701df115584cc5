"""How wrong a terminal's clock is, is measured with each status and shown."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from api.house import open_house
from devices.heard import hear, heard_of
from devices.messages import StatusMessage
from services.core.actor import SYSTEM, Role
from services.core.settings import Settings
from services.terminals.registry_models import shown
from services.terminals.repository import Bound, Heard
from services.terminals.service import note_status, read_terminal
from tests.world import build_world, open_case

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
BOUND = Bound(UUID(int=1), None, UUID(int=2), "430121107", 1)


@pytest.mark.parametrize(
    ("status", "offset"),
    [
        (StatusMessage("heartbeat", at=NOW + timedelta(minutes=3)), 180.0),
        (StatusMessage("online", at=NOW - timedelta(days=1)), -86_400.0),
        (StatusMessage("heartbeat"), None),
        (StatusMessage("offline", at=NOW - timedelta(days=1)), None),  # a will, as old as its connection
    ],
)
def test_the_offset_is_the_terminals_time_less_ours(status: StatusMessage, offset: float | None) -> None:
    assert heard_of(BOUND, status, NOW).clock_offset_seconds == offset


def test_a_status_without_a_time_keeps_what_was_measured() -> None:
    heard: dict[UUID, Heard] = {}
    hear(heard, BOUND, StatusMessage("online", at=NOW + timedelta(seconds=5)), NOW)
    hear(heard, BOUND, StatusMessage("heartbeat"), NOW)
    assert heard[BOUND.terminal_id].clock_offset_seconds == 5.0


async def test_the_terminals_page_shows_the_last_measured_offset(settings: Settings) -> None:
    house = open_house(settings)
    try:
        world = await build_world(house.database, settings, house.vault)
        case = await open_case(world)
        bound = Bound(case.terminal_id, case.resident_id, case.centre_id, world.here.town, 1)
        for at in (NOW + timedelta(hours=2), None):
            async with house.database.unit_of_work(SYSTEM) as work:
                await note_status(work, [heard_of(bound, StatusMessage("heartbeat", at=at), NOW)])
        async with house.database.unit_of_work(await world.actor(Role.DISPATCHER)) as work:
            page = shown(*await read_terminal(work, case.terminal_id))
        assert (page.clock_offset_seconds, page.clock_measured_at) == (7_200.0, NOW)
    finally:
        await house.close()
