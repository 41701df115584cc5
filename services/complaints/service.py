"""The verbs of complaints: open, take, write down, decide, appeal, decide finally, take back."""

from uuid import UUID

from services.centres.service import centre_in_charge
from services.complaints import repository
from services.complaints.deadlines import deadlines
from services.complaints.errors import AppealTooLate, ComplaintClosed, NotAParty, NotTheirOrder, SameJudge
from services.complaints.models import (
    AppealCreate,
    Complaint,
    ComplaintCreate,
    ComplaintEntry,
    ComplaintParty,
    ComplaintPublic,
    Decision,
    EntryCreate,
    EntryKind,
    PartyRole,
    StatementCreate,
    WithdrawRequest,
)
from services.complaints.reading import shown
from services.complaints.states import COMPLAINT, ComplaintStatus
from services.core.actor import Role
from services.core.database import Work
from services.core.errors import Forbidden, NotFound
from services.core.versions import expect_version
from services.events import ComplaintMoved
from services.orders.repository import order_in_reach, resident_in_reach
from services.orders.service import require_may_order
from services.visits.repository import visits_of_order

_JUDGES = frozenset({Role.CENTRE_MANAGER, Role.COUNTY_OFFICER})
_HOUSEHOLD = frozenset({Role.RESIDENT, Role.FAMILY})


async def open_complaint(work: Work, said: ComplaintCreate) -> ComplaintPublic:
    """Open a case in the resident's words. The caregivers of the order's visits are parties, so is the centre.

    Raises ``NotFound`` out of reach, ``MayNotOrder`` for family without a running consent, ``NotTheirOrder``.
    """
    if work.actor.account_id is None:
        raise Forbidden
    resident = await resident_in_reach(work, said.resident_id)
    await require_may_order(work, resident.id)
    rules = deadlines()
    caregivers: list[UUID] = []
    if said.order_id is None:
        centre_id = (await centre_in_charge(work, resident.area_code)).id
    else:
        order = await order_in_reach(work, said.order_id)
        if order.resident_id != resident.id:
            raise NotTheirOrder(field="order_id")
        centre_id = order.centre_id
        visits = await visits_of_order(work, order.id)
        caregivers = list(dict.fromkeys(visit.caregiver_id for visit in visits))
    complaint = Complaint(
        resident_id=resident.id,
        order_id=said.order_id,
        centre_id=centre_id,
        area_code=resident.area_code,
        kind=said.kind,
        is_serious=rules.is_serious(said.kind),
        words=said.words,
        status=ComplaintStatus.RECEIVED,
        opened_by=work.actor.account_id,
        opened_role=str(work.actor.role),
        opened_at=work.now,
        due_at=work.now + rules.take,
    )
    work.session.add(complaint)
    COMPLAINT.begin(work, complaint)
    await work.session.flush()
    _add_party(work, complaint, PartyRole.COMPLAINANT, None)
    _add_party(work, complaint, PartyRole.CENTRE, None)
    for caregiver_id in caregivers:
        _add_party(work, complaint, PartyRole.CAREGIVER, caregiver_id)
    _tell(work, complaint)
    return await shown(work, complaint.id)


async def take(work: Work, complaint_id: UUID, if_match: int | None) -> ComplaintPublic:
    """Somebody investigates, by name. Taking it over from a colleague is a new line; a repeat changes nothing.

    Raises ``ComplaintClosed``.
    """
    complaint = await repository.lock_complaint(work, complaint_id)
    if complaint.status is ComplaintStatus.INVESTIGATING and complaint.handled_by == work.actor.account_id:
        return await shown(work, complaint_id)
    expect_version(complaint, if_match)
    if complaint.status is ComplaintStatus.INVESTIGATING:
        _write(work, complaint, EntryKind.NOTE, "换人处理 / taken over", is_internal=True)
        complaint.version += 1
    else:
        _require(complaint, ComplaintStatus.INVESTIGATING)
        COMPLAINT.move(work, complaint, ComplaintStatus.INVESTIGATING)
        complaint.due_at = deadlines().decide_by(complaint.opened_at, is_serious=complaint.is_serious)
        complaint.overdue_told_at = None
        complaint.taken_at = work.now
        _tell(work, complaint)
    complaint.handled_by = work.actor.account_id
    return await shown(work, complaint_id)


