"""Fixing a visit, so that no plan moves it; and letting it go again."""

from uuid import UUID

from services.core.database import Work
from services.core.errors import Forbidden
from services.dispatch.day_plans import repository
from services.dispatch.day_plans.errors import NotPinnable
from services.dispatch.day_plans.models import BookingPin
from services.dispatch.day_plans.views import PinPublic, PinRequest
from services.orders.repository import lock_order
from services.visits.models import Visit
from services.visits.repository import lock_visit, order_of
from services.visits.states import VisitStatus


async def pin_visit(work: Work, visit_id: UUID, wish: PinRequest) -> PinPublic:
    """Fix a visit that is still to come; a repeat keeps the first reason. Raises ``NotFound``, ``NotPinnable``."""
    visit = await _lock(work, visit_id)
    if visit.status is not VisitStatus.SCHEDULED:
        raise NotPinnable(current=str(visit.status))
    if work.actor.account_id is None:
        raise Forbidden
    pin = await repository.live_pin(work, visit.booking_id)
    if pin is None:
        pin = BookingPin(
            booking_id=visit.booking_id,
            visit_id=visit.id,
            resident_id=visit.resident_id,
            area_code=visit.area_code,
            reason=wish.reason,
            pinned_by=work.actor.account_id,
            pinned_at=work.now,
        )
        work.session.add(pin)
        await work.session.flush()
    return PinPublic(visit_id=visit.id, is_pinned=True, reason=pin.reason, pinned_at=pin.pinned_at)


async def unpin_visit(work: Work, visit_id: UUID, wish: PinRequest) -> PinPublic:
    """Let a visit go; without a pin nothing changes. Raises ``NotFound``."""
    visit = await _lock(work, visit_id)
    pin = await repository.live_pin(work, visit.booking_id)
    if pin is not None:
        pin.removed_by, pin.removed_at, pin.removed_reason = work.actor.account_id, work.now, wish.reason
        await work.session.flush()
    return PinPublic(visit_id=visit.id, is_pinned=False, reason=None, pinned_at=None)


async def _lock(work: Work, visit_id: UUID) -> Visit:
    """The order first, like everything that changes what becomes of a visit."""
    await lock_order(work, await order_of(work, visit_id))
    return await lock_visit(work, visit_id)
