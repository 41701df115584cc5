"""A fault and a command of a terminal of the tests' world."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from services.core.database import Work
from services.supervision.models import FaultKind, TerminalFault
from services.supervision.states import FaultStatus
from services.terminals.commands.models import CommandKind, TerminalCommand
from services.terminals.commands.states import CommandStatus
from services.terminals.models import Terminal


@dataclass(frozen=True, slots=True)
class Upkeep:
    """Their keys."""

    fault_id: UUID
    command_id: UUID


def add_upkeep(work: Work, terminal: Terminal) -> Upkeep:
    """An open fault, and a command that told where somebody is."""
    whose = {
        "terminal_id": terminal.id,
        "resident_id": terminal.resident_id,
        "centre_id": terminal.centre_id,
        "area_code": terminal.area_code,
    }
    fault = TerminalFault(
        **whose,
        kind=FaultKind.OFFLINE,
        is_life_safety=True,
        opened_at=work.now,
        status=FaultStatus.OPEN,
    )
    command = TerminalCommand(
        **whose,
        kind=CommandKind.LOCATE,
        created_at=work.now,
        expires_at=work.now + timedelta(minutes=2),
        status=CommandStatus.DONE,
        result={"position": {"lat": 28.2, "lng": 113.1}},
    )
    work.session.add_all((fault, command))
    return Upkeep(fault.id, command.id)
