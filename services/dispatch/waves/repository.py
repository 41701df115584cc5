"""SQL of rounds. The order's lock comes before the round's, as everywhere."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Uuid, bindparam, text
from sqlmodel import col, select

from services.core.columns import UtcDateTime
from services.core.database import Work
from services.dispatch.acts import DispatchAct
from services.dispatch.models import Booking, Offer
from services.dispatch.states import DeclineCode, OfferStatus
from services.dispatch.waves.models import DispatchRound
from services.dispatch.waves.states import RoundStatus
from services.orders.models import Order

_DUE = text(
    "SELECT r.id, r.order_id FROM dispatch_round r JOIN service_order o ON o.id = r.order_id"
    " WHERE r.status = 'running' AND r.next_at <= :now ORDER BY o.is_urgent DESC, r.next_at, r.id"
    " LIMIT 1 FOR UPDATE OF o SKIP LOCKED"
).bindparams(bindparam("now", type_=UtcDateTime()))
_HOLD = text(
    "UPDATE dispatch_round SET failed_at = :now, failed_with = :why, next_at = :next WHERE id = :id"
).bindparams(
    bindparam("now", type_=UtcDateTime()), bindparam("next", type_=UtcDateTime()), bindparam("id", type_=Uuid())
)


async def take_due(work: Work) -> tuple[DispatchRound, Order] | None:
    """The most pressing round that is due, with its order, both locked; what somebody is busy with waits."""
    row = (await work.sql(_DUE, {"now": work.now})).one_or_none()
    if row is None:
        return None
    running = await lock_round(work, row[0])
    order = (await work.session.exec(select(Order).where(Order.id == row[1]))).one()
    if running is None or running.status is not RoundStatus.RUNNING:
        return None
    return running, order


async def lock_round(work: Work, round_id: UUID) -> DispatchRound | None:
    """One round, locked and read anew. Its order is locked already."""
    statement = (
        select(DispatchRound)
        .where(DispatchRound.id == round_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return (await work.session.exec(statement)).one_or_none()


async def running_round(work: Work, order_id: UUID) -> DispatchRound | None:
    """The round of a locked order that runs, locked."""
    statement = (
        select(DispatchRound)
        .where(DispatchRound.order_id == order_id, DispatchRound.status == RoundStatus.RUNNING)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return (await work.session.exec(statement)).one_or_none()


async def rounds_of(work: Work, order_id: UUID) -> Sequence[DispatchRound]:
    """Every round of an order in reach, oldest first."""
    statement = select(DispatchRound).where(DispatchRound.order_id == order_id).order_by(col(DispatchRound.id))
    return (await work.session.exec(statement)).all()


async def acts_of(work: Work, order_id: UUID, limit: int) -> Sequence[DispatchAct]:
    """What dispatch did with an order in reach, oldest first."""
    statement = (
        select(DispatchAct).where(DispatchAct.order_id == order_id).order_by(col(DispatchAct.id)).limit(limit)
    )
    return (await work.session.exec(statement)).all()


async def spoken_for(work: Work, order_id: UUID, round_id: UUID) -> frozenset[UUID]:
    """Who is not asked again: asked in this round, said no for a reason of her own before, or was taken off."""
    said_no = (col(Offer.status) == OfferStatus.DECLINED) & (col(Offer.decline_code) != DeclineCode.NO_TIME)
    asked = select(Offer.caregiver_id).where(
        Offer.order_id == order_id, (col(Offer.round_id) == round_id) | said_no
    )
    gone = select(Booking.caregiver_id).where(Booking.order_id == order_id, col(Booking.is_active).is_(False))
    return frozenset([*(await work.session.exec(asked)).all(), *(await work.session.exec(gone)).all()])


async def hold(work: Work, round_id: UUID, why: str, pause: timedelta) -> None:
    """A round that failed is left alone for a moment; it is tried again."""
    await work.sql(_HOLD, {"now": work.now, "why": why, "next": work.now + pause, "id": round_id})


def latest_end(offers: Sequence[Offer], otherwise: datetime) -> datetime:
    """When the last pending offer has run out."""
    return max((offer.expires_at for offer in offers), default=otherwise)
