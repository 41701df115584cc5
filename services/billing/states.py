"""A settlement's life: due, or held until a flag has been reviewed. An adjustment's: proposed, decided."""

from enum import StrEnum

from services.core.transitions import Transitions


class SettlementStatus(StrEnum):
    DUE = "due"
    HELD = "held"  # a visit is flagged: nothing is charged before a person has looked


SETTLEMENT = Transitions[SettlementStatus](
    "settlement", {SettlementStatus.HELD: frozenset({SettlementStatus.DUE})}
)


class AdjustmentStatus(StrEnum):
    PROPOSED = "proposed"
    APPROVED = "approved"  # booked: the old entries reversed, the new ones made
    REJECTED = "rejected"


ADJUSTMENT = Transitions[AdjustmentStatus](
    "adjustment",
    {AdjustmentStatus.PROPOSED: frozenset({AdjustmentStatus.APPROVED, AdjustmentStatus.REJECTED})},
)
