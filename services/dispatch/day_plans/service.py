"""The verbs of day plans: asking for one, reading it, putting it aside. Committing stands in ``committing``."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from services.audit.service import record_read
from services.centres.models import Centre
from services.centres.service import centre_in_reach
from services.core.clock import BUSINESS_ZONE
from services.core.database import Work
from services.core.versions import expect_version
from services.dispatch.day_plans import repository
from services.dispatch.day_plans.errors import DayInvalid, PlanNotReady
from services.dispatch.day_plans.models import DayPlan, PlanKind, PlanningPolicy, RepairCause
from services.dispatch.day_plans.rules import planning_rules
from services.dispatch.day_plans.showing import brief, plan_public
from services.dispatch.day_plans.states import DAY_PLAN, OPEN_PLANS, PlanStatus
from services.dispatch.day_plans.views import (
    DayPlanBrief,
    DayPlanCreate,
    DayPlanPublic,
    PlanDismiss,
    PlanningPolicyChange,
    PlanningPolicyPublic,
)
from services.events import DayPlanMoved


async def request_plan(work: Work, wish: DayPlanCreate) -> DayPlanBrief:
    """Ask for a plan of a day; the worker makes it.

    A centre has one day plan in the making: a newer request supersedes it, and the ready one of the same day.
    Raises ``NotFound``, ``DayInvalid``.
    """
    centre = await centre_in_reach(work, wish.centre_id)
    require_plannable(work, wish.day)
    await repository.in_turn(work, centre.id)
    for older in await repository.day_plans_to_supersede(work, centre.id, wish.day):
        move(work, older, PlanStatus.SUPERSEDED, "newer_request")
    await work.session.flush()
    rules = planning_rules()
    seconds = min(wish.options.seconds or rules.default_seconds, rules.most_seconds)
    options = wish.options.model_copy(update={"seconds": seconds}).model_dump(mode="json")
    plan = begin(work, centre, wish.day, PlanKind.DAY, options)
    await work.session.flush()
    return brief(plan)


def begin(
    work: Work,
    centre: Centre,
    day: date,
    kind: PlanKind,
    options: dict[str, Any],
    **more: Any,
) -> DayPlan:
    """A new plan that waits for the worker."""
    plan = DayPlan(
        centre_id=centre.id,
        area_code=centre.area_code,
        kind=kind,
        day=day,
        status=PlanStatus.COMPUTING,
        options=options,
        requested_by=work.actor.account_id,
        requested_at=work.now,
        **more,
    )
    work.session.add(plan)
    DAY_PLAN.begin(work, plan)
    _announce(work, plan)
    return plan


def move(work: Work, plan: DayPlan, target: PlanStatus, reason: str | None = None) -> None:
    """Change a locked plan's status and tell the screens."""
    DAY_PLAN.move(work, plan, target, reason)
    _announce(work, plan)


def require_plannable(work: Work, day: date) -> None:
    """Raises ``DayInvalid`` for a day that is over or too far away."""
    today = work.now.astimezone(BUSINESS_ZONE).date()
    if day < today:
        raise DayInvalid(field="day", reason="in_the_past")
    if day > today + timedelta(days=planning_rules().max_days_ahead):
        raise DayInvalid(field="day", reason="too_far_ahead", days=planning_rules().max_days_ahead)


async def list_plans(
    work: Work,
    limit: int,
    cursor: UUID | None,
    centre_id: UUID | None,
    day: date | None,
    statuses: Sequence[PlanStatus],
    kind: PlanKind | None,
) -> list[DayPlanBrief]:
    """A page of the plans in reach, newest first."""
    return [
        brief(plan) for plan in await repository.plans_page(work, limit, cursor, centre_id, day, statuses, kind)
    ]


async def read_plan(work: Work, plan_id: UUID) -> DayPlanPublic:
    """A plan with all it says; leaves rows in the access log. Raises ``NotFound``."""
    plan = await repository.plan_in_reach(work, plan_id)
    rows = await repository.item_rows(work, plan.id)
    await record_read(work, [row.item.resident_id for row in rows], "day_plan", ["name", "window"])
    return plan_public(plan, rows)


async def dismiss_plan(work: Work, plan_id: UUID, wish: PlanDismiss, if_match: int | None) -> DayPlanBrief:
    """Put a plan aside. A repeat changes nothing. Raises ``NotFound``, ``PlanNotReady`` once it is over."""
    plan = await repository.lock_plan(work, plan_id)
    if plan.status is not PlanStatus.DISMISSED:
        if plan.status not in OPEN_PLANS:
            raise PlanNotReady(current=str(plan.status))
        expect_version(plan, if_match)
        move(work, plan, PlanStatus.DISMISSED, wish.reason)
        await work.session.flush()
    return brief(plan)


async def read_policy(work: Work, centre_id: UUID) -> PlanningPolicyPublic:
    """What a centre in reach lets the planner do by itself; raises ``NotFound``."""
    centre = await centre_in_reach(work, centre_id)
    return _policy_public(centre, await repository.policy_of(work, centre.id))


async def set_policy(
    work: Work, centre_id: UUID, wish: PlanningPolicyChange, if_match: int | None
) -> PlanningPolicyPublic:
    """Say what the planner may do by itself; raises ``NotFound``, ``VersionMismatch``."""
    centre = await centre_in_reach(work, centre_id)
    await repository.in_turn(work, centre.id)
    policy = await repository.lock_policy(work, centre.id)
    if policy is None:
        policy = PlanningPolicy(centre_id=centre.id, area_code=centre.area_code, changed_at=work.now, version=0)
        work.session.add(policy)
    expect_version(policy, if_match)
    policy.repairs_commit_themselves = wish.repairs_commit_themselves
    policy.changed_by, policy.changed_at = work.actor.account_id, work.now
    policy.version += 1
    await work.session.flush()
    return _policy_public(centre, policy)


def _policy_public(centre: Centre, policy: PlanningPolicy | None) -> PlanningPolicyPublic:
    return PlanningPolicyPublic(
        centre_id=centre.id,
        repairs_commit_themselves=policy is not None and policy.repairs_commit_themselves,
        version=0 if policy is None else policy.version,
    )


def _announce(work: Work, plan: DayPlan) -> None:
    cause: RepairCause | None = plan.cause
    work.record(
        DayPlanMoved(
            area_code=plan.area_code,
            centre_id=plan.centre_id,
            plan_id=plan.id,
            kind=str(plan.kind),
            cause=None if cause is None else str(cause),
            day=plan.day.isoformat(),
            status=str(plan.status),
        )
    )
