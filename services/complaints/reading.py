"""What each reader sees of a case: the household its own, the desk the whole file, a caregiver her part."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.audit.service import record_read
from services.complaints import repository
from services.complaints.models import (
    Complaint,
    ComplaintAboutMe,
    ComplaintPublic,
    ComplaintSummary,
    EntryPublic,
    Measure,
    PartyPublic,
    PartyRole,
)
from services.complaints.states import LIVE, ComplaintStatus
from services.core.actor import Role
from services.core.database import Work
from services.core.errors import Forbidden
from services.orders.rules import masked_name, name_for

_WHOLE_FILE = frozenset({Role.CENTRE_MANAGER, Role.COUNTY_OFFICER, Role.DISPATCHER})
_SEES_WORDS = _WHOLE_FILE | {Role.RESIDENT, Role.FAMILY, Role.CLINICIAN}
_PARTY_NAMES = {PartyRole.COMPLAINANT: "投诉人", PartyRole.CENTRE: "服务中心"}


async def get_complaint(work: Work, complaint_id: UUID) -> ComplaintPublic:
    """One case in reach; leaves a row in the access log. Raises ``NotFound``."""
    return await shown(work, complaint_id)


async def list_complaints(
    work: Work,
    limit: int,
    cursor: UUID | None,
    statuses: Sequence[ComplaintStatus],
    overdue: bool,
    resident_id: UUID | None,
) -> list[ComplaintSummary]:
    """Cases in reach, newest first; leaves rows in the access log."""
    rows = await repository.complaints_page(work, limit, cursor, statuses, overdue, resident_id)
    await record_read(work, [complaint.resident_id for complaint, _ in rows], "complaints", ["kind", "status"])
    return [_summary(work, complaint, name) for complaint, name in rows]


async def list_about_me(work: Work, limit: int, cursor: UUID | None) -> list[ComplaintAboutMe]:
    """The cases that concern the signed-in caregiver, newest first."""
    caregiver_id = work.actor.person_id
    if caregiver_id is None:
        raise Forbidden
    found = await repository.complaints_about(work, caregiver_id, limit, cursor)
    said = await repository.statements_of(work, [complaint.id for complaint in found], caregiver_id)
    return [
        ComplaintAboutMe(
            **complaint.model_dump(include=set(ComplaintAboutMe.model_fields) - {"number", "measures"}),
            number=spoken_number(complaint),
            measures=[Measure(measure) for measure in complaint.measures],
            my_statements=[entry.words for entry in said if entry.complaint_id == complaint.id],
            may_appeal_until=_may_appeal_until(complaint),
        )
        for complaint in found
    ]


async def shown(work: Work, complaint_id: UUID) -> ComplaintPublic:
    """The case after a verb, as the acting reader may see it; leaves a row in the access log."""
    await work.session.flush()
    complaint, name = await repository.complaint_row(work, complaint_id)
    whole = work.actor.role in _WHOLE_FILE
    words = work.actor.role in _SEES_WORDS
    entries = await repository.entries_of(work, complaint.id, with_internal=whole) if words else []
    parties = await repository.parties_of(work, complaint.id)
    await record_read(work, [complaint.resident_id], "complaint", ["words", "entries", "findings"])
    return ComplaintPublic(
        **_summary(work, complaint, name).model_dump(),
        words=complaint.words if words else "",
        parties=[
            PartyPublic(
                role=party.role,
                caregiver_id=party.caregiver_id,
                name=_PARTY_NAMES.get(party.role) or _name(whole, party.name),
            )
            for party in parties
        ],
        entries=[EntryPublic.model_validate(entry) for entry in entries],
        taken_at=complaint.taken_at,
        decided_at=complaint.decided_at,
        findings=complaint.findings if words else "",
        measures=[Measure(measure) for measure in complaint.measures],
        may_appeal_until=_may_appeal_until(complaint),
        appealed_at=complaint.appealed_at,
        appeal_words=complaint.appeal_words if words else "",
        first_outcome=complaint.first_outcome,
        first_findings=complaint.first_findings if words else "",
        ended_at=complaint.ended_at,
    )


def spoken_number(complaint: Complaint) -> str:
    """What people say on the phone."""
    return f"TS-{complaint.number or 0:06d}"


def _summary(work: Work, complaint: Complaint, name: str) -> ComplaintSummary:
    late = complaint.status in LIVE and complaint.status is not ComplaintStatus.DECIDED
    return ComplaintSummary(
        **complaint.model_dump(
            include=set(ComplaintSummary.model_fields) - {"number", "resident_name", "is_overdue"}
        ),
        number=spoken_number(complaint),
        resident_name=name_for(work.actor.role, name),
        is_overdue=late and complaint.due_at is not None and complaint.due_at < work.now,
    )


def _may_appeal_until(complaint: Complaint) -> datetime | None:
    return complaint.due_at if complaint.status is ComplaintStatus.DECIDED else None


def _name(whole: bool, name: str | None) -> str:
    if name is None:
        return ""
    return name if whole else masked_name(name)
