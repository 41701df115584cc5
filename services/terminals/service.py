"""What is done with terminals: hearing their status, telling them something."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from services.core.database import Work
from services.core.errors import NotFound
from services.events import TerminalStatusChanged
from services.terminals import repository
from services.terminals.models import Downlink, Terminal, TerminalState
from services.terminals.repository import Heard

RECEIPT_LIFETIME = timedelta(days=1)


async def note_status(work: Work, heard: Sequence[Heard]) -> None:
    """Store the newest status of each terminal and tell the centre about those that came or went."""
    changed = await repository.save_states(work, heard)
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
