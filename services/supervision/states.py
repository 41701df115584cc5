"""A fault's life: open → assigned → cleared."""

from enum import StrEnum

from services.core.transitions import Transitions


class FaultStatus(StrEnum):
    OPEN = "open"
    ASSIGNED = "assigned"
    CLEARED = "cleared"


LIVE = (FaultStatus.OPEN, FaultStatus.ASSIGNED)
"""Statuses in which the same fault is not opened again; the partial unique index names them too."""

FAULT = Transitions[FaultStatus](
    "terminal_fault",
    {
        FaultStatus.OPEN: frozenset({FaultStatus.ASSIGNED, FaultStatus.CLEARED}),
        # Handed over to somebody else.
        FaultStatus.ASSIGNED: frozenset({FaultStatus.ASSIGNED, FaultStatus.CLEARED}),
    },
)
