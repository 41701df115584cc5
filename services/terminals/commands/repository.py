"""SQL about commands to terminals."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import or_, text
from sqlmodel import col, select

from services.core.database import Work
from services.core.scope import within
from services.terminals.commands.models import TerminalCommand
from services.terminals.commands.states import WAITING, CommandStatus
from services.terminals.models import Terminal, TerminalProfile
from services.terminals.states import ACTIVE

# The pressed terminal and whatever else of the same resident can speak.
_SPEAKERS: Final = text(
    """
    SELECT t.id FROM terminal t
    JOIN terminal pressed ON t.id = pressed.id OR t.resident_id = pressed.resident_id
    JOIN terminal_profile p ON p.id = t.profile_id
    WHERE pressed.id = :terminal_id AND t.status = 'bound' AND p.capabilities->'commands' ? 'speak'
    ORDER BY t.id FOR UPDATE OF t
    """
)
_TOLD: Final = text(
    "SELECT terminal_id FROM terminal_command"
    " WHERE alert_id = :alert_id AND terminal_id = ANY (CAST(:speakers AS uuid[]))"
)


async def terminal_with_profile(work: Work, terminal_id: UUID) -> tuple[Terminal, TerminalProfile] | None:
    """One terminal in scope with what its model can do."""
    statement = (
        select(Terminal, TerminalProfile)
        .join(TerminalProfile, col(TerminalProfile.id) == col(Terminal.profile_id))
        .where(Terminal.id == terminal_id, *within(work.actor, Terminal.area_code, Terminal.resident_id))
    )
    return (await work.session.exec(statement)).one_or_none()


async def speakers_untold(work: Work, terminal_id: UUID, alert_id: UUID) -> Sequence[UUID]:
    """Terminals around the one that called which can speak and were not told for this alert; locked."""
    speakers = (await work.sql(_SPEAKERS, {"terminal_id": terminal_id})).scalars().all()
    # A statement of its own: it must see what was committed while this one waited for the locks.
    told = set((await work.sql(_TOLD, {"alert_id": alert_id, "speakers": list(speakers)})).scalars())
    return [speaker for speaker in speakers if speaker not in told]


async def list_commands(
    work: Work, terminal_id: UUID, limit: int, cursor: UUID | None
) -> Sequence[TerminalCommand]:
    """A terminal's commands in scope, newest first."""
    statement = (
        select(TerminalCommand)
        .where(
            TerminalCommand.terminal_id == terminal_id,
            *within(work.actor, TerminalCommand.area_code, TerminalCommand.resident_id),
        )
        .order_by(col(TerminalCommand.id).desc())
        .limit(limit)
    )
    if cursor is not None:
        statement = statement.where(TerminalCommand.id < cursor)
    return (await work.session.exec(statement)).all()


async def find_command(work: Work, terminal_id: UUID, command_id: UUID) -> TerminalCommand | None:
    """One command of a terminal, in scope."""
    statement = select(TerminalCommand).where(
        TerminalCommand.id == command_id,
        TerminalCommand.terminal_id == terminal_id,
        *within(work.actor, TerminalCommand.area_code, TerminalCommand.resident_id),
    )
    return (await work.session.exec(statement)).one_or_none()


async def lock_commands(work: Work, command_ids: Sequence[UUID]) -> dict[UUID, TerminalCommand]:
    """Commands by id, locked in the order of their keys so that two processes never wait for each other."""
    statement = (
        select(TerminalCommand)
        .where(col(TerminalCommand.id).in_(command_ids))
        .order_by(col(TerminalCommand.id))
        .with_for_update()
    )
    return {command.id: command for command in (await work.session.exec(statement)).all()}


async def waiting_past_expiry(work: Work, answer: timedelta, limit: int) -> Sequence[TerminalCommand]:
    """Commands whose time has passed without an end, locked; what somebody else holds is left.

    One that its terminal has may be carried out just now: it is given ``answer`` longer.
    """
    late = or_(
        col(TerminalCommand.status) != CommandStatus.RECEIVED, col(TerminalCommand.expires_at) < work.now - answer
    )
    statement = (
        select(TerminalCommand)
        .where(col(TerminalCommand.status).in_(WAITING), col(TerminalCommand.expires_at) < work.now, late)
        .order_by(col(TerminalCommand.expires_at))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return (await work.session.exec(statement)).all()


def is_in_service(terminal: Terminal) -> bool:
    """Whether it listens to us at all."""
    return terminal.status in ACTIVE


_POSITIONS: Final = text(
    """
    WITH old AS (
        SELECT id FROM terminal_command
        WHERE kind = 'locate' AND (result -> 'position') IS NOT NULL AND ended_at < :before
        ORDER BY ended_at LIMIT :batch FOR UPDATE SKIP LOCKED
    )
    UPDATE terminal_command c
    SET result = (c.result - 'position') || '{"position_cleared": true}', version = c.version + 1
    FROM old WHERE c.id = old.id RETURNING c.ended_at
    """
)
_COMMANDS: Final = text(
    """
    WITH old AS (
        SELECT id FROM terminal_command
        WHERE ended_at < :before AND status NOT IN ('queued', 'sent', 'received')
        ORDER BY ended_at LIMIT :batch FOR UPDATE SKIP LOCKED
    )
    DELETE FROM terminal_command c USING old WHERE c.id = old.id RETURNING c.ended_at
    """
)


async def clear_positions(work: Work, before: datetime, limit: int) -> list[datetime]:
    """Blank the places in commands that ended before; gives when each had ended."""
    return list((await work.sql(_POSITIONS, {"before": before, "batch": limit})).scalars())


async def delete_ended(work: Work, before: datetime, limit: int) -> list[datetime]:
    """Delete commands that ended before; gives when each had ended."""
    return list((await work.sql(_COMMANDS, {"before": before, "batch": limit})).scalars())
