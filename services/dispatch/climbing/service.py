"""An order that nobody took in time is shown further away: to neighbouring centres, one after another, then to the
county. The limits are the policy's, frozen when the order begins to wait. The centre in charge stays so.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog

from services.core.actor import SYSTEM
from services.core.database import Database, Work
from services.dispatch.acts import ActKind, write_act
from services.dispatch.aid.service import next_neighbour, open_to
from services.dispatch.climbing import repository
from services.dispatch.climbing.models import ClimbLevel, OrderClimb, UntakenOrder
from services.dispatch.climbing.rules import is_for_the_county, next_step, waits_since
from services.dispatch.needs import OPEN
from services.dispatch.policies.models import ClimbLimits
from services.dispatch.policies.service import policy_for
from services.dispatch.repository import helping
from services.events import OrderUntaken
from services.orders.models import Order
from services.orders.service import lines_of

log = structlog.get_logger("dispatch")

_HOLD: Final = timedelta(seconds=15)


async def watch_untaken(work: Work, limit: int = 200) -> int:
    """Begin to watch every order that looks for somebody, and stop where somebody was found. For the worker.

    Asked of the orders themselves, so that no order is missed whatever happened to an event.
    """
    await repository.end_climbs(work)
    orders = await repository.take_unwatched(work, limit)
    for order in orders:
        await _watch(work, order)
    return len(orders)


async def climb_one(database: Database) -> bool:
    """Do what is due for one order, in a transaction of its own; ``False`` when nothing is. For the worker."""
    async with database.unit_of_work(SYSTEM) as work:
        taken = await repository.take_due(work)
        if taken is None:
            return False
        climb, order = taken
        order_id = order.id
        try:
            async with work.session.begin_nested():
                await climb_further(work, climb, order)
                await work.session.flush()
        except Exception as error:
            log.error("climb_failed", order_id=str(order_id), error=type(error).__name__, exc_info=error)
            work.session.expunge_all()
            await repository.hold(work, order_id, type(error).__name__, _HOLD)
    return True


async def climb_further(work: Work, climb: OrderClimb, order: Order) -> None:
    """The next step of a locked climb of a locked order."""
    climb.failed_at = climb.failed_with = None
    if order.status not in OPEN:
        climb.ended_at, climb.next_at = work.now, None
        return
    limits = ClimbLimits.model_validate(climb.policy)
    if is_for_the_county(limits, climb.since, work.now):
        climb.level, climb.next_at = ClimbLevel.COUNTY, None
        write_act(work, order, ActKind.COUNTY_ASKED, {"since": climb.since.isoformat()})
        await _tell(work, climb, order)
        return
    neighbour = await next_neighbour(work, order)
    if neighbour is not None and climb.step < limits.neighbours:
        await open_to(work, order, neighbour)
        climb.level, climb.step = ClimbLevel.NEIGHBOUR, climb.step + 1
        await _tell(work, climb, order)
        neighbour = await next_neighbour(work, order)
    climb.next_at = next_step(limits, climb.since, climb.step, anybody_left=neighbour is not None)


async def list_untaken(work: Work, limit: int, cursor: UUID | None) -> list[UntakenOrder]:
    """Orders within the actor's area that nobody took in time."""
    return [UntakenOrder(**row) for row in await repository.untaken_page(work, limit, cursor)]


async def _watch(work: Work, order: Order) -> None:
    """Its limits are frozen now. One that waits again, after somebody was taken off it, waits from now."""
    chosen = await policy_for(work, order.centre_id, str(lines_of(order)[0].item.category))
    limits = chosen.document.climb_for(urgent=order.is_urgent)
    before = await repository.climb_of(work, order.id)
    began = order.placed_at if before is None else work.now
    since = waits_since(limits, began, order.window_start)
    climb = before or OrderClimb(
        order_id=order.id,
        resident_id=order.resident_id,
        centre_id=order.centre_id,
        area_code=order.area_code,
        level=ClimbLevel.OWN,
        policy={},
        since=since,
    )
    climb.level, climb.step, climb.since, climb.ended_at = ClimbLevel.OWN, 0, since, None
    climb.policy = limits.model_dump(mode="json")
    climb.next_at = next_step(limits, since, 0, anybody_left=True)
    work.session.add(climb)
    await work.session.flush()


async def _tell(work: Work, climb: OrderClimb, order: Order) -> None:
    also: Sequence[UUID] = await helping(work, order.id)
    work.record(
        OrderUntaken(
            area_code=order.area_code,
            centre_id=order.centre_id,
            order_id=order.id,
            level=str(climb.level),
            is_urgent=order.is_urgent,
        ),
        also,
    )