async def write_entry(work: Work, complaint_id: UUID, said: EntryCreate) -> ComplaintPublic:
    """A line for the file: a call, evidence, a note, or what a party said to us. Raises ``ComplaintClosed``."""
    complaint = await repository.lock_complaint(work, complaint_id)
    _require_open(complaint)
    if said.caregiver_id is not None and not await repository.is_party(work, complaint.id, said.caregiver_id):
        raise NotAParty
    work.session.add(
        ComplaintEntry(
            complaint_id=complaint.id,
            resident_id=complaint.resident_id,
            area_code=complaint.area_code,
            kind=said.kind,
            party=said.party,
            caregiver_id=said.caregiver_id,
            is_internal=said.is_internal,
            words=said.words,
            written_by=work.actor.account_id,
            at=work.now,
        )
    )
    return await shown(work, complaint_id)


async def state(work: Work, complaint_id: UUID, said: StatementCreate) -> None:
    """A caregiver whom the case concerns says her side. Raises ``NotFound``, ``ComplaintClosed``."""
    complaint = await _lock_as_party(work, complaint_id)
    _require_open(complaint)
    _write(work, complaint, EntryKind.STATEMENT, said.words, is_internal=False, by_caregiver=True)
    await work.session.flush()


async def decide(work: Work, complaint_id: UUID, said: Decision, if_match: int | None) -> ComplaintPublic:
    """The finding. Of an appeal it is the last one, given by the county and by somebody else than the first.

    Raises ``ComplaintClosed`` where nothing waits for a decision, ``Forbidden``, ``SameJudge``.
    """
    complaint = await repository.lock_complaint(work, complaint_id)
    expect_version(complaint, if_match)
    if work.actor.role not in _JUDGES:
        raise Forbidden
    if complaint.status is ComplaintStatus.APPEALED:
        if work.actor.role is not Role.COUNTY_OFFICER:
            raise Forbidden
        if complaint.decided_by == work.actor.account_id:
            raise SameJudge
        complaint.first_outcome, complaint.first_findings = complaint.outcome, complaint.findings
        _find(work, complaint, said)
        _close(work, complaint, "appeal_decided")
    else:
        _require(complaint, ComplaintStatus.DECIDED)
        _find(work, complaint, said)
        COMPLAINT.move(work, complaint, ComplaintStatus.DECIDED)
        complaint.due_at = work.now + deadlines().appeal
    complaint.overdue_told_at = None
    _tell(work, complaint)
    return await shown(work, complaint_id)


async def appeal(work: Work, complaint_id: UUID, said: AppealCreate, if_match: int | None) -> ComplaintPublic:
    """The household does not agree; the county looks again. A repeat changes nothing.

    Raises ``AppealTooLate``, ``ComplaintClosed``.
    """
    complaint = await repository.lock_complaint(work, complaint_id)
    await require_may_order(work, complaint.resident_id)
    if complaint.status is ComplaintStatus.APPEALED and complaint.appeal_by == work.actor.account_id:
        return await shown(work, complaint_id)
    _appeal(work, complaint, said.words, if_match)
    return await shown(work, complaint_id)


async def appeal_as_caregiver(work: Work, complaint_id: UUID, said: AppealCreate) -> None:
    """A caregiver whom the finding concerns does not agree. Raises ``NotFound`` and what ``appeal`` raises."""
    complaint = await _lock_as_party(work, complaint_id)
    if complaint.status is ComplaintStatus.APPEALED and complaint.appeal_by == work.actor.account_id:
        return
    _appeal(work, complaint, said.words, None)
    await work.session.flush()


