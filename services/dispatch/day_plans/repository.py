"""The SQL of plans, pins and planning policies. What a plan is made of is read in ``queries``."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, delete, or_, text, update
from sqlalchemy import select as select_columns
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from services.caregivers.models import Caregiver
from services.core.database import Work
from services.core.errors import NotFound
from services.core.scope import within
from services.dispatch.day_plans.models import BookingPin, DayPlan, DayPlanItem, PlanKind, PlanningPolicy
from services.dispatch.day_plans.states import OPEN_PLANS, PlanStatus
from services.orders.models import Order
from services.residents.models import Resident

_IN_TURN = text("SELECT pg_advisory_xact_lock(hashtextextended('day_plan', 0) # hashtextextended(:centre, 0))")


class ItemRow(NamedTuple):
    """An item with what its readers need beside it."""

    item: DayPlanItem
    order: Order
    resident_name: str
    caregiver_name: str | None
    from_caregiver_name: str | None


def _reach(work: Work) -> list[ColumnElement[bool]]:
    return within(work.actor, DayPlan.area_code)


async def in_turn(work: Work, centre_id: UUID) -> None:
    """One at a time asks for plans of a centre, so that the newer one finds the older one."""
    await work.sql(_IN_TURN, {"centre": str(centre_id)})


async def plan_in_reach(work: Work, plan_id: UUID) -> DayPlan:
    """A plan inside the actor's walls; raises ``NotFound``."""
    found = (await work.session.exec(select(DayPlan).where(DayPlan.id == plan_id, *_reach(work)))).one_or_none()
    if found is None:
        raise NotFound
    return found


