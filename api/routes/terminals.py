"""Terminals, and the messages that could not be read."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from api.deps import WorkDep
from api.pagination import Page, PageDep, next_cursor
from services.terminals import repository
from services.terminals.models import Terminal, TerminalKind, TerminalState
from services.terminals.service import read_terminal
from services.terminals.states import TerminalStatus
from services.vitals.repository import list_dead_letters as read_dead_letters

router = APIRouter(tags=["terminals"])


class TerminalPublic(BaseModel):
    """A terminal and the last word heard of it."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    serial: str
    kind: TerminalKind
    status: TerminalStatus
    area_code: str
    centre_id: UUID
    resident_id: UUID | None
    room: str
    version: int
    is_online: bool | None = None
    seen_at: datetime | None = None
    battery_percent: int | None = None
    signal_dbm: int | None = None
    firmware: str | None = None


class DeadLetterPublic(BaseModel):
    """A message that was refused, and why. The payload itself is not shown: it may be health data."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    received_at: datetime
    topic: str
    terminal_id: UUID | None
    area_code: str
    code: str
    detail: str
    payload_bytes: int
    payload_sha256: str


def _shown(terminal: Terminal, state: TerminalState | None) -> TerminalPublic:
    shown = TerminalPublic.model_validate(terminal)
    if state is None:
        return shown
    heard = state.model_dump(include={"is_online", "seen_at", "battery_percent", "signal_dbm", "firmware"})
    return shown.model_copy(update=heard)


@router.get("/terminals", operation_id="list_terminals", summary="Terminals in one's reach")
async def list_terminals(work: WorkDep, page: PageDep) -> Page[TerminalPublic]:
    """`is_online` is null for one that has never been heard."""
    rows = await repository.list_terminals(work, page.limit, page.cursor)
    items = [_shown(terminal, state) for terminal, state in rows]
    return Page(items=items, next_cursor=next_cursor([item.id for item in items], page))


@router.get("/terminals/{terminal_id}", operation_id="get_terminal", summary="One terminal")
async def get_terminal(terminal_id: UUID, work: WorkDep) -> TerminalPublic:
    """With the last status heard."""
    return _shown(*await read_terminal(work, terminal_id))


@router.get("/dead-letters", operation_id="list_dead_letters", summary="Messages that could not be read")
async def list_dead_letters(work: WorkDep, page: PageDep) -> Page[DeadLetterPublic]:
    """Newest first, with the reason."""
    letters = await read_dead_letters(work, page.limit, page.cursor)
    items = [DeadLetterPublic.model_validate(letter) for letter in letters]
    return Page(items=items, next_cursor=next_cursor([letter.id for letter in letters], page))
