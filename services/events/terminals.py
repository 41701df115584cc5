"""Terminals."""

from typing import ClassVar
from uuid import UUID

from services.core.outbox import Event


class TerminalStatusChanged(Event, frozen=True, kw_only=True):
    """Online or offline."""

    name: ClassVar[str] = "terminal.status"
    terminal_id: UUID
    is_online: bool


class TerminalCommandMoved(Event, frozen=True, kw_only=True):
    """A command to a terminal has ended: done, failed, refused or expired."""

    name: ClassVar[str] = "terminal.command"
    terminal_id: UUID
    command_id: UUID
    kind: str
    status: str


class TerminalFaultMoved(Event, frozen=True, kw_only=True):
    """A fault of a terminal: open, assigned or cleared."""

    name: ClassVar[str] = "terminal.fault"
    fault_id: UUID
    terminal_id: UUID
    kind: str
    sensor: str | None
    is_life_safety: bool
    status: str


class TerminalMoved(Event, frozen=True, kw_only=True):
    """Provisioned, bound, unbound, suspended, back in service, returned to stock or retired."""

    name: ClassVar[str] = "terminal.moved"
    terminal_id: UUID
    resident_id: UUID | None
    status: str
