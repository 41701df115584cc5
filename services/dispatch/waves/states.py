"""A round's life: it runs until the order is filled, nobody is left to ask, or a person stops it."""

from enum import StrEnum

from services.core.transitions import Transitions


class RoundStatus(StrEnum):
    RUNNING = "running"
    FILLED = "filled"
    EXHAUSTED = "exhausted"
    STOPPED = "stopped"


ROUND = Transitions[RoundStatus](
    "dispatch_round",
    {RoundStatus.RUNNING: frozenset({RoundStatus.FILLED, RoundStatus.EXHAUSTED, RoundStatus.STOPPED})},
)
