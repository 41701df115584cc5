"""Incidents: reported from a visit, taken and closed by the centre. A severe one reaches the manager at once."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.audit.service import record_read
from services.core.actor import SUPERVISING_ROLES
from services.core.database import Work
from services.core.versions import expect_version
from services.events import VisitIncidentMoved
from services.notifications.models import Channel
from services.notifications.service import Notice, Recipient, notify
from services.visits.incidents import repository
from services.visits.incidents.models import (
    IncidentClose,
    IncidentPublic,
    IncidentReport,
    IncidentSeverity,
    VisitIncident,
)
from services.visits.incidents.states import INCIDENT, IncidentStatus
from services.visits.models import Visit


def report(work: Work, visit: Visit, said: IncidentReport, occurred_at: datetime) -> VisitIncident:
    """Write down an incident of a locked visit and tell the centre."""
    row = VisitIncident(
        visit_id=visit.id,
        resident_id=visit.resident_id,
        caregiver_id=visit.caregiver_id,
        centre_id=visit.centre_id,
        area_code=visit.area_code,
        kind=said.kind,
        severity=said.severity,
        words=said.words,
        done=said.done,
        occurred_at=occurred_at,
        reported_at=work.now,
        reported_by=work.actor.account_id,
        status=IncidentStatus.REPORTED,
    )
    work.session.add(row)
    INCIDENT.begin(work, row)
    _tell(work, row)
    return row


async def take(work: Work, incident_id: UUID, if_match: int | None) -> IncidentPublic:
    """Somebody of the centre sees to it; a repeat changes nothing. Raises ``NotFound``."""
    row = await repository.lock_incident(work, incident_id)
    if row.status is IncidentStatus.REPORTED:
        expect_version(row, if_match)
        row.taken_by, row.taken_at = work.actor.account_id, work.now
        INCIDENT.move(work, row, IncidentStatus.TAKEN)
        _tell(work, row)
    return _public(work, row)


async def close(work: Work, incident_id: UUID, said: IncidentClose, if_match: int | None) -> IncidentPublic:
    """It is over, with what came of it; a repeat changes nothing. Raises ``NotFound``."""
    row = await repository.lock_incident(work, incident_id)
    if row.status is not IncidentStatus.CLOSED:
        expect_version(row, if_match)
        row.closed_by, row.closed_at, row.outcome = work.actor.account_id, work.now, said.outcome
        INCIDENT.move(work, row, IncidentStatus.CLOSED, said.outcome)
        _tell(work, row)
    return _public(work, row)


async def list_incidents(
    work: Work,
    limit: int,
    cursor: UUID | None,
    statuses: Sequence[IncidentStatus],
    visit_id: UUID | None = None,
) -> list[IncidentPublic]:
    """A page of the incidents in reach, newest first; leaves rows in the access log."""
    rows = await repository.incidents_page(work, limit, cursor, statuses, visit_id)
    await record_read(work, [row.resident_id for row in rows], "visit_incidents", ["kind", "words", "done"])
    return [_public(work, row) for row in rows]


async def tell_managers(work: Work, event: VisitIncidentMoved) -> None:
    """A severe incident is told to the centre's managers at once; the same one tells nobody twice."""
    severe = event.severity == IncidentSeverity.SEVERE.value
    if event.status != IncidentStatus.REPORTED.value or not severe or event.centre_id is None:
        return
    notice = Notice(
        key=f"incident:{event.incident_id}",
        template="visit_incident",
        area_code=event.area_code,
        centre_id=event.centre_id,
        parameters={"incident": event.kind},
        is_life_safety=True,
    )
    managers = await repository.managers_of(work, event.centre_id)
    people = [Recipient(account_id=account_id) for account_id in managers]
    await notify(work, notice, people, [Channel.APP, Channel.VOICE, Channel.SMS])


def _tell(work: Work, row: VisitIncident) -> None:
    work.record(
        VisitIncidentMoved(
            area_code=row.area_code,
            centre_id=row.centre_id,
            visit_id=row.visit_id,
            incident_id=row.id,
            kind=str(row.kind),
            severity=str(row.severity),
            status=str(row.status),
        )
    )


def _public(work: Work, row: VisitIncident) -> IncidentPublic:
    """Who supervises reads that there was one, not the words, which are often about health."""
    shown = IncidentPublic.model_validate(row)
    if work.actor.role in SUPERVISING_ROLES:
        return shown.model_copy(update={"words": "", "done": "", "outcome": None})
    return shown
