"""An alert's life: open → acknowledged → responding → on scene → resolved → reviewed; or cancelled."""

from enum import IntEnum, StrEnum

from services.core.transitions import Transitions


class AlertStatus(StrEnum):
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESPONDING = "responding"
    ON_SCENE = "on_scene"
    RESOLVED = "resolved"
    REVIEWED = "reviewed"
    CANCELLED = "cancelled"


LIVE = (AlertStatus.OPEN, AlertStatus.ACKNOWLEDGED, AlertStatus.RESPONDING, AlertStatus.ON_SCENE)
"""Statuses in which a repeat is an occurrence of the same alert; the partial unique index names them too."""

_O, _A, _R, _S = LIVE

ALERT = Transitions[AlertStatus](
    "alert",
    {
        _O: frozenset({_A, _R, _S, AlertStatus.RESOLVED, AlertStatus.CANCELLED}),
        # An acknowledgement is a lease: when it runs out the alert is open again.
        _A: frozenset({_O, _R, _S, AlertStatus.RESOLVED, AlertStatus.CANCELLED}),
        _R: frozenset({_O, _S, AlertStatus.RESOLVED, AlertStatus.CANCELLED}),
        _S: frozenset({AlertStatus.RESOLVED}),
        AlertStatus.RESOLVED: frozenset({AlertStatus.REVIEWED}),
        AlertStatus.CANCELLED: frozenset({AlertStatus.REVIEWED}),
    },
)


class HandoverStatus(StrEnum):
    """``lapsed``: nobody answered before the lease or the alert ended; the responsibility never moved."""

    REQUESTED = "requested"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    LAPSED = "lapsed"


HANDOVER = Transitions[HandoverStatus](
    "alert_handover",
    {
        HandoverStatus.REQUESTED: frozenset(
            {HandoverStatus.ACCEPTED, HandoverStatus.DECLINED, HandoverStatus.LAPSED}
        )
    },
)


class Severity(IntEnum):
    """Ordered as a number: the highest ranks highest. It may rise, never fall by a later reading."""

    NOTICE = 1
    WARNING = 2
    HIGH = 3
    LIFE_SAFETY = 4
