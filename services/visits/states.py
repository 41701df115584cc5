"""A visit's life: scheduled → en route → in service → verified or flagged; a flagged one is reviewed."""

from enum import StrEnum

from services.core.transitions import Transitions


class VisitStatus(StrEnum):
    SCHEDULED = "scheduled"
    EN_ROUTE = "en_route"
    IN_SERVICE = "in_service"
    VERIFIED = "verified"  # ended, and the evidence agrees
    FLAGGED = "flagged"  # ended, and a person must look
    REVIEWED = "reviewed"  # a person looked and let it count
    CANCELLED = "cancelled"


VISIT = Transitions[VisitStatus](
    "visit",
    {
        VisitStatus.SCHEDULED: frozenset({VisitStatus.EN_ROUTE, VisitStatus.IN_SERVICE, VisitStatus.CANCELLED}),
        VisitStatus.EN_ROUTE: frozenset({VisitStatus.IN_SERVICE, VisitStatus.CANCELLED}),
        VisitStatus.IN_SERVICE: frozenset({VisitStatus.VERIFIED, VisitStatus.FLAGGED}),
        VisitStatus.FLAGGED: frozenset({VisitStatus.REVIEWED}),
    },
)

ENDED = (VisitStatus.VERIFIED, VisitStatus.FLAGGED, VisitStatus.REVIEWED)
