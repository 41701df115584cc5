"""How long commands are kept, and the places that terminals told."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlmodel import select

from services.core.actor import SYSTEM
from services.terminals.commands import service
from services.terminals.commands.models import CommandAnswer, TerminalCommand
from services.terminals.commands.retention import clear_commands
from services.terminals.commands.rules import LIMITS
from services.terminals.models import TerminalKind
from services.vitals.models import RetentionLog
from services.worker import JOBS
from tests.services.supervision.conftest import Fleet
from tests.services.supervision.test_commands import answer, order

PLACE = {"position": {"lat": 28.2, "lng": 113.1}, "detail": "ok"}


async def clear(fleet: Fleet, batch: int = 1000) -> list[tuple[str, int]]:
    async with fleet.database.unit_of_work(SYSTEM) as work:
        return [(each.what, each.rows) for each in await clear_commands(work, batch)]


async def located(fleet: Fleet, terminal_id: UUID) -> TerminalCommand:
    """A terminal has told where it is, now."""
    command = await order(fleet, terminal_id, kind="locate")
    await answer(fleet, CommandAnswer(terminal_id, command.id, "done", PLACE))
    return command


async def results(fleet: Fleet) -> list[dict[str, Any]]:
    async with fleet.database.unit_of_work(SYSTEM) as work:
        return [row.result for row in (await work.session.exec(select(TerminalCommand))).all()]


@pytest.fixture(autouse=True)
async def _alone(fleet: Fleet) -> None:
    async with fleet.database.unit_of_work(SYSTEM) as work:
        await work.sql(text("DELETE FROM terminal_command"))
        await work.sql(text("DELETE FROM retention_log"))


async def test_a_place_is_forgotten_long_before_the_command(fleet: Fleet) -> None:
    [pendant] = await fleet.add(1, TerminalKind.PENDANT)
    await located(fleet, pendant)
    fleet.clock.forward(days=30)
    assert await clear(fleet) == []
    assert await results(fleet) == [PLACE]
    fleet.clock.forward(seconds=1)
    assert await clear(fleet) == [("command_position", 1)]
    assert await results(fleet) == [{"detail": "ok", "position_cleared": True}]
    assert await clear(fleet) == []
    fleet.clock.forward(days=LIMITS.keep.days - 30)
    assert await clear(fleet) == [("terminal_command", 1)]
    assert await results(fleet) == []


async def test_a_command_that_has_not_ended_stays(fleet: Fleet) -> None:
    [pendant] = await fleet.add(1, TerminalKind.PENDANT)
    await order(fleet, pendant, kind="locate")
    fleet.clock.forward(days=4000)
    assert await clear(fleet) == []
    async with fleet.database.unit_of_work(SYSTEM) as work:
        await service.expire_commands(work)
    fleet.clock.forward(days=4000)
    assert await clear(fleet) == [("terminal_command", 1)]


async def test_a_turn_takes_so_many(fleet: Fleet) -> None:
    [pendant] = await fleet.add(1, TerminalKind.PENDANT)
    for _ in range(3):
        await located(fleet, pendant)
    fleet.clock.forward(days=31)
    assert [await clear(fleet, batch=2) for _ in range(3)] == [
        [("command_position", 2)],
        [("command_position", 1)],
        [],
    ]


async def test_the_worker_writes_down_what_it_forgot(fleet: Fleet) -> None:
    [pendant] = await fleet.add(1, TerminalKind.PENDANT)
    await located(fleet, pendant)
    ended = fleet.clock.now()
    fleet.clock.forward(days=31)
    job = next(job for job in JOBS if job.name == "clear_commands")
    async with fleet.database.unit_of_work(SYSTEM) as work:
        await job.run(work)
    async with fleet.database.unit_of_work(SYSTEM) as work:
        [line] = (await work.session.exec(select(RetentionLog))).all()
    assert (line.what, line.rows, line.range_start, line.policy_version) == (
        "command_position",
        1,
        ended,
        LIMITS.version,
    )


def test_a_place_kept_longer_than_its_command_is_refused() -> None:
    with pytest.raises(ValueError, match="positions"):
        replace(LIMITS, keep_positions=LIMITS.keep + timedelta(days=1))
