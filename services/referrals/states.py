"""A referral's life: handed over → received → returned home → closed; it may end without the steps between."""

from enum import StrEnum

from services.core.transitions import Transitions


class ReferralStatus(StrEnum):
    HANDED_OVER = "handed_over"  # to the crew, the ward or the consulting room: somebody there has the resident
    RECEIVED = "received"  # the institution has confirmed it
    RETURNED = "returned"  # back home, or handed back to those who care for the resident
    CLOSED = "closed"


_H, _R, _B, _C = ReferralStatus

REFERRAL = Transitions[ReferralStatus](
    "referral",
    {_H: frozenset({_R, _B, _C}), _R: frozenset({_B, _C}), _B: frozenset({_C})},
)
