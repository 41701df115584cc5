"""The ratings' SQL, always inside the actor's walls."""

from uuid import UUID

from sqlmodel import select

from services.core.database import Work
from services.core.scope import within
from services.quality.models import Rating


async def rating_of(work: Work, order_id: UUID) -> Rating | None:
    """The rating of an order, when there is one in reach."""
    statement = select(Rating).where(
        Rating.order_id == order_id, *within(work.actor, Rating.area_code, Rating.resident_id)
    )
    return (await work.session.exec(statement)).one_or_none()
