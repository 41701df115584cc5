"""Telling terminals to do something, and taking their answers.

A command goes down once, by the ingest process, and is not repeated: after its expiry neither we send it nor the
terminal obeys it. Answers may come twice, late, or before the note that the command was sent.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from services.audit.service import record_read
from services.core.database import Work
from services.core.errors import NotFound
from services.events import TerminalCommandMoved
from services.terminals.capabilities import Capabilities
from services.terminals.commands import repository
from services.terminals.commands.errors import NotInService
from services.terminals.commands.models import (
    CommandAnswer,
    CommandKind,
    CommandWish,
    SpeakWish,
    TerminalCommand,
)
from services.terminals.commands.rules import LIMITS, check
from services.terminals.commands.states import COMMAND, CommandStatus
from services.terminals.models import Downlink, Terminal
from services.terminals.test_calls.service import note_test


async def order_command(work: Work, terminal_id: UUID, wish: CommandWish) -> TerminalCommand:
    """Queue a command for a terminal in the actor's scope.

    Raises ``NotFound``, ``NotInService``, ``NotCapable`` and ``InvalidInput``.
    """
    found = await repository.terminal_with_profile(work, terminal_id)
    if found is None:
        raise NotFound
    terminal, profile = found
    if not repository.is_in_service(terminal):
        raise NotInService(current=str(terminal.status))
    parameters = check(wish, Capabilities.model_validate(profile.capabilities))
    return _send(work, terminal, wish.kind, parameters, LIMITS.lifetime[wish.kind])


async def say_help_is_coming(work: Work, alert_id: UUID, terminal_id: UUID) -> int:
    """Every terminal around the caller that can speak says so, once an alert; gives how many are told now."""
    told = 0
    for speaker_id in await repository.speakers_untold(work, terminal_id, alert_id):
        found = await repository.terminal_with_profile(work, speaker_id)
        if found is None:
            continue
        parameters = check(
            SpeakWish(kind=CommandKind.SPEAK, text=LIMITS.help_is_coming),
            Capabilities.model_validate(found[1].capabilities),
        )
        _send(work, found[0], CommandKind.SPEAK, parameters, LIMITS.help_is_coming_lifetime, alert_id)
        told += 1
    return told


def _send(
    work: Work,
    terminal: Terminal,
    kind: CommandKind,
    parameters: dict[str, Any],
    lifetime: timedelta,
    alert_id: UUID | None = None,
) -> TerminalCommand:
    command = TerminalCommand(
        terminal_id=terminal.id,
        resident_id=terminal.resident_id,
        centre_id=terminal.centre_id,
        area_code=terminal.area_code,
        kind=kind,
        parameters=parameters,
        requested_by=work.actor.account_id,
        alert_id=alert_id,
        created_at=work.now,
        expires_at=work.now + lifetime,
        status=CommandStatus.QUEUED,
    )
    work.session.add(command)
    COMMAND.begin(work, command)
    work.session.add(
        Downlink(
            terminal_id=terminal.id,
            area_code=terminal.area_code,
            branch="command",
            payload={
                "id": str(command.id),
                "kind": kind.value,
                "args": parameters,
                "expires_at": command.expires_at.isoformat(),
            },
            created_at=work.now,
            expires_at=command.expires_at,
        )
    )
    return command


async def note_sent(work: Work, command_ids: Sequence[UUID]) -> None:
    """The broker has them. One that was answered meanwhile stays where it is."""
    for command in (await repository.lock_commands(work, command_ids)).values():
        if command.status is CommandStatus.QUEUED:
            command.sent_at = work.now
            COMMAND.move(work, command, CommandStatus.SENT)


async def note_answers(work: Work, answers: Sequence[CommandAnswer]) -> None:
    """Take terminals' answers, in the order in which they came. What is known, older or foreign has no effect."""
    commands = await repository.lock_commands(work, sorted({answer.command_id for answer in answers}))
    for answer in answers:
        command = commands.get(answer.command_id)
        if command is None or command.terminal_id != answer.terminal_id:
            continue
        target = CommandStatus(answer.state)
        if not COMMAND.allows(command.status, target):
            continue
        if target is CommandStatus.RECEIVED:
            command.received_at = work.now
            COMMAND.move(work, command, target)
            continue
        await _end(work, command, target, answer.result)


async def _end(work: Work, command: TerminalCommand, target: CommandStatus, result: dict[str, Any]) -> None:
    command.ended_at = work.now
    command.result = result
    COMMAND.move(work, command, target)
    if command.kind is CommandKind.TEST_CALL and target is CommandStatus.DONE:
        await note_test(work, command.terminal_id, work.now, "command")
    _tell_centre(work, command)


def _tell_centre(work: Work, command: TerminalCommand) -> None:
    work.record(
        TerminalCommandMoved(
            area_code=command.area_code,
            centre_id=command.centre_id,
            terminal_id=command.terminal_id,
            command_id=command.id,
            kind=command.kind.value,
            status=str(command.status),
        )
    )


async def expire_commands(work: Work, limit: int = 100) -> int:
    """End what got no answer in its time; one that the terminal has may answer a little longer."""
    commands = await repository.waiting_past_expiry(work, LIMITS.answer, limit)
    for command in commands:
        command.ended_at = work.now
        COMMAND.move(work, command, CommandStatus.EXPIRED, "no_answer")
        _tell_centre(work, command)
    return len(commands)


async def list_commands(
    work: Work, terminal_id: UUID, limit: int, cursor: UUID | None
) -> Sequence[TerminalCommand]:
    """A terminal's commands, newest first; ``NotFound`` outside the actor's scope. Audited: they tell places."""
    found = await repository.terminal_with_profile(work, terminal_id)
    if found is None:
        raise NotFound
    commands = await repository.list_commands(work, terminal_id, limit, cursor)
    await _audit(work, commands)
    return commands


async def read_command(work: Work, terminal_id: UUID, command_id: UUID) -> TerminalCommand:
    """One command of a terminal; ``NotFound`` outside the actor's scope. Audited."""
    command = await repository.find_command(work, terminal_id, command_id)
    if command is None:
        raise NotFound
    await _audit(work, [command])
    return command


async def _audit(work: Work, commands: Sequence[TerminalCommand]) -> None:
    residents = {command.resident_id for command in commands if command.resident_id is not None}
    await record_read(work, residents, "terminal.commands", ["text", "position"])
