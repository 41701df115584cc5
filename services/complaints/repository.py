"""The SQL of complaints, always inside the actor's walls."""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select as select_columns
from sqlmodel import col, select

from services.caregivers.models import Caregiver
from services.complaints.models import Complaint, ComplaintEntry, ComplaintParty, PartyRole
from services.complaints.states import LIVE, ComplaintStatus
from services.core.database import Work
from services.core.errors import NotFound
from services.core.scope import within
from services.residents.models import Resident


def _reach(work: Work) -> list[Any]:
    return within(work.actor, Complaint.area_code, Complaint.resident_id)


async def lock_complaint(work: Work, complaint_id: UUID) -> Complaint:
    """A case in reach, locked and read anew; raises ``NotFound``."""
    statement = (
        select(Complaint)
        .where(Complaint.id == complaint_id, *_reach(work))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    found = (await work.session.exec(statement)).one_or_none()
    if found is None:
        raise NotFound
    return found


async def complaint_row(work: Work, complaint_id: UUID) -> tuple[Complaint, str]:
    """A case in reach with the resident's name; raises ``NotFound``."""
    statement = (
        select(Complaint, Resident.name)
        .join(Resident, col(Resident.id) == col(Complaint.resident_id))
        .where(Complaint.id == complaint_id, *_reach(work))
    )
    found = (await work.session.exec(statement)).one_or_none()
    if found is None:
        raise NotFound
    return found[0], found[1]


async def complaints_page(
    work: Work,
    limit: int,
    cursor: UUID | None,
    statuses: Sequence[ComplaintStatus],
    overdue: bool,
    resident_id: UUID | None,
) -> list[tuple[Complaint, str]]:
    """Cases in reach with the residents' names, newest first."""
    statement = (
        select(Complaint, Resident.name)
        .join(Resident, col(Resident.id) == col(Complaint.resident_id))
        .where(*_reach(work))
        .order_by(col(Complaint.id).desc())
        .limit(limit)
    )
    if work.actor.centre_id is not None:
        statement = statement.where(Complaint.centre_id == work.actor.centre_id)
    if statuses:
        statement = statement.where(col(Complaint.status).in_(statuses))
    if overdue:
        statement = statement.where(col(Complaint.status).in_(LIVE), col(Complaint.due_at) < work.now)
    if resident_id is not None:
        statement = statement.where(Complaint.resident_id == resident_id)
    if cursor is not None:
        statement = statement.where(col(Complaint.id) < cursor)
    return [(complaint, name) for complaint, name in (await work.session.exec(statement)).all()]


class PartyRow(NamedTuple):
    """A party; ``name`` where it is a caregiver."""

    role: PartyRole
    caregiver_id: UUID | None
    name: str | None


async def parties_of(work: Work, complaint_id: UUID) -> list[PartyRow]:
    """The parties of a case, with caregivers' names."""
    statement = (
        select_columns(col(ComplaintParty.role), col(ComplaintParty.caregiver_id), col(Caregiver.name))
        .outerjoin(Caregiver, col(Caregiver.id) == col(ComplaintParty.caregiver_id))
        .where(col(ComplaintParty.complaint_id) == complaint_id)
        .order_by(col(ComplaintParty.id))
    )
    return [PartyRow(*row) for row in (await work.sql(statement)).all()]


async def entries_of(work: Work, complaint_id: UUID, with_internal: bool) -> Sequence[ComplaintEntry]:
    """The file of a case, oldest first."""
    statement = (
        select(ComplaintEntry).where(ComplaintEntry.complaint_id == complaint_id).order_by(col(ComplaintEntry.id))
    )
    if not with_internal:
        statement = statement.where(col(ComplaintEntry.is_internal).is_(False))
    return (await work.session.exec(statement)).all()


async def statements_of(
    work: Work, complaint_ids: Collection[UUID], caregiver_id: UUID
) -> Sequence[ComplaintEntry]:
    """What one caregiver has said in some cases, oldest first."""
    statement = (
        select(ComplaintEntry)
        .where(
            col(ComplaintEntry.complaint_id).in_(complaint_ids),
            ComplaintEntry.caregiver_id == caregiver_id,
            col(ComplaintEntry.written_by).is_not(None),
        )
        .order_by(col(ComplaintEntry.id))
    )
    return (await work.session.exec(statement)).all()


async def is_party(work: Work, complaint_id: UUID, caregiver_id: UUID) -> bool:
    """Whether a case concerns a caregiver."""
    statement = select(ComplaintParty.id).where(
        ComplaintParty.complaint_id == complaint_id, ComplaintParty.caregiver_id == caregiver_id
    )
    return (await work.session.exec(statement.limit(1))).first() is not None


async def complaints_about(work: Work, caregiver_id: UUID, limit: int, cursor: UUID | None) -> Sequence[Complaint]:
    """The cases that concern a caregiver, newest first."""
    statement = (
        select(Complaint)
        .join(ComplaintParty, col(ComplaintParty.complaint_id) == col(Complaint.id))
        .where(ComplaintParty.caregiver_id == caregiver_id, *_reach(work))
        .order_by(col(Complaint.id).desc())
        .limit(limit)
    )
    if cursor is not None:
        statement = statement.where(col(Complaint.id) < cursor)
    return (await work.session.exec(statement)).all()


async def overdue_untold(work: Work, limit: int) -> Sequence[Complaint]:
    """Live cases whose step is late and of which nobody has been told, locked."""
    statement = (
        select(Complaint)
        .where(
            col(Complaint.status).in_(
                (ComplaintStatus.RECEIVED, ComplaintStatus.INVESTIGATING, ComplaintStatus.APPEALED)
            ),
            col(Complaint.due_at) < work.now,
            col(Complaint.overdue_told_at).is_(None),
        )
        .order_by(col(Complaint.due_at))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return (await work.session.exec(statement)).all()


async def past_appeal(work: Work, limit: int) -> Sequence[Complaint]:
    """Decided cases whose time for an appeal has passed, locked."""
    statement = (
        select(Complaint)
        .where(Complaint.status == ComplaintStatus.DECIDED, col(Complaint.due_at) < work.now)
        .order_by(col(Complaint.due_at))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return (await work.session.exec(statement)).all()
