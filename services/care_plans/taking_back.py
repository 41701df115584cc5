"""What every change of a plan does first: lock it, and find the orders that no longer fit."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from uuid import UUID

from services.care_plans import repository
from services.care_plans.errors import DayPassed, PlanEnded
from services.care_plans.models import CarePlan, CarePlanOccurrence
from services.care_plans.states import OCCURRENCE, OccurrenceStatus, PlanStatus
from services.core.database import Work
from services.orders.errors import TakenAlready
from services.orders.quoting import Wanted
from services.orders.standing import require_may_order
from services.orders.states import OrderStatus
from services.orders.wishes import AskedItem
from services.residents.models import Resident

_OPEN = frozenset({OrderStatus.PLACED, OrderStatus.OFFERED, OrderStatus.ASSIGNED})
_HELD = frozenset({OccurrenceStatus.ORDERED, OccurrenceStatus.PROBLEM, OccurrenceStatus.CHANGED})


async def lock_running(work: Work, plan_id: UUID) -> CarePlan:
    """A plan in reach, locked. Raises ``NotFound``, ``MayNotOrder``, ``PlanEnded``."""
    plan = await repository.plan_in_reach(work, plan_id, lock=True)
    await require_may_order(work, plan.resident_id)
    if plan.status is not PlanStatus.ACTIVE:
        raise PlanEnded
    return plan


async def take_back(
    work: Work,
    plan: CarePlan,
    first: date,
    status: OccurrenceStatus,
    reason: str,
    stays: Callable[[CarePlanOccurrence], bool],
) -> list[UUID]:
    """Move the days from ``first`` on that do not stay to a status; gives their open orders, locked, by id.

    An order on which somebody is at work or has been stays with its day.
    """
    rows = [
        row
        for row in await repository.occurrences_of(work, [plan.id], first)
        if row.status in _HELD and row.service_day >= first and not stays(row)
    ]
    orders = await repository.orders_of(work, [row.order_id for row in rows if row.order_id], lock=True)
    taken: list[UUID] = []
    for row in rows:
        order = None if row.order_id is None else orders.get(row.order_id)
        if row.status is OccurrenceStatus.ORDERED and order is not None:
            if order.status not in _OPEN | {OrderStatus.CANCELLED}:
                continue
            if order.status in _OPEN:
                taken.append(order.id)
        if OCCURRENCE.allows(row.status, status):
            OCCURRENCE.move(work, row, status, reason)
            row.problem, row.updated_at = None, work.now
    await work.session.flush()
    return sorted(taken)


async def order_to_take_back(work: Work, row: CarePlanOccurrence, *, must_be_free: bool) -> list[UUID]:
    """The open order of one day, locked; none where it has none. Raises ``DayPassed``, ``TakenAlready``."""
    if row.order_id is None or row.status is not OccurrenceStatus.ORDERED:
        return []
    order = (await repository.orders_of(work, [row.order_id], lock=True))[row.order_id]
    if order.status is OrderStatus.CANCELLED:
        return []
    if order.status not in _OPEN:
        raise DayPassed(field="day", current=str(order.status))
    if must_be_free and order.status is OrderStatus.ASSIGNED:
        raise TakenAlready(current=str(order.status))
    return [order.id]


def wanted_of(
    plan: CarePlan,
    resident: Resident,
    items: Sequence[AskedItem],
    windows: Sequence[tuple[datetime, datetime]],
) -> Wanted:
    """What a plan asks for on one day, as an order asks for it."""
    return Wanted(
        resident=resident,
        channel=plan.channel,
        account_id=plan.planned_by,
        items=tuple(items),
        windows=tuple(windows),
        is_urgent=False,
        packages="if_left",
    )
