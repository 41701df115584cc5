"""The incidents' SQL."""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import col, select

from services.core.actor import Role
from services.core.database import Work
from services.core.errors import NotFound
from services.core.scope import within
from services.identity.models import Account
from services.visits.incidents.models import VisitIncident
from services.visits.incidents.states import IncidentStatus


async def lock_incident(work: Work, incident_id: UUID) -> VisitIncident:
    """One incident in reach, locked. Raises ``NotFound``."""
    statement = (
        select(VisitIncident)
        .where(
            VisitIncident.id == incident_id,
            *within(work.actor, VisitIncident.area_code, VisitIncident.resident_id),
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    found = (await work.session.exec(statement)).one_or_none()
    if found is None:
        raise NotFound
    return found


async def incidents_page(
    work: Work, limit: int, cursor: UUID | None, statuses: Sequence[IncidentStatus], visit_id: UUID | None
) -> Sequence[VisitIncident]:
    """Incidents in reach, newest first."""
    statement = (
        select(VisitIncident)
        .where(*within(work.actor, VisitIncident.area_code, VisitIncident.resident_id))
        .order_by(col(VisitIncident.id).desc())
        .limit(limit)
    )
    if work.actor.role is Role.CAREGIVER:
        statement = statement.where(VisitIncident.caregiver_id == work.actor.person_id)
    elif work.actor.centre_id is not None:
        statement = statement.where(VisitIncident.centre_id == work.actor.centre_id)
    if statuses:
        statement = statement.where(col(VisitIncident.status).in_(statuses))
    if visit_id is not None:
        statement = statement.where(VisitIncident.visit_id == visit_id)
    if cursor is not None:
        statement = statement.where(col(VisitIncident.id) < cursor)
    return (await work.session.exec(statement)).all()


async def managers_of(work: Work, centre_id: UUID) -> Sequence[UUID]:
    """The accounts of a centre's managers, and of nobody who cannot sign in."""
    statement = select(Account.id).where(
        Account.centre_id == centre_id,
        Account.role == Role.CENTRE_MANAGER,
        col(Account.disabled_at).is_(None),
    )
    return (await work.session.exec(statement.order_by(col(Account.id)))).all()
