"""Telling people of a case: the manager of a new one, the county of a late one, whoever waits of the answer."""

from collections.abc import Sequence
from uuid import UUID

from services.complaints import repository
from services.complaints.models import Complaint
from services.complaints.states import ComplaintStatus
from services.core.actor import Role
from services.core.database import Work
from services.duty.service import on_duty
from services.notifications.models import Channel
from services.notifications.service import Notice, Recipient, notify

_TO_STAFF = {ComplaintStatus.RECEIVED: Role.CENTRE_MANAGER, ComplaintStatus.APPEALED: Role.COUNTY_OFFICER}
_TO_HOUSEHOLD = (ComplaintStatus.INVESTIGATING, ComplaintStatus.DECIDED, ComplaintStatus.CLOSED)


async def tell_of_step(work: Work, complaint_id: UUID, status: ComplaintStatus) -> None:
    """Whoever must act, and whoever waits, hears of a step once. For the handlers."""
    complaint, _ = await repository.complaint_row(work, complaint_id)
    role = _TO_STAFF.get(status)
    if role is not None:
        people = list(await on_duty(work, complaint.centre_id, role, work.now))
        if complaint.is_serious and role is not Role.COUNTY_OFFICER:
            people += await on_duty(work, complaint.centre_id, Role.COUNTY_OFFICER, work.now)
        await _notify(work, complaint, "complaint_staff", str(status), people)
    if status in _TO_HOUSEHOLD:
        await _notify(work, complaint, "complaint_party", str(status), [complaint.opened_by])


async def tell_overdue(work: Work, limit: int = 100) -> int:
    """The county hears of a case whose step is late, once a step. For the worker."""
    late = await repository.overdue_untold(work, limit)
    for complaint in late:
        people = [
            *await on_duty(work, complaint.centre_id, Role.CENTRE_MANAGER, work.now),
            *await on_duty(work, complaint.centre_id, Role.COUNTY_OFFICER, work.now),
        ]
        await _notify(work, complaint, "complaint_staff", "overdue", people, str(complaint.status))
        complaint.overdue_told_at = work.now
    return len(late)


async def _notify(
    work: Work, complaint: Complaint, template: str, step: str, people: Sequence[UUID], of_step: str = ""
) -> None:
    notice = Notice(
        key=f"complaint:{complaint.id}:{step}:{of_step}",
        template=template,
        area_code=complaint.area_code,
        centre_id=complaint.centre_id,
        parameters={"step": step, "complaint_id": str(complaint.id)},
        is_life_safety=False,
    )
    await notify(work, notice, [Recipient(account_id=person) for person in people], [Channel.APP])
