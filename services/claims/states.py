"""A claim's life: draft → submitted → answered → paid; a draft may be dropped."""

from enum import StrEnum

from services.core.transitions import Transitions


class ClaimStatus(StrEnum):
    DRAFT = "draft"  # made anew as often as one likes
    SUBMITTED = "submitted"  # with the payer; its lines stand
    ANSWERED = "answered"  # the payer has said what it pays
    PAID = "paid"
    DROPPED = "dropped"


CLAIM = Transitions[ClaimStatus](
    "claim",
    {
        ClaimStatus.DRAFT: frozenset({ClaimStatus.SUBMITTED, ClaimStatus.DROPPED}),
        ClaimStatus.SUBMITTED: frozenset({ClaimStatus.ANSWERED}),
        ClaimStatus.ANSWERED: frozenset({ClaimStatus.PAID}),
    },
)
