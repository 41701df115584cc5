"""A call back and a complaint of an order, for the tests that walk every route."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from services.complaints.models import Complaint, ComplaintKind, ComplaintParty, PartyRole
from services.complaints.states import ComplaintStatus
from services.core.database import Work
from services.orders.models import Order
from services.quality.models import Callback, CallbackReason
from services.quality.states import CallbackStatus


@dataclass(frozen=True, slots=True)
class Voices:
    """Their keys."""

    callback_id: UUID
    complaint_id: UUID


async def add_voices(work: Work, order: Order, account_id: UUID, caregiver_id: UUID) -> Voices:
    """Both are about the stored order; the complaint waits to be taken."""
    callback = Callback(
        order_id=order.id,
        resident_id=order.resident_id,
        centre_id=order.centre_id,
        area_code=order.area_code,
        reason=CallbackReason.SAMPLE,
        status=CallbackStatus.DUE,
        created_at=work.now,
        due_by=work.now + timedelta(days=7),
    )
    complaint = Complaint(
        resident_id=order.resident_id,
        order_id=order.id,
        centre_id=order.centre_id,
        area_code=order.area_code,
        kind=ComplaintKind.LATE,
        is_serious=False,
        words="来晚了",
        status=ComplaintStatus.RECEIVED,
        opened_by=account_id,
        opened_role="resident",
        opened_at=work.now,
        due_at=work.now + timedelta(days=1),
    )
    work.session.add_all((callback, complaint))
    await work.session.flush()
    work.session.add(
        ComplaintParty(
            complaint_id=complaint.id,
            resident_id=order.resident_id,
            area_code=order.area_code,
            role=PartyRole.CAREGIVER,
            caregiver_id=caregiver_id,
        )
    )
    return Voices(callback.id, complaint.id)
