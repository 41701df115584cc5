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


class DeclineCode(StrEnum):
    """Why a caregiver says no; her own words may stand beside it."""

    NO_TIME = "no_time"
    TOO_FAR = "too_far"
    UNWELL = "unwell"
    NOT_MY_SKILL = "not_my_skill"
    CONFLICT_WITH_RESIDENT = "conflict_with_resident"
    OTHER = "other"


class EndCode(StrEnum):
    """Why a caregiver no longer has an order."""

    SICK = "sick"
    LEAVE = "leave"
    DELAYED = "delayed"
    NOT_WANTED = "not_wanted"
    REASSIGNED = "reassigned"
    CANCELLED = "cancelled"
    OTHER = "other"


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
