"""An offer's life: sent → viewed → accepted, declined, expired, superseded or withdrawn."""

from enum import StrEnum

from services.core.transitions import Transitions


class OfferStatus(StrEnum):
    SENT = "sent"
    VIEWED = "viewed"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"


PENDING = (OfferStatus.SENT, OfferStatus.VIEWED)
"""Offers that can still be answered."""

_ENDS = frozenset(
    {
        OfferStatus.ACCEPTED,
        OfferStatus.DECLINED,
        OfferStatus.EXPIRED,
        OfferStatus.SUPERSEDED,
        OfferStatus.WITHDRAWN,
    }
)

OFFER = Transitions[OfferStatus](
    "offer", {OfferStatus.SENT: _ENDS | {OfferStatus.VIEWED}, OfferStatus.VIEWED: _ENDS}
)
