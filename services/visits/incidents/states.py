"""An incident is reported, taken by somebody of the centre, and closed with what came of it."""

from enum import StrEnum

from services.core.transitions import Transitions


class IncidentStatus(StrEnum):
    REPORTED = "reported"
    TAKEN = "taken"
    CLOSED = "closed"


INCIDENT = Transitions[IncidentStatus](
    "visit_incident",
    {
        IncidentStatus.REPORTED: frozenset({IncidentStatus.TAKEN, IncidentStatus.CLOSED}),
        IncidentStatus.TAKEN: frozenset({IncidentStatus.CLOSED}),
    },
)
