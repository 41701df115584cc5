"""Telling people what a committed plan changes for them, and nothing else.

A caregiver hears once that her day has changed; a household hears the new time when an agreed one moves.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from services.core.clock import BUSINESS_ZONE
from services.core.database import Work
from services.dispatch.day_plans import queries
from services.dispatch.day_plans.models import DayPlan, DayPlanItem
from services.dispatch.day_plans.states import ItemChange
from services.notifications.models import Channel
from services.notifications.service import Notice, Recipient, notify
from services.orders.models import Order

CAREGIVER_TEMPLATE: Final = "day_changed"
HOUSEHOLD_TEMPLATE: Final = "visit_retimed"


async def tell(work: Work, plan: DayPlan, done: Sequence[DayPlanItem], orders: Mapping[UUID, Order]) -> None:
    """Notices for everybody whom the carried-out changes concern, in the same transaction."""
    await _caregivers(work, plan, done)
    await _households(work, plan, done, orders)


async def _caregivers(work: Work, plan: DayPlan, done: Sequence[DayPlanItem]) -> None:
    """Who is taken off an order that nobody has now hears that by the order itself (``CaregiverReleased``)."""
    changes: dict[UUID, int] = defaultdict(int)
    for item in done:
        if item.change is ItemChange.DROPPED:
            continue
        for caregiver_id in {item.caregiver_id, item.from_caregiver_id} - {None}:
            if caregiver_id is not None:
                changes[caregiver_id] += 1
    accounts = await queries.accounts_of_caregivers(work, changes.keys())
    for caregiver_id, account_ids in accounts.items():
        notice = Notice(
            # A plan may be committed in parts: each part is told once.
            key=f"plan:{plan.id}:{plan.version}:{caregiver_id}",
            template=CAREGIVER_TEMPLATE,
            area_code=plan.area_code,
            centre_id=plan.centre_id,
            parameters={"count": str(changes[caregiver_id]), "day": plan.day.isoformat()},
            is_life_safety=False,
        )
        await notify(work, notice, [Recipient(account_id=one) for one in account_ids], [Channel.APP])


async def _households(
    work: Work, plan: DayPlan, done: Sequence[DayPlanItem], orders: Mapping[UUID, Order]
) -> None:
    moved: dict[UUID, datetime] = {
        item.order_id: item.starts_at
        for item in done
        if item.change in (ItemChange.MOVED, ItemChange.RETIMED)
        and item.starts_at is not None
        and item.starts_at != item.from_starts_at
    }
    households = await queries.accounts_of_households(work, {orders[key].resident_id for key in moved})
    for order_id, starts_at in moved.items():
        order = orders[order_id]
        local = starts_at.astimezone(BUSINESS_ZONE)
        notice = Notice(
            key=f"plan:{plan.id}:{plan.version}:{order_id}",
            template=HOUSEHOLD_TEMPLATE,
            area_code=order.area_code,
            centre_id=plan.centre_id,
            parameters={"day": local.date().isoformat(), "time": f"{local:%H:%M}"},
            is_life_safety=False,
        )
        people = [Recipient(account_id=one) for one in households.get(order.resident_id, ())]
        await notify(work, notice, people, [Channel.APP, Channel.SMS])
