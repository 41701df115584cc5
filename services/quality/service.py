"""What residents say of the service."""

from uuid import UUID

from services.core.actor import Role
from services.core.database import Work
from services.core.errors import Forbidden
from services.events import OrderRated
from services.orders.repository import lock_order
from services.orders.states import OrderStatus
from services.quality import repository
from services.quality.errors import AlreadyRated, NotRateable
from services.quality.models import Rating, RatingCreate, RatingPublic


async def rate(work: Work, order_id: UUID, said: RatingCreate) -> RatingPublic:
    """Rate a completed order, once: the order's lock decides between two at the same time.

    Raises ``NotFound``, ``Forbidden`` for anybody but the household, ``NotRateable``, ``AlreadyRated``.
    """
    account_id = work.actor.account_id
    if work.actor.role not in (Role.RESIDENT, Role.FAMILY) or account_id is None:
        raise Forbidden
    order = await lock_order(work, order_id)
    if order.status is not OrderStatus.COMPLETED:
        raise NotRateable(current=str(order.status))
    if await repository.rating_of(work, order.id) is not None:
        raise AlreadyRated
    rating = Rating(
        order_id=order.id,
        resident_id=order.resident_id,
        centre_id=order.centre_id,
        area_code=order.area_code,
        score=said.score,
        words=said.words,
        rated_by=account_id,
        rated_at=work.now,
    )
    work.session.add(rating)
    work.record(
        OrderRated(area_code=order.area_code, centre_id=order.centre_id, order_id=order.id, score=said.score)
    )
    await work.session.flush()
    return RatingPublic.model_validate(rating)
