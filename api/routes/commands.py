"""Telling a terminal to do something."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, status

from api.deps import OnceDep, WorkDep
from api.pagination import Page, PageDep, next_cursor
from services.core.database import Work
from services.terminals.commands import service
from services.terminals.commands.models import CommandPublic, CommandWish

router = APIRouter(prefix="/terminals/{terminal_id}/commands", tags=["terminals"])

_EXAMPLES: list[Any] = [
    {"kind": "speak", "text": "您好，村医十分钟后到。"},
    {"kind": "test_call"},
    {"kind": "locate"},
    {"kind": "set_interval", "what": "vitals", "seconds": 300},
]


@router.post(
    "",
    operation_id="order_command",
    summary="Tell a terminal to call, to say where it is, to report in another rhythm, or to speak",
    status_code=status.HTTP_201_CREATED,
    response_model=CommandPublic,
)
async def order_command(
    work: WorkDep, once: OnceDep, terminal_id: UUID, wish: Annotated[CommandWish, Body(examples=_EXAMPLES)]
) -> Any:
    """Sent once; neither repeated nor obeyed after `expires_at`. Refusals: `terminal_not_capable`,
    `terminal_out_of_service`."""
    return await once(work, lambda: _order(work, terminal_id, wish))


@router.get("", operation_id="list_commands", summary="What a terminal was told, and what came of it")
async def list_commands(work: WorkDep, page: PageDep, terminal_id: UUID) -> Page[CommandPublic]:
    """Newest first. Leaves a row in the access log: an answer may hold a place."""
    commands = await service.list_commands(work, terminal_id, page.limit, page.cursor)
    items = [CommandPublic.model_validate(command) for command in commands]
    return Page(items=items, next_cursor=next_cursor([command.id for command in commands], page))


@router.get("/{command_id}", operation_id="get_command", summary="One command and what came of it")
async def get_command(work: WorkDep, terminal_id: UUID, command_id: UUID) -> CommandPublic:
    """`queued` → `sent` → `received` → `done`, `failed`, `refused` or `expired`."""
    return CommandPublic.model_validate(await service.read_command(work, terminal_id, command_id))


async def _order(work: Work, terminal_id: UUID, wish: CommandWish) -> CommandPublic:
    return CommandPublic.model_validate(await service.order_command(work, terminal_id, wish))
