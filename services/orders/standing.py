"""Who may order, cancel and change for a resident."""

from uuid import UUID

from services.core.actor import Role
from services.core.database import Work
from services.orders import repository
from services.orders.errors import MayNotOrder
from services.orders.models import Channel


async def require_may_order(work: Work, resident_id: UUID) -> None:
    """A resident orders and cancels for herself, family with a running consent, staff inside their area."""
    actor = work.actor
    if actor.role is Role.RESIDENT and actor.person_id != resident_id:
        raise MayNotOrder
    if actor.role is Role.FAMILY and not await repository.may_order_for(work, resident_id):
        raise MayNotOrder


async def require_still_may_order(work: Work, resident_id: UUID, account_id: UUID, channel: Channel) -> None:
    """The same for somebody in whose name the platform orders later: the family's consent must still run."""
    if channel is Channel.FAMILY and not await repository.may_order_for(work, resident_id, account_id):
        raise MayNotOrder
