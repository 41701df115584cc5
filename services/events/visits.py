"""Visits and what is found about them."""

from typing import ClassVar
from uuid import UUID

from services.core.outbox import Event


class VisitMoved(Event, frozen=True, kw_only=True):
    """En route or checked in."""

    name: ClassVar[str] = "visit.moved"
    visit_id: UUID
    order_id: UUID
    status: str


class VisitEnded(Event, frozen=True, kw_only=True):
    """Checked out: verified, flagged, or reviewed after a flag; or ``no_show``, when nobody was at home."""

    name: ClassVar[str] = "visit.ended"
    visit_id: UUID
    order_id: UUID
    status: str


class VisitReadingTaken(Event, frozen=True, kw_only=True):
    """Measured by hand; the vital record takes it in, and the rules judge it."""

    name: ClassVar[str] = "visit.reading_taken"
    visit_id: UUID
    reading_id: UUID


class VisitReadingVoided(Event, frozen=True, kw_only=True):
    """A correction has found it wrong."""

    name: ClassVar[str] = "visit.reading_voided"
    visit_id: UUID
    reading_id: UUID


class VisitIncidentMoved(Event, frozen=True, kw_only=True):
    """Reported, taken or closed."""

    name: ClassVar[str] = "visit.incident"
    visit_id: UUID
    incident_id: UUID
    kind: str
    severity: str
    status: str


class VisitIssueMoved(Event, frozen=True, kw_only=True):
    """A visit starts late, is missed, overruns, … (``open``), or it is put right (``cleared``)."""

    name: ClassVar[str] = "visit.issue"
    visit_id: UUID
    order_id: UUID
    issue_id: UUID
    kind: str
    status: str


class VisitConflictMoved(Event, frozen=True, kw_only=True):
    """Something done without network does not fit what happened meanwhile; or somebody has dealt with it."""

    name: ClassVar[str] = "visit.conflict"
    visit_id: UUID
    act_id: UUID
    code: str
    status: str


class VisitCorrectionMoved(Event, frozen=True, kw_only=True):
    """Requested or rejected."""

    name: ClassVar[str] = "visit.correction"
    visit_id: UUID
    correction_id: UUID
    status: str


class VisitCorrected(Event, frozen=True, kw_only=True):
    """A second person has agreed, and the visit says something else now: whoever billed it looks again."""

    name: ClassVar[str] = "visit.corrected"
    visit_id: UUID
    order_id: UUID
    correction_id: UUID
