"""Commands to terminals: what may be asked of which, answers that repeat, come late or from elsewhere, expiry."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import TypeAdapter
from sqlalchemy import text

from services.core.actor import SYSTEM, Role
from services.core.errors import InvalidInput, NotFound
from services.core.ids import new_id
from services.terminals.commands import service
from services.terminals.commands.errors import NotCapable, NotInService
from services.terminals.commands.models import CommandAnswer, CommandWish, TerminalCommand
from services.terminals.commands.rules import LIMITS
from services.terminals.models import TerminalKind
from tests.services.supervision.conftest import Fleet

WISH: TypeAdapter[CommandWish] = TypeAdapter(CommandWish)


async def order(fleet: Fleet, terminal_id: UUID, **wish: Any) -> TerminalCommand:
    """Ask as the centre's dispatcher."""
    async with fleet.database.unit_of_work(await fleet.world.actor(Role.DISPATCHER)) as work:
        return await service.order_command(work, terminal_id, WISH.validate_python(wish))


async def answer(fleet: Fleet, *answers: CommandAnswer) -> None:
    async with fleet.database.unit_of_work(SYSTEM) as work:
        await service.note_answers(work, answers)


async def expire(fleet: Fleet) -> int:
    async with fleet.database.unit_of_work(SYSTEM) as work:
        return await service.expire_commands(work)


async def read(fleet: Fleet, command: TerminalCommand) -> TerminalCommand:
    async with fleet.database.unit_of_work(await fleet.world.actor(Role.DISPATCHER)) as work:
        return await service.read_command(work, command.terminal_id, command.id)


async def downlinks(fleet: Fleet, terminal_id: UUID) -> list[dict[str, Any]]:
    async with fleet.database.engine.connect() as connection:
        rows = await connection.execute(
            text("SELECT payload FROM downlink WHERE terminal_id = :id AND branch = 'command' ORDER BY id"),
            {"id": terminal_id},
        )
        return list(rows.scalars())


async def test_what_goes_down_is_what_the_protocol_says(fleet: Fleet) -> None:
    [pendant] = await fleet.add(1, TerminalKind.PENDANT)
    command = await order(fleet, pendant, kind="speak", text=" 您好， \n 请稍等 ")
    [sent] = await downlinks(fleet, pendant)
    assert sent == {
        "id": str(command.id),
        "kind": "speak",
        "args": {"text": "您好， 请稍等", "language": "zh"},
        "expires_at": command.expires_at.isoformat(),
    }
    assert command.expires_at - command.created_at == LIMITS.lifetime[command.kind]


@pytest.mark.parametrize(
    ("kind", "wish", "refusal"),
    [
        (TerminalKind.SMOKE_DETECTOR, {"kind": "speak", "text": "您好"}, NotCapable),
        (TerminalKind.GLUCOMETER, {"kind": "test_call"}, NotCapable),
        (TerminalKind.WRISTBAND, {"kind": "speak", "text": "您好"}, NotCapable),
        (TerminalKind.PENDANT, {"kind": "speak", "text": "长" * 201}, InvalidInput),
        (TerminalKind.PENDANT, {"kind": "speak", "text": " \t "}, InvalidInput),
        (TerminalKind.PENDANT, {"kind": "speak", "text": "钟声\a"}, InvalidInput),
        (TerminalKind.PENDANT, {"kind": "set_interval", "seconds": 9}, InvalidInput),
        (TerminalKind.PENDANT, {"kind": "set_interval", "seconds": 86401}, InvalidInput),
    ],
)
async def test_what_is_not_sent(
    fleet: Fleet, kind: TerminalKind, wish: dict[str, Any], refusal: type[Exception]
) -> None:
    [terminal] = await fleet.add(1, kind)
    with pytest.raises(refusal):
        await order(fleet, terminal, **wish)
    assert await downlinks(fleet, terminal) == []


async def test_only_a_terminal_in_reach_and_in_service(fleet: Fleet) -> None:
    [pendant] = await fleet.add(1, TerminalKind.PENDANT)
    async with fleet.database.unit_of_work(
        await fleet.world.actor(Role.DISPATCHER, fleet.world.neighbour)
    ) as work:
        with pytest.raises(NotFound):
            await service.order_command(work, pendant, WISH.validate_python({"kind": "locate"}))
    async with fleet.database.unit_of_work(SYSTEM) as work:
        await work.sql(text("UPDATE terminal SET status = 'suspended' WHERE id = :id"), {"id": pendant})
    with pytest.raises(NotInService):
        await order(fleet, pendant, kind="locate")


