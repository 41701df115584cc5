"""A visit's life: scheduled → en route → in service → verified or flagged; a flagged one is reviewed.

Nobody at home ends it as ``no_show``: it took place, but nothing was served. A visit that was cancelled, or given
to somebody else, while its caregiver had no network may turn out to have taken place: then it is flagged too.
"""

from enum import StrEnum

from services.core.transitions import Transitions


class VisitStatus(StrEnum):
    SCHEDULED = "scheduled"
    EN_ROUTE = "en_route"
    IN_SERVICE = "in_service"
    VERIFIED = "verified"  # ended, and the evidence agrees
    FLAGGED = "flagged"  # ended, and a person must look
    REVIEWED = "reviewed"  # a person looked and let it count
    NO_SHOW = "no_show"  # the caregiver came, and nobody was at home: no service, nothing to bill
    CANCELLED = "cancelled"


VISIT = Transitions[VisitStatus](
    "visit",
    {
        VisitStatus.SCHEDULED: frozenset(
            {VisitStatus.EN_ROUTE, VisitStatus.IN_SERVICE, VisitStatus.NO_SHOW, VisitStatus.CANCELLED}
        ),
        VisitStatus.EN_ROUTE: frozenset({VisitStatus.IN_SERVICE, VisitStatus.NO_SHOW, VisitStatus.CANCELLED}),
        VisitStatus.IN_SERVICE: frozenset({VisitStatus.VERIFIED, VisitStatus.FLAGGED, VisitStatus.NO_SHOW}),
        VisitStatus.FLAGGED: frozenset({VisitStatus.REVIEWED}),
        VisitStatus.CANCELLED: frozenset({VisitStatus.FLAGGED}),  # care that happened all the same
    },
)

ENDED = (VisitStatus.VERIFIED, VisitStatus.FLAGGED, VisitStatus.REVIEWED)
"""Over, and there was a service."""

OVER = (*ENDED, VisitStatus.NO_SHOW)
"""Over, whatever came of it; a cancelled visit has never begun."""

CLOSED = (VisitStatus.VERIFIED, VisitStatus.REVIEWED, VisitStatus.NO_SHOW)
"""What is written down stands; from here on it changes by a correction only."""
