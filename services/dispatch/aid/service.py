"""Mutual aid with one order: a neighbouring centre sees it and may offer its own caregivers.

The centre in charge stays so. Suggesting and offering are the same verbs, which look at the helper's own
caregivers when a helper calls them.
"""

from typing import Final
from uuid import UUID

from services.centres.repository import centre_by_id
from services.centres.service import centre_in_reach
from services.core.areas import county_of
from services.core.database import Work
from services.core.geo import Point, distance_m
from services.dispatch.acts import ActKind, write_act
from services.dispatch.aid import repository
from services.dispatch.aid.models import AidAsk, AidedOrder, AidedOrders, AidPublic
from services.dispatch.errors import NeighbourInvalid, NoNeighbour, OrderNotOpen
from services.dispatch.needs import OPEN
from services.dispatch.policies.service import neighbours
from services.events import OrderAidEnded, OrderAidRequested
from services.orders.models import Order
from services.orders.repository import lock_order

SHOWN: Final = 200
_COARSE_M: Final = 500


async def ask_aid(work: Work, order_id: UUID, wish: AidAsk) -> AidPublic:
    """The centre in charge asks a neighbour by hand; asking twice changes nothing.

    Raises ``NotFound``, ``OrderNotOpen``, ``NeighbourInvalid``, ``NoNeighbour`` when nobody is left to ask.
    """
    order = await lock_order(work, order_id)
    if order.status not in OPEN:
        raise OrderNotOpen(current=str(order.status))
    helper_id = wish.centre_id
    if helper_id is None:
        helper_id = await next_neighbour(work, order)
        if helper_id is None:
            raise NoNeighbour
    else:
        helper = await centre_by_id(work, helper_id)
        if helper is None or helper.id == order.centre_id:
            raise NeighbourInvalid(field="centre_id", reason="unknown" if helper is None else "itself")
        if county_of(helper.area_code) != county_of(order.area_code):
            raise NeighbourInvalid(field="centre_id", reason="another_county")
    await open_to(work, order, helper_id)
    found = await repository.grants_of(work, order.id)
    return AidPublic.model_validate(next(one for one in found if one.centre_id == helper_id))


async def next_neighbour(work: Work, order: Order) -> UUID | None:
    """The first neighbour of the order's centre that does not see the order."""
    centre = await centre_by_id(work, order.centre_id)
    if centre is None:
        return None
    asked = {grant.centre_id for grant in await repository.grants_of(work, order.id) if grant.ended_at is None}
    found, _ = await neighbours(work, centre)
    return next((one for one in found if one not in asked), None)


async def open_to(work: Work, order: Order, centre_id: UUID) -> bool:
    """Open a locked order to a centre; its screens are told. ``False`` when it is open to it already."""
    if not await repository.grant(work, order, centre_id):
        return False
    write_act(work, order, ActKind.NEIGHBOUR_ASKED, {"centre_id": str(centre_id)})
    work.record(
        OrderAidRequested(
            area_code=order.area_code,
            centre_id=centre_id,
            order_id=order.id,
            from_centre_id=order.centre_id,
            is_urgent=order.is_urgent,
        )
    )
    return True


async def end_aid_of_the_past(work: Work, limit: int = 50) -> int:
    """What is over is open to no helper any more. For the worker."""
    over = await repository.take_over(work, limit)
    for order in over:
        for centre_id in await repository.close(work, order.id):
            work.record(OrderAidEnded(area_code=order.area_code, centre_id=centre_id, order_id=order.id))
    return len(over)


async def list_aided(work: Work, centre_id: UUID) -> AidedOrders:
    """What a centre was asked to help with: nothing of the resident, and the place only roughly."""
    centre = await centre_in_reach(work, centre_id)
    items = []
    for row in await repository.aided_orders(work, centre.id, SHOWN):
        facts = dict(row)
        here = Point(facts.pop("here_latitude"), facts.pop("here_longitude"))
        metres = distance_m(here, Point(facts.pop("latitude"), facts.pop("longitude")))
        items.append(AidedOrder(**facts, distance_m=round(metres / _COARSE_M) * _COARSE_M))
    return AidedOrders(items=items)