async def lock_plan(work: Work, plan_id: UUID) -> DayPlan:
    """The same, locked and read anew. A plan's lock comes before its orders'."""
    statement = (
        select(DayPlan)
        .where(DayPlan.id == plan_id, *_reach(work))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    found = (await work.session.exec(statement)).one_or_none()
    if found is None:
        raise NotFound
    return found


async def plans_page(
    work: Work,
    limit: int,
    cursor: UUID | None,
    centre_id: UUID | None,
    day: date | None,
    statuses: Sequence[PlanStatus],
    kind: PlanKind | None,
) -> Sequence[DayPlan]:
    """Plans in reach, newest first."""
    statement = select(DayPlan).where(*_reach(work)).order_by(col(DayPlan.id).desc()).limit(limit)
    if work.actor.centre_id is not None:
        statement = statement.where(DayPlan.centre_id == work.actor.centre_id)
    if centre_id is not None:
        statement = statement.where(DayPlan.centre_id == centre_id)
    if day is not None:
        statement = statement.where(DayPlan.day == day)
    if statuses:
        statement = statement.where(col(DayPlan.status).in_(statuses))
    if kind is not None:
        statement = statement.where(DayPlan.kind == kind)
    if cursor is not None:
        statement = statement.where(col(DayPlan.id) < cursor)
    return (await work.session.exec(statement)).all()


async def day_plans_to_supersede(work: Work, centre_id: UUID, day: date) -> Sequence[DayPlan]:
    """The centre's day plan in the making, whatever its day, and the ready one of this day; locked."""
    statement = (
        select(DayPlan)
        .where(
            DayPlan.centre_id == centre_id,
            DayPlan.kind == PlanKind.DAY,
            or_(
                col(DayPlan.status) == PlanStatus.COMPUTING,
                and_(col(DayPlan.status) == PlanStatus.READY, col(DayPlan.day) == day),
            ),
        )
        .order_by(col(DayPlan.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return (await work.session.exec(statement)).all()


async def live_proposal(work: Work, centre_id: UUID, day: date, cause_key: str) -> DayPlan | None:
    """The repair that is in the making or waits for an answer, for one cause; locked."""
    statement = (
        select(DayPlan)
        .where(
            DayPlan.centre_id == centre_id,
            DayPlan.day == day,
            DayPlan.cause_key == cause_key,
            DayPlan.kind == PlanKind.REPAIR,
            col(DayPlan.status).in_(OPEN_PLANS),
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return (await work.session.exec(statement)).one_or_none()


async def last_proposal(work: Work, centre_id: UUID, day: date, cause_key: str) -> DayPlan | None:
    """The newest repair for a cause, whatever became of it."""
    statement = (
        select(DayPlan)
        .where(DayPlan.centre_id == centre_id, DayPlan.day == day, DayPlan.cause_key == cause_key)
        .order_by(col(DayPlan.id).desc())
        .limit(1)
    )
    return (await work.session.exec(statement)).one_or_none()


async def take_waiting(work: Work) -> DayPlan | None:
    """The next plan that no worker has, or whose worker has fallen silent; repairs first. Locked."""
    statement = (
        select(DayPlan)
        .where(
            DayPlan.status == PlanStatus.COMPUTING,
            or_(col(DayPlan.leased_until).is_(None), col(DayPlan.leased_until) < work.now),
        )
        .order_by(case((col(DayPlan.kind) == PlanKind.REPAIR, 0), else_=1), col(DayPlan.id))
        .limit(1)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return (await work.session.exec(statement)).one_or_none()


async def replace_items(work: Work, plan_id: UUID, items: Sequence[DayPlanItem]) -> None:
    """What a plan says; what an earlier attempt may have left is gone."""
    await work.sql(delete(DayPlanItem).where(col(DayPlanItem.plan_id) == plan_id))
    work.session.add_all(items)
    await work.session.flush()


async def lock_items(work: Work, plan_id: UUID) -> Sequence[DayPlanItem]:
    """What a locked plan says, by order and place."""
    statement = (
        select(DayPlanItem)
        .where(DayPlanItem.plan_id == plan_id, *within(work.actor, DayPlanItem.area_code))
        .order_by(col(DayPlanItem.order_id), col(DayPlanItem.place_no))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return (await work.session.exec(statement)).all()


async def item_rows(work: Work, plan_id: UUID) -> list[ItemRow]:
    """Everything that a plan says, by time."""
    now_theirs = aliased(Caregiver)
    statement: Any = (
        select_columns(DayPlanItem, Order, col(Resident.name), col(Caregiver.name), col(now_theirs.name))
        .join(Order, col(Order.id) == col(DayPlanItem.order_id))
        .join(Resident, col(Resident.id) == col(DayPlanItem.resident_id))
        .outerjoin(Caregiver, col(Caregiver.id) == col(DayPlanItem.caregiver_id))
        .outerjoin(now_theirs, col(now_theirs.id) == col(DayPlanItem.from_caregiver_id))
        .where(
            col(DayPlanItem.plan_id) == plan_id,
            *within(work.actor, DayPlanItem.area_code, DayPlanItem.resident_id),
        )
        .order_by(col(DayPlanItem.starts_at).nulls_last(), col(DayPlanItem.order_id), col(DayPlanItem.place_no))
    )
    rows = await work.session.exec(statement)
    return [ItemRow(*row) for row in rows.all()]


async def live_pin(work: Work, booking_id: UUID) -> BookingPin | None:
    """The pin of a booking, if there is one; locked."""
    statement = (
        select(BookingPin)
        .where(BookingPin.booking_id == booking_id, col(BookingPin.removed_at).is_(None))
        .with_for_update()
    )
    return (await work.session.exec(statement)).one_or_none()


async def pinned_bookings(work: Work, ids: Collection[UUID]) -> frozenset[UUID]:
    """Which of some bookings a person has fixed."""
    statement = select(BookingPin.booking_id).where(
        col(BookingPin.booking_id).in_(ids), col(BookingPin.removed_at).is_(None)
    )
    return frozenset((await work.session.exec(statement)).all())


async def policy_of(work: Work, centre_id: UUID) -> PlanningPolicy | None:
    """What a centre lets the planner do by itself."""
    return await work.session.get(PlanningPolicy, centre_id)


async def lock_policy(work: Work, centre_id: UUID) -> PlanningPolicy | None:
    """The same, locked and read anew."""
    statement = (
        select(PlanningPolicy)
        .where(PlanningPolicy.centre_id == centre_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return (await work.session.exec(statement)).one_or_none()


async def prolong_lease(work: Work, plan_id: UUID, lease: UUID, until: datetime) -> bool:
    """Keep a plan; False when it is no longer ours to keep."""
    statement = (
        update(DayPlan)
        .where(
            col(DayPlan.id) == plan_id, col(DayPlan.lease) == lease, col(DayPlan.status) == PlanStatus.COMPUTING
        )
        .values(leased_until=until)
    )
    return (await work.sql(statement)).rowcount == 1


async def repairs_to_commit(work: Work) -> Sequence[UUID]:
    """Ready repairs, asked for since their centre has said that they are carried out by themselves."""
    statement = (
        select(DayPlan.id)
        .join(PlanningPolicy, col(PlanningPolicy.centre_id) == col(DayPlan.centre_id))
        .where(
            DayPlan.kind == PlanKind.REPAIR,
            DayPlan.status == PlanStatus.READY,
            col(PlanningPolicy.repairs_commit_themselves),
            col(DayPlan.requested_at) >= col(PlanningPolicy.changed_at),
        )
        .order_by(col(DayPlan.id))
    )
    return (await work.session.exec(statement)).all()
