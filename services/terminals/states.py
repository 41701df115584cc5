"""A terminal's life: stock → provisioned → bound → suspended → retired.

``stock``: on the shelf, without a credential. ``provisioned``: has one, and nobody's. ``bound``: a resident's.
``suspended``: locked out for a time, still the resident's. ``retired``: for good.
"""

from enum import StrEnum

from services.core.transitions import Transitions


class TerminalStatus(StrEnum):
    STOCK = "stock"
    PROVISIONED = "provisioned"
    BOUND = "bound"
    SUSPENDED = "suspended"
    RETIRED = "retired"


ACTIVE = frozenset({TerminalStatus.PROVISIONED, TerminalStatus.BOUND})
"""May connect, and is heard."""

TERMINAL = Transitions[TerminalStatus](
    "terminal",
    {
        TerminalStatus.STOCK: frozenset({TerminalStatus.PROVISIONED, TerminalStatus.RETIRED}),
        TerminalStatus.PROVISIONED: frozenset(
            {TerminalStatus.STOCK, TerminalStatus.BOUND, TerminalStatus.SUSPENDED, TerminalStatus.RETIRED}
        ),
        TerminalStatus.BOUND: frozenset(
            {TerminalStatus.PROVISIONED, TerminalStatus.SUSPENDED, TerminalStatus.RETIRED}
        ),
        TerminalStatus.SUSPENDED: frozenset(
            {TerminalStatus.PROVISIONED, TerminalStatus.BOUND, TerminalStatus.RETIRED}
        ),
    },
)
