"""A notification's life and that of each channel tried for it: queued → sent → delivered or failed → read.

Or withdrawn, while it has reached nobody: those whom it was for need it no more.
"""

from enum import StrEnum

from services.core.transitions import Transitions


class NotificationStatus(StrEnum):
    """As far as any of its channels has come."""

    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    READ = "read"
    WITHDRAWN = "withdrawn"


class AttemptStatus(StrEnum):
    """How far one channel has come. ``needless``: another channel had reached the person before this one left.

    ``withdrawn``: the notification was, before this channel left or while it was on the wire.
    """

    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    READ = "read"
    NEEDLESS = "needless"
    WITHDRAWN = "withdrawn"


_N, _A = NotificationStatus, AttemptStatus

NOTIFICATION = Transitions[NotificationStatus](
    "notification",
    {
        _N.QUEUED: frozenset({_N.SENT, _N.DELIVERED, _N.FAILED, _N.READ, _N.WITHDRAWN}),
        _N.SENT: frozenset({_N.DELIVERED, _N.FAILED, _N.READ, _N.WITHDRAWN}),
        # A gateway may report late that what it had given up did arrive, and a person may read what never rang.
        _N.FAILED: frozenset({_N.SENT, _N.DELIVERED, _N.READ}),
        # Nothing more is sent; what had left before may still arrive, and be read.
        _N.WITHDRAWN: frozenset({_N.DELIVERED, _N.READ}),
        _N.DELIVERED: frozenset({_N.READ}),
    },
)

ATTEMPT = Transitions[AttemptStatus](
    "notification_attempt",
    {
        _A.QUEUED: frozenset({_A.SENT, _A.DELIVERED, _A.FAILED, _A.READ, _A.NEEDLESS, _A.WITHDRAWN}),
        _A.SENT: frozenset({_A.DELIVERED, _A.FAILED, _A.READ}),
        _A.FAILED: frozenset({_A.SENT, _A.DELIVERED, _A.READ}),
        # Already on the wire when it became needless or was withdrawn: what then happened is still written down.
        _A.NEEDLESS: frozenset({_A.SENT, _A.DELIVERED, _A.READ}),
        _A.WITHDRAWN: frozenset({_A.SENT, _A.DELIVERED, _A.READ}),
        _A.DELIVERED: frozenset({_A.READ}),
    },
)