async def test_answers_that_repeat_overtake_and_contradict(fleet: Fleet) -> None:
    [pendant] = await fleet.add(1, TerminalKind.PENDANT)
    command = await order(fleet, pendant, kind="locate")
    place = {"position": {"lat": 28.2, "lng": 113.1}}
    received = CommandAnswer(pendant, command.id, "received")
    done = CommandAnswer(pendant, command.id, "done", place)
    await answer(fleet, received, done, done)
    fleet.clock.forward(seconds=5)
    await answer(fleet, received, CommandAnswer(pendant, command.id, "failed", {"detail": "no"}), done)
    async with fleet.database.unit_of_work(SYSTEM) as work:
        await service.note_sent(work, [command.id])
    seen = await read(fleet, command)
    assert (seen.status, seen.result, seen.sent_at) == ("done", place, None)
    assert seen.ended_at == command.created_at
    async with fleet.database.engine.connect() as connection:
        history = await connection.execute(
            text("SELECT to_status FROM status_change WHERE entity_id = :id ORDER BY id"), {"id": command.id}
        )
        assert history.scalars().all() == ["queued", "received", "done"]


async def test_the_same_answer_many_times_at_once_has_one_effect(fleet: Fleet) -> None:
    [pendant] = await fleet.add(1, TerminalKind.PENDANT)
    command = await order(fleet, pendant, kind="test_call")
    done = CommandAnswer(pendant, command.id, "done")
    await asyncio.gather(*(answer(fleet, done) for _ in range(8)))
    async with fleet.database.engine.connect() as connection:
        events = await connection.execute(
            text("SELECT count(*) FROM outbox WHERE payload->>'command_id' = :id"), {"id": str(command.id)}
        )
        tests = await connection.execute(
            text("SELECT how FROM terminal_test WHERE terminal_id = :id"), {"id": pendant}
        )
        assert (events.scalar_one(), tests.scalars().all()) == (1, ["command"])


async def test_nobody_answers_for_another_terminal(fleet: Fleet) -> None:
    [pendant, other] = await fleet.add(2, TerminalKind.PENDANT)
    command = await order(fleet, pendant, kind="locate")
    await answer(fleet, CommandAnswer(other, command.id, "done"), CommandAnswer(pendant, new_id(), "done"))
    assert (await read(fleet, command)).status == "queued"


async def test_without_an_answer_it_expires_and_a_late_answer_is_taken(fleet: Fleet) -> None:
    [pendant] = await fleet.add(1, TerminalKind.PENDANT)
    silent = await order(fleet, pendant, kind="locate")
    slow = await order(fleet, pendant, kind="locate")
    await answer(fleet, CommandAnswer(pendant, slow.id, "received"))
    fleet.clock.forward(seconds=119)
    await expire(fleet)
    assert (await read(fleet, silent)).status == "queued"
    fleet.clock.forward(seconds=2)
    await expire(fleet)
    assert [(await read(fleet, c)).status for c in (silent, slow)] == ["expired", "received"]
    fleet.clock.forward(seconds=120)
    await expire(fleet)
    assert (await read(fleet, slow)).status == "expired"
    await answer(
        fleet,
        CommandAnswer(pendant, slow.id, "received"),
        CommandAnswer(pendant, slow.id, "failed", {"detail": "x"}),
    )
    assert (await read(fleet, slow)).status == "failed"


async def test_help_is_coming_is_said_once_an_alert_by_whatever_can_speak(fleet: Fleet) -> None:
    pressed, speaker = (
        (await fleet.add(1, TerminalKind.HELP_CORD))[0],
        (await fleet.add(1, TerminalKind.PENDANT))[0],
    )
    alert_id = new_id()

    async def say() -> int:
        async with fleet.database.unit_of_work(SYSTEM) as work:
            return await service.say_help_is_coming(work, alert_id, pressed)

    told = await asyncio.gather(*(say() for _ in range(4)))
    assert sorted(told) == [0, 0, 0, 1]
    assert await downlinks(fleet, pressed) == [], "a cord has no voice"
    [sent] = await downlinks(fleet, speaker)
    assert sent["args"]["text"] == LIMITS.help_is_coming
    fleet.clock.forward(seconds=1)
    assert LIMITS.help_is_coming_lifetime < timedelta(minutes=30), "an hour later it would be wrong"
