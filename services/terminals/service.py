"""What is done with terminals: hearing their status, telling them something."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from services.audit.service import record_read
from services.core.database import Work
from services.core.errors import NotFound
from services.core.transitions import StatusChange
from services.events import TerminalStatusChanged
from services.terminals import queries, repository
from services.terminals.commands.service import note_answers
from services.terminals.models import Downlink, Terminal, TerminalBinding, TerminalState
from services.terminals.repository import Heard

RECEIPT_LIFETIME = timedelta(days=1)


async def note_status(work: Work, heard: Sequence[Heard]) -> None:
    """Store the newest status of each terminal and tell the centre about those that came or went.

    Answers to commands are taken with it. Whoever came, went, was opened or lost a sensor is looked at at once.
    """
    changed, notable = await repository.save_states(work, heard)
    if notable:
        await repository.leave_hints(work, list(notable), [h.bound.terminal_id for h in heard if h.went_away])
    answers = [answer for one in heard for answer in one.answers]
    if answers:
        await note_answers(work, answers)
    for one in heard:
        if one.bound.terminal_id in changed:
            work.record(
                TerminalStatusChanged(
                    area_code=one.bound.area_code,
                    centre_id=one.bound.centre_id,
                    terminal_id=one.bound.terminal_id,
                    is_online=one.is_online,
                )
            )


def tell_terminal(work: Work, terminal_id: UUID, area_code: str, payload: dict[str, Any]) -> None:
    """Queue a receipt; the ingest process sends it after the commit."""
    work.session.add(
        Downlink(
            terminal_id=terminal_id,
            area_code=area_code,
            branch="receipt",
            payload=payload,
            created_at=work.now,
            expires_at=work.now + RECEIPT_LIFETIME,
        )
    )


async def read_terminal(work: Work, terminal_id: UUID) -> tuple[Terminal, TerminalState | None]:
    """One terminal in the actor's scope; ``NotFound`` otherwise."""
    found = await repository.find_terminal(work, terminal_id)
    if found is None:
        raise NotFound
    return found


async def bindings_of(work: Work, limit: int, cursor: UUID | None, terminal_id: UUID) -> Sequence[TerminalBinding]:
    """Whose a terminal was, newest first; each resident shown gets an access row. ``NotFound`` out of scope."""
    await read_terminal(work, terminal_id)
    rows = await queries.page_of_bindings(work, limit, cursor, terminal_id)
    await record_read(work, {row.resident_id for row in rows}, "terminal_bindings", ["terminal", "room", "time"])
    return rows


async def history_of(work: Work, limit: int, cursor: UUID | None, terminal_id: UUID) -> Sequence[StatusChange]:
    """What happened to a terminal, newest first. ``NotFound`` out of scope."""
    await read_terminal(work, terminal_id)
    return await queries.page_of_changes(work, limit, cursor, terminal_id)