async def withdraw(work: Work, complaint_id: UUID, said: WithdrawRequest, if_match: int | None) -> ComplaintPublic:
    """The household takes it back, before it is decided. A repeat changes nothing; ``ComplaintClosed`` later."""
    complaint = await repository.lock_complaint(work, complaint_id)
    await require_may_order(work, complaint.resident_id)
    if complaint.status is not ComplaintStatus.WITHDRAWN:
        expect_version(complaint, if_match)
        _require(complaint, ComplaintStatus.WITHDRAWN)
        _write(work, complaint, EntryKind.NOTE, said.reason, is_internal=False)
        COMPLAINT.move(work, complaint, ComplaintStatus.WITHDRAWN)
        complaint.due_at, complaint.ended_at = None, work.now
        _tell(work, complaint)
    return await shown(work, complaint_id)


async def close_past_appeal(work: Work, limit: int = 200) -> int:
    """Decided cases that nobody has appealed in time are over. For the worker."""
    due = await repository.past_appeal(work, limit)
    for complaint in due:
        _close(work, complaint, "not_appealed")
        _tell(work, complaint)
    return len(due)


def _appeal(work: Work, complaint: Complaint, words: str, if_match: int | None) -> None:
    expect_version(complaint, if_match)
    _require(complaint, ComplaintStatus.APPEALED)
    if complaint.due_at is not None and complaint.due_at < work.now:
        raise AppealTooLate(until=complaint.due_at.isoformat())
    COMPLAINT.move(work, complaint, ComplaintStatus.APPEALED)
    complaint.appeal_by, complaint.appeal_words = work.actor.account_id, words
    complaint.appealed_at = work.now
    complaint.due_at = work.now + deadlines().decide_appeal
    _tell(work, complaint)


async def _lock_as_party(work: Work, complaint_id: UUID) -> Complaint:
    complaint = await repository.lock_complaint(work, complaint_id)
    caregiver_id = work.actor.person_id
    if caregiver_id is None or not await repository.is_party(work, complaint.id, caregiver_id):
        raise NotFound
    return complaint


def _find(work: Work, complaint: Complaint, said: Decision) -> None:
    complaint.outcome, complaint.findings = said.outcome, said.findings
    complaint.measures = [str(measure) for measure in dict.fromkeys(said.measures)]
    complaint.decided_by, complaint.decided_at = work.actor.account_id, work.now


def _close(work: Work, complaint: Complaint, reason: str) -> None:
    COMPLAINT.move(work, complaint, ComplaintStatus.CLOSED, reason)
    complaint.due_at, complaint.ended_at = None, work.now


def _require(complaint: Complaint, target: ComplaintStatus) -> None:
    if not COMPLAINT.allows(complaint.status, target):
        raise ComplaintClosed(current=str(complaint.status))


def _require_open(complaint: Complaint) -> None:
    if complaint.status in (ComplaintStatus.CLOSED, ComplaintStatus.WITHDRAWN):
        raise ComplaintClosed(current=str(complaint.status))


def _add_party(work: Work, complaint: Complaint, role: PartyRole, caregiver_id: UUID | None) -> None:
    work.session.add(
        ComplaintParty(
            complaint_id=complaint.id,
            resident_id=complaint.resident_id,
            area_code=complaint.area_code,
            role=role,
            caregiver_id=caregiver_id,
        )
    )


def _write(
    work: Work,
    complaint: Complaint,
    kind: EntryKind,
    words: str,
    *,
    is_internal: bool,
    by_caregiver: bool = False,
) -> None:
    party = PartyRole.CAREGIVER if by_caregiver else None
    if work.actor.role in _HOUSEHOLD:
        party = PartyRole.COMPLAINANT
    work.session.add(
        ComplaintEntry(
            complaint_id=complaint.id,
            resident_id=complaint.resident_id,
            area_code=complaint.area_code,
            kind=kind,
            party=party,
            caregiver_id=work.actor.person_id if by_caregiver else None,
            is_internal=is_internal,
            words=words,
            written_by=work.actor.account_id,
            at=work.now,
        )
    )


def _tell(work: Work, complaint: Complaint) -> None:
    work.record(
        ComplaintMoved(
            area_code=complaint.area_code,
            centre_id=complaint.centre_id,
            complaint_id=complaint.id,
            status=str(complaint.status),
        )
    )
