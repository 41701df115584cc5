"""Live repair: what happened, and the proposal with the fewest changes that answers it.

A proposal is a plan of kind ``repair``: computed by the worker like a day plan, committed by the dispatcher in one
tap, or by the worker where the centre's policy says so.
"""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from services.centres.models import Centre
from services.centres.repository import centre_by_id
from services.core.clock import BUSINESS_ZONE
from services.core.database import Work
from services.dispatch.day_plans import queries, repository
from services.dispatch.day_plans.errors import NothingToRepair
from services.dispatch.day_plans.models import DayPlan, PlanKind, RepairCause
from services.dispatch.day_plans.rules import planning_rules
from services.dispatch.day_plans.service import begin, move
from services.dispatch.day_plans.showing import brief
from services.dispatch.day_plans.states import PlanStatus
from services.dispatch.day_plans.views import DayPlanBrief, PlanOptions
from services.dispatch.needs import OPEN
from services.dispatch.travel import paces, travel_seconds
from services.events import CaregiverAbsent
from services.orders.models import Order
from services.orders.repository import order_in_reach


async def repair_absence(work: Work, event: CaregiverAbsent) -> None:
    """A caregiver cannot come: a proposal for each centre and day on which somebody waits for her."""
    affected = await queries.visits_to_come(
        work, event.caregiver_id, max(event.starts_at, work.now), event.ends_at
    )
    for centre_id, day in sorted({(one.centre_id, _day(one.starts_at)) for one in affected}):
        await _propose(
            work,
            centre_id,
            day,
            RepairCause.ABSENCE,
            f"absence:{event.caregiver_id}",
            caregiver_id=event.caregiver_id,
        )


async def repair_order(work: Work, order_id: UUID) -> DayPlanBrief:
    """A dispatcher asks who could make room for one order. Raises ``NotFound``, ``NothingToRepair``."""
    order = await order_in_reach(work, order_id)
    if order.status not in OPEN or order.window_end <= work.now:
        raise NothingToRepair(current=str(order.status))
    cause = RepairCause.URGENT if order.is_urgent else RepairCause.REQUEST
    plan = await _propose(
        work, order.centre_id, _first_day(work, order), cause, f"order:{order.id}", order_id=order.id
    )
    await work.session.flush()
    return brief(plan)


async def propose_repairs(work: Work) -> int:
    """Visits that overrun, and urgent orders that find nobody. For the worker; gives how many it proposed."""
    proposed = 0
    rules = planning_rules()
    for late in await queries.overruns(work, work.now + timedelta(hours=4)):
        way = timedelta(seconds=travel_seconds(paces()[late.mode], late.here, late.there))
        if work.now + rules.overrun_assumed + way <= late.next_starts_at:
            continue
        proposed += await _again(
            work,
            late.centre_id,
            _day(late.next_starts_at),
            RepairCause.OVERRUN,
            f"overrun:{late.visit_id}",
            caregiver_id=late.caregiver_id,
        )
    for order in await queries.urgent_without_anybody(work, work.now - rules.urgent_wait):
        proposed += await _again(
            work,
            order.centre_id,
            _first_day(work, order),
            RepairCause.URGENT,
            f"order:{order.id}",
            order_id=order.id,
        )
    return proposed


async def _again(work: Work, centre_id: UUID, day: date, cause: RepairCause, key: str, **more: Any) -> bool:
    """Propose, unless that was done a short while ago, whatever became of it."""
    last = await repository.last_proposal(work, centre_id, day, key)
    if last is not None and last.requested_at > work.now - planning_rules().repair_again:
        return False
    await _propose(work, centre_id, day, cause, key, **more)
    return True


async def _propose(work: Work, centre_id: UUID, day: date, cause: RepairCause, key: str, **more: Any) -> DayPlan:
    """A fresh proposal; an older one for the same cause is superseded, because it knew less."""
    centre = await _centre(work, centre_id)
    await repository.in_turn(work, centre_id)
    older = await repository.live_proposal(work, centre_id, day, key)
    if older is not None:
        move(work, older, PlanStatus.SUPERSEDED, "newer_facts")
        await work.session.flush()
    options = PlanOptions(seconds=planning_rules().repair_seconds).model_dump(mode="json")
    plan = begin(work, centre, day, PlanKind.REPAIR, options, cause=cause, cause_key=key, **more)
    await work.session.flush()
    return plan


async def _centre(work: Work, centre_id: UUID) -> Centre:
    centre = await centre_by_id(work, centre_id)
    if centre is None:
        raise LookupError("a booking's centre is always there")
    return centre


def _first_day(work: Work, order: Order) -> date:
    return _day(max(order.window_start, work.now))


def _day(moment: datetime) -> date:
    return moment.astimezone(BUSINESS_ZONE).date()
