"""The monthly test call: what counts, who has not made one, and one digest a day."""

import asyncio
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text

from services.core.actor import SYSTEM, Role
from services.core.clock import BUSINESS_ZONE
from services.supervision.paging import tell_missing_tests
from services.terminals.models import TerminalKind
from services.terminals.test_calls import note_test
from services.terminals.test_calls.models import OverdueTest
from services.terminals.test_calls.service import count_overdue, overdue_tests
from tests.services.supervision.conftest import Fleet

_COUNT = text("SELECT count(*) FROM terminal_test WHERE terminal_id = :id")


async def note(fleet: Fleet, terminal_id: UUID, ok: bool = True) -> None:
    async with fleet.database.unit_of_work(SYSTEM) as work:
        await note_test(work, terminal_id, work.now, "press", ok)


async def missing(fleet: Fleet) -> list[OverdueTest]:
    async with fleet.database.unit_of_work(await fleet.world.actor(Role.DISPATCHER)) as work:
        found = await overdue_tests(work, fleet.world.here.centre.id, 100, None)
        assert await count_overdue(work, fleet.world.here.centre.id) == len(found)
        return list(found)


async def digest(fleet: Fleet) -> int:
    async with fleet.database.unit_of_work(SYSTEM) as work:
        return await tell_missing_tests(work)


async def test_who_has_not_tested_for_a_month(fleet: Fleet) -> None:
    [tested, failed, never] = await fleet.add(3, TerminalKind.PENDANT)
    await fleet.add(1, TerminalKind.GLUCOMETER)  # which has nothing to test
    fleet.clock.forward(days=20)
    await note(fleet, tested)
    await note(fleet, failed, ok=False)
    assert await missing(fleet) == []
    fleet.clock.forward(days=12, hours=1)
    found = {one.terminal_id: one for one in await missing(fleet)}
    assert set(found) == {failed, never}
    assert found[never].days_overdue == 2
    assert found[never].last_test_at is None
    await note(fleet, never)
    assert {one.terminal_id for one in await missing(fleet)} == {failed}


async def test_the_same_test_is_written_down_once(fleet: Fleet) -> None:
    [pendant] = await fleet.add(1, TerminalKind.PENDANT)
    await asyncio.gather(*(note(fleet, pendant) for _ in range(6)))
    async with fleet.database.unit_of_work(SYSTEM) as work:
        await note_test(work, fleet.world.here.centre.id, work.now, "press")  # no terminal at all
        rows = await work.sql(_COUNT, {"id": pendant})
        assert rows.scalar_one() == 1


async def test_one_digest_a_day_and_only_when_something_fell_due(fleet: Fleet) -> None:
    first = await fleet.add(2, TerminalKind.PENDANT)
    fleet.clock.forward(days=10)
    await fleet.add(1, TerminalKind.PENDANT)
    fleet.clock.forward(days=20)
    here = fleet.clock.now().astimezone(BUSINESS_ZONE)
    eight = (here + timedelta(days=1)).replace(hour=8, minute=0)
    fleet.clock.forward(seconds=(eight - here).total_seconds())
    assert await digest(fleet) == 0, "not before nine"
    fleet.clock.forward(hours=2)
    await asyncio.gather(*(digest(fleet) for _ in range(3)))
    await digest(fleet)
    [(account, said)] = await fleet.notices("test_call_due")
    assert account == fleet.account(Role.DISPATCHER)
    assert said == {"count": "2", "new": "2"}
    fleet.clock.forward(days=1)
    await digest(fleet)
    assert len(await fleet.notices("test_call_due")) == 1, "nothing new fell due"
    await note(fleet, first[0])
    fleet.clock.forward(days=9)
    await digest(fleet)
    [_, (_, said)] = await fleet.notices("test_call_due")
    assert said == {"count": "2", "new": "1"}
