"""A swap's life: requested → accepted, declined, withdrawn or lapsed."""

from enum import StrEnum

from services.core.transitions import Transitions


class SwapStatus(StrEnum):
    REQUESTED = "requested"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


_S = SwapStatus

SWAP = Transitions[SwapStatus](
    "duty_swap", {_S.REQUESTED: frozenset({_S.ACCEPTED, _S.DECLINED, _S.WITHDRAWN, _S.LAPSED})}
)
