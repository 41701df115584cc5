"""A terminal's life: stock → provisioned → bound → suspended → retired."""

from enum import StrEnum

from services.core.transitions import Transitions


class TerminalStatus(StrEnum):
    STOCK = "stock"
    PROVISIONED = "provisioned"
    BOUND = "bound"
    SUSPENDED = "suspended"
    RETIRED = "retired"


TERMINAL = Transitions[TerminalStatus](
    "terminal",
    {
        TerminalStatus.STOCK: frozenset({TerminalStatus.PROVISIONED, TerminalStatus.RETIRED}),
        TerminalStatus.PROVISIONED: frozenset(
            {TerminalStatus.BOUND, TerminalStatus.SUSPENDED, TerminalStatus.RETIRED}
        ),
        TerminalStatus.BOUND: frozenset(
            {TerminalStatus.PROVISIONED, TerminalStatus.SUSPENDED, TerminalStatus.RETIRED}
        ),
        TerminalStatus.SUSPENDED: frozenset(
            {TerminalStatus.PROVISIONED, TerminalStatus.BOUND, TerminalStatus.RETIRED}
        ),
    },
)
