"""A settlement's life: due, or held until a flagged visit has been looked at."""

from enum import StrEnum

from services.core.transitions import Transitions


class SettlementStatus(StrEnum):
    DUE = "due"
    HELD = "held"  # a visit is flagged: nothing is charged before a person has looked


SETTLEMENT = Transitions[SettlementStatus](
    "settlement", {SettlementStatus.HELD: frozenset({SettlementStatus.DUE})}
)
