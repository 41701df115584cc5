"""A complaint's life: received → investigating → decided → (appealed → decided finally) → closed."""

from enum import StrEnum

from services.core.transitions import Transitions


class ComplaintStatus(StrEnum):
    RECEIVED = "received"
    INVESTIGATING = "investigating"  # somebody has taken it, by name
    DECIDED = "decided"  # found and told; a party may appeal for a while
    APPEALED = "appealed"  # the county looks at it again, by somebody else
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


COMPLAINT = Transitions[ComplaintStatus](
    "complaint",
    {
        ComplaintStatus.RECEIVED: frozenset({ComplaintStatus.INVESTIGATING, ComplaintStatus.WITHDRAWN}),
        ComplaintStatus.INVESTIGATING: frozenset({ComplaintStatus.DECIDED, ComplaintStatus.WITHDRAWN}),
        ComplaintStatus.DECIDED: frozenset({ComplaintStatus.APPEALED, ComplaintStatus.CLOSED}),
        # The county's word is the last one.
        ComplaintStatus.APPEALED: frozenset({ComplaintStatus.CLOSED}),
    },
)

LIVE = (
    ComplaintStatus.RECEIVED,
    ComplaintStatus.INVESTIGATING,
    ComplaintStatus.DECIDED,
    ComplaintStatus.APPEALED,
)
"""Cases that can still change."""
