"""Terminals, whose they were, and the messages that could not be read."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, status
from pydantic import BaseModel, ConfigDict

from api.deps import OnceDep, WorkDep
from api.pagination import Page, PageDep, next_cursor
from services.terminals import lifecycle, repository, service
from services.terminals.models import TerminalKind
from services.terminals.registry_models import (
    BindingPublic,
    TerminalChange,
    TerminalCreate,
    TerminalPublic,
    shown,
)
from services.terminals.repository import TerminalFilter
from services.terminals.states import TerminalStatus
from services.vitals.repository import list_dead_letters as read_dead_letters

router = APIRouter(tags=["terminals"])


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


@router.get("/terminals", operation_id="list_terminals", summary="Terminals in one's reach")
async def list_terminals(
    work: WorkDep,
    page: PageDep,
    status_: Annotated[TerminalStatus | None, Query(alias="status")] = None,
    kind: TerminalKind | None = None,
    profile_id: UUID | None = None,
    centre_id: UUID | None = None,
    resident_id: UUID | None = None,
    serial: Annotated[
        str | None, Query(min_length=3, max_length=64, description="A part of the serial number.")
    ] = None,
) -> Page[TerminalPublic]:
    """`is_online` is null for one that has never been heard."""
    wanted = TerminalFilter(status_, kind, profile_id, centre_id, resident_id, serial)
    rows = await repository.list_terminals(work, page.limit, page.cursor, wanted)
    items = [shown(terminal, state) for terminal, state in rows]
    return Page(items=items, next_cursor=next_cursor([item.id for item in items], page))


@router.post(
    "/terminals",
    operation_id="register_terminal",
    summary="Take a terminal into a centre's stock",
    status_code=status.HTTP_201_CREATED,
)
async def register_terminal(work: WorkDep, body: TerminalCreate, once: OnceDep) -> TerminalPublic:
    """It has no credential yet: it fetches one itself with its profile's secret, or is given one by hand."""

    async def create() -> TerminalPublic:
        return shown(await lifecycle.register(work, body))

    answer: TerminalPublic = await once(work, create)
    return answer


@router.get("/terminals/{terminal_id}", operation_id="get_terminal", summary="One terminal")
async def get_terminal(terminal_id: UUID, work: WorkDep) -> TerminalPublic:
    """With the last status heard."""
    return shown(*await service.read_terminal(work, terminal_id))


@router.get(
    "/terminals/{terminal_id}/bindings",
    operation_id="list_terminal_bindings",
    summary="Whose a terminal was, from when to when",
)
async def list_terminal_bindings(terminal_id: UUID, work: WorkDep, page: PageDep) -> Page[BindingPublic]:
    """Newest first, as far as the residents are in the reader's reach; leaves rows in their access logs."""
    rows = await service.bindings_of(work, page.limit, page.cursor, terminal_id)
    items = [BindingPublic.model_validate(row) for row in rows]
    return Page(items=items, next_cursor=next_cursor([item.id for item in items], page))


@router.get(
    "/terminals/{terminal_id}/history",
    operation_id="get_terminal_history",
    summary="What happened to a terminal: who, when, why",
)
async def get_terminal_history(terminal_id: UUID, work: WorkDep, page: PageDep) -> Page[TerminalChange]:
    """Newest first: status changes, and credentials given or withdrawn."""
    rows = await service.history_of(work, page.limit, page.cursor, terminal_id)
    items = [TerminalChange.model_validate(row) for row in rows]
    return Page(items=items, next_cursor=next_cursor([item.id for item in items], page))


@router.get("/dead-letters", operation_id="list_dead_letters", summary="Messages that could not be read")
async def list_dead_letters(work: WorkDep, page: PageDep) -> Page[DeadLetterPublic]:
    """Newest first, with the reason."""
    letters = await read_dead_letters(work, page.limit, page.cursor)
    items = [DeadLetterPublic.model_validate(letter) for letter in letters]
    return Page(items=items, next_cursor=next_cursor([letter.id for letter in letters], page))
