"""Making and changing a recurring plan."""

from datetime import timedelta
from uuid import UUID

from services.care_plans import repository
from services.care_plans.errors import NeverInPlan
from services.care_plans.limits import plan_limits
from services.care_plans.models import CarePlan, CarePlanOccurrence
from services.care_plans.reading import content_of, recurrence_of, spans_of
from services.care_plans.recurrence import checked_rule
from services.care_plans.schedule import SERVED, moments, planned_days
from services.care_plans.showing import columns_of, plans_public
from services.care_plans.states import PLAN, OccurrenceStatus, PlanStatus
from services.care_plans.taking_back import lock_running, take_back, wanted_of
from services.care_plans.views import PlanContent, PlanCreate, PlanPublic
from services.catalogue.service import today
from services.centres.service import centre_in_charge
from services.core.actor import Role
from services.core.database import Work
from services.core.errors import Forbidden
from services.core.versions import expect_version
from services.orders.errors import CallerNotByPhone
from services.orders.models import Channel
from services.orders.placing import require_wishes
from services.orders.quoting import check_items
from services.orders.repository import resident_in_reach
from services.orders.rules import CHANNELS
from services.orders.standing import require_may_order
from services.residents.models import Resident

_LOOK_AHEAD = timedelta(days=366 * 9)
"""A plan of 29 February has a day within eight years."""


async def make_plan(work: Work, wish: PlanCreate) -> PlanPublic:
    """Make a recurring plan; the worker makes its orders ahead of time.

    Everything is checked as for an order on its first day. Raises ``NotFound``, ``MayNotOrder``, ``RuleInvalid``,
    ``NeverInPlan``, ``ItemsRefused``, ``WindowInvalid`` (too short), ``NoCentre``, and as ``require_wishes``.
    """
    channel, account_id = _channel(work), work.actor.account_id
    if account_id is None:
        raise Forbidden
    resident = await resident_in_reach(work, wish.resident_id)
    await require_may_order(work, resident.id)
    if wish.caller is not None and channel is not Channel.PHONE:
        raise CallerNotByPhone(field="caller")
    plan = CarePlan(
        **columns_of(wish, checked_rule(wish.rrule, wish.starts_on)),
        resident_id=resident.id,
        area_code=resident.area_code,
        status=PlanStatus.ACTIVE,
        channel=channel,
        caller=None if wish.caller is None else wish.caller.model_dump(),
        planned_by=account_id,
        planned_at=work.now,
        next_run_at=work.now,
        centre_id=(await centre_in_charge(work, resident.area_code)).id,
    )
    await _require_possible(work, plan, resident, wish)
    work.session.add(plan)
    PLAN.begin(work, plan)
    await work.session.flush()
    (shown,) = await plans_public(work, [(plan, resident.name)])
    return shown


async def change_plan(work: Work, plan_id: UUID, content: PlanContent, if_match: int | None) -> list[UUID]:
    """Say anew what a plan does from tomorrow on. Days that a person set apart by hand stay as they are.

    Gives the orders ahead that no longer fit; the worker makes new ones. Raises as ``make_plan``, ``PlanEnded``.
    """
    plan = await lock_running(work, plan_id)
    expect_version(plan, if_match)
    resident = await repository.resident_of(work, plan)
    said = columns_of(content, checked_rule(content.rrule, content.starts_on))
    await _require_possible(work, CarePlan(**{**plan.model_dump(), **said}), resident, content)
    plan.sqlmodel_update(said)
    plan.version += 1
    plan.next_run_at = work.now
    pauses = spans_of(await repository.pauses_of(work, [plan.id]))
    first = today(work) + timedelta(days=1)
    last = max(plan.generated_until or first, first + plan_limits().horizon)
    planned = {one.day: one for one in planned_days(recurrence_of(plan), plan.holiday_policy, pauses, first, last)}

    def fits(row: CarePlanOccurrence) -> bool:
        one = planned.get(row.day)
        if row.change is not None:
            return True  # a person has set this day apart
        return one is not None and one.fate in SERVED and content_of(plan, one.service_day).mark() == row.content

    return await take_back(work, plan, first, OccurrenceStatus.DROPPED, "care_plan_changed", fits)


def _channel(work: Work) -> Channel:
    """How the orders of a plan will have come: a clinician's are part of care."""
    channel = CHANNELS.get(work.actor.role)
    if channel is None:
        raise Forbidden
    return Channel.CARE_PLAN if work.actor.role is Role.CLINICIAN else channel


async def _require_possible(work: Work, plan: CarePlan, resident: Resident, content: PlanContent) -> None:
    """That the plan has a day ahead, and that an order on it could be made."""
    first = max(today(work), plan.starts_on)
    days = recurrence_of(plan).next_days(first, 1, _LOOK_AHEAD.days)
    if not days:
        raise NeverInPlan
    windows = moments(days[0], plan.times)
    centre_id, _ = await check_items(work, wanted_of(plan, resident, content.items, windows))
    await require_wishes(work, centre_id, resident, content.wishes)
