"""Changing an order that people may be thinking about: offers for the old times are taken back with it."""

from uuid import UUID

from services.core.database import Work
from services.dispatch import repository
from services.dispatch.booking import answer, back_on_the_board
from services.dispatch.states import OfferStatus
from services.orders import service as orders
from services.orders.errors import TakenAlready
from services.orders.models import Order
from services.orders.repository import lock_order
from services.orders.wishes import RescheduleRequest, WishesChange


async def reschedule_order(work: Work, order_id: UUID, wish: RescheduleRequest, if_match: int | None) -> None:
    """Give an order other windows; whoever was asked for the old ones is asked no longer.

    A repeat changes nothing. Raises ``NotFound``, ``MayNotOrder``, ``TakenAlready`` once somebody has it or a part
    of it (release first), ``NotChangeable``, ``WindowInvalid``.
    """
    order = await _lock_untaken(work, order_id)
    if await orders.reschedule(work, order, wish, if_match):
        await _withdraw(work, order, "order_rescheduled")


async def change_order_wishes(work: Work, order_id: UUID, change: WishesChange, if_match: int | None) -> None:
    """Change who should come and what they should know. Note and access may change until they are on the way.

    Raises ``NotFound``, ``MayNotOrder``, ``TakenAlready``, ``NotChangeable``, ``GenderMissing``,
    ``CaregiverUnknown``.
    """
    if not change.who_changes():
        order = await lock_order(work, order_id)
        await orders.require_may_order(work, order.resident_id)
        await orders.change_wishes(work, order, change, if_match)
        return
    order = await _lock_untaken(work, order_id)
    if await orders.change_wishes(work, order, change, if_match):
        await _withdraw(work, order, "wishes_changed")


async def _lock_untaken(work: Work, order_id: UUID) -> Order:
    """The order, locked, while nobody has a place in it."""
    order = await lock_order(work, order_id)
    await orders.require_may_order(work, order.resident_id)
    orders.require_open(order)
    if await repository.active_bookings(work, order.id):
        raise TakenAlready(current=str(order.status))
    return order


async def _withdraw(work: Work, order: Order, why: str) -> None:
    also = await repository.helping(work, order.id)
    for offer in await repository.pending_offers(work, order.id):
        answer(work, offer, OfferStatus.WITHDRAWN, why, also)
    await work.session.flush()
    await back_on_the_board(work, order)
    await work.session.flush()
