"""What became of an act that was done without network: applied, waiting for an earlier one, or in conflict."""

from enum import StrEnum

from services.core.transitions import Transitions


class ActStatus(StrEnum):
    WAITING = "waiting"  # an end that came before what preceded it
    APPLIED = "applied"
    CONFLICT = "conflict"  # kept as it came, for the dispatcher
    SETTLED = "settled"  # the dispatcher has dealt with the conflict


ACT = Transitions[ActStatus](
    "visit_act",
    {
        ActStatus.WAITING: frozenset({ActStatus.APPLIED, ActStatus.CONFLICT}),
        ActStatus.CONFLICT: frozenset({ActStatus.SETTLED}),
    },
)
