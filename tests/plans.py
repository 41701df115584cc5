"""A proposal of a repair, for tests that need one and do not ask how it was made."""

from uuid import UUID

from services.core.database import Work
from services.dispatch.day_plans.models import DayPlan, DayPlanItem, PlanKind, RepairCause
from services.dispatch.day_plans.states import ItemChange, PlanStatus
from services.dispatch.day_plans.views import PlanOptions
from services.orders.models import Order
from tests.people import Place


async def add_plan(work: Work, place: Place, order: Order) -> UUID:
    """A ready proposal that found nobody for an order."""
    plan = DayPlan(
        centre_id=place.centre.id,
        area_code=place.centre.area_code,
        kind=PlanKind.REPAIR,
        day=order.window_start.date(),
        status=PlanStatus.READY,
        options=PlanOptions(seconds=1).model_dump(mode="json"),
        cause=RepairCause.REQUEST,
        cause_key=f"order:{order.id}",
        order_id=order.id,
        requested_at=work.now,
    )
    work.session.add(plan)
    await work.session.flush()
    work.session.add(
        DayPlanItem(
            plan_id=plan.id,
            order_id=order.id,
            resident_id=order.resident_id,
            area_code=order.area_code,
            place_no=0,
            change=ItemChange.UNASSIGNED,
        )
    )
    return plan.id
