"""Carrying a plan out: what still holds is booked in one transaction, the rest is left out and said.

Locks: the plan, the orders by id, the caregivers by id. Bookings go through ``dispatch.booking`` like all others,
so the exclusion constraint has the last word here too.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

from services.caregivers.repository import caregivers_of_centre, lock_caregivers
from services.core.database import Work
from services.core.versions import expect_version
from services.dispatch.booking import book, close_when_full, unbook
from services.dispatch.day_plans import queries, repository
from services.dispatch.day_plans.errors import PlanNotReady, PlanStale, UnknownSelection
from services.dispatch.day_plans.models import DayPlan, DayPlanItem, RepairCause
from services.dispatch.day_plans.queries import BookedRow
from services.dispatch.day_plans.reading import day_of
from services.dispatch.day_plans.service import move
from services.dispatch.day_plans.settling import OrderSteps, Step, settle
from services.dispatch.day_plans.showing import brief, result_words
from services.dispatch.day_plans.states import CHANGES, ItemChange, ItemResult, PlanStatus
from services.dispatch.day_plans.telling import tell
from services.dispatch.day_plans.views import CommitLine, PlanCommit, PlanCommitted, Words
from services.dispatch.facts import Span
from services.dispatch.loading import load_crew, load_ties
from services.dispatch.models import Booking
from services.dispatch.needs import OPEN, need_of
from services.dispatch.queries import dialects_of
from services.dispatch.states import EndCode
from services.dispatch.travel import travel_figures, travel_matrix
from services.events import CaregiverReleased
from services.orders.models import Order
from services.orders.states import ORDER, OrderStatus
from services.visits.service import cancel_visits
from services.visits.states import VisitStatus

REASON = "replanned"
"""What the history of orders and visits says."""


async def commit_plan(work: Work, plan_id: UUID, wish: PlanCommit, if_match: int | None) -> PlanCommitted:
    """Carry a plan out, or the chosen caregivers' or orders' part of it. A repeat gets the same answer.

    Each order is done whole or left out. Raises ``NotFound``, ``PlanNotReady``, ``UnknownSelection``,
    ``PlanStale`` (strict: nothing is done), ``DoubleBooked``.
    """
    await _learn_ways(work, plan_id)
    plan = await repository.lock_plan(work, plan_id)
    if plan.status not in (PlanStatus.READY, PlanStatus.COMMITTED):
        raise PlanNotReady(current=str(plan.status))
    items = await repository.lock_items(work, plan.id)
    chosen = _chosen(items, wish)
    todo = [item for item in chosen if item.result is not ItemResult.DONE]
    if plan.status is PlanStatus.READY:
        expect_version(plan, if_match if todo else None)
        left = await _carry_out(work, plan, items, todo)
        if left and wish.strict:
            raise PlanStale(
                left_out=[{"order_id": str(order_id), "reason": why} for order_id, why in left.items()]
            )
        _close(work, plan, items, whole=not wish.caregiver_ids and not wish.order_ids)
        await work.session.flush()
    return _answer(plan, chosen)


async def _learn_ways(work: Work, plan_id: UUID) -> None:
    """Ask the provider for the ways of the plan before anything is locked: the worker's memory is not ours."""
    if travel_figures()["travel_provider_configured"]:
        for mode, points in (await queries.places_of_plan(work, plan_id)).items():
            await travel_matrix(mode, points)


def _chosen(items: Sequence[DayPlanItem], wish: PlanCommit) -> list[DayPlanItem]:
    """The changes of the chosen orders; an order is chosen with any of its caregivers, and always whole."""
    changes = [item for item in items if item.change in CHANGES]
    if not wish.caregiver_ids and not wish.order_ids:
        return changes
    orders, people = set(wish.order_ids), set(wish.caregiver_ids)
    known_people = {one for item in items for one in (item.caregiver_id, item.from_caregiver_id)}
    unknown = (orders - {item.order_id for item in items}) | (people - known_people)
    if unknown:
        raise UnknownSelection(unknown=sorted(str(one) for one in unknown))
    orders |= {item.order_id for item in changes if {item.caregiver_id, item.from_caregiver_id} & people}
    return [item for item in changes if item.order_id in orders]


async def _carry_out(
    work: Work, plan: DayPlan, items: Sequence[DayPlanItem], todo: Sequence[DayPlanItem]
) -> dict[UUID, str]:
    """Do what holds; gives the orders that were left out, each with the reason. Marks the items."""
    by_order: dict[UUID, list[DayPlanItem]] = defaultdict(list)
    for item in todo:
        by_order[item.order_id].append(item)
    orders = {order.id: order for order in await queries.lock_orders(work, by_order.keys())}
    people = {one for item in todo for one in (item.caregiver_id, item.from_caregiver_id) if one is not None}
    await lock_caregivers(work, people)
    booked: dict[UUID, list[BookedRow]] = defaultdict(list)
    for row in await queries.bookings_of(work, orders.keys()):
        booked[row.booking.order_id].append(row)
    pins = await repository.pinned_bookings(work, [row.booking.id for rows in booked.values() for row in rows])
    left: dict[UUID, str] = {}
    for order_id, theirs in by_order.items():
        expected = {item.booking_id for item in items if item.order_id == order_id} - {None}
        why = _stale(orders.get(order_id), booked[order_id], expected, theirs, pins)
        if why is not None:
            left[order_id] = why
    parts = await _parts(
        work, {key: theirs for key, theirs in by_order.items() if key not in left}, orders, booked
    )
    holding, fallen = await _settle(work, plan, parts, people, orders)
    left |= fallen
    for item in todo:
        item.result = ItemResult.STALE if item.order_id in left else ItemResult.DONE
        item.result_reason = left.get(item.order_id)
    done = {part.order_id: by_order[part.order_id] for part in holding}
    await _write(work, plan, done, orders, booked)
    await tell(work, plan, [item for theirs in done.values() for item in theirs], orders)
    return left


def _stale(
    order: Order | None,
    booked: Sequence[BookedRow],
    expected: set[UUID | None],
    theirs: Sequence[DayPlanItem],
    pins: frozenset[UUID],
) -> str | None:
    """Why an order cannot be touched any more, or ``None``."""
    if order is None:
        return "not_in_reach"
    if order.status is OrderStatus.CANCELLED:
        return "order_cancelled"
    if order.status not in (*OPEN, OrderStatus.ASSIGNED):
        return "order_over"
    if {row.booking.id for row in booked} != expected:
        return "taken_since"
    if len(expected) + sum(item.change is ItemChange.ADDED for item in theirs) > order.caregivers_required:
        return "order_changed"
    touched = {item.booking_id for item in theirs}
    for row in booked:
        if row.booking.id in touched and row.visit_status is not VisitStatus.SCHEDULED:
            return "visit_begun"
        if row.booking.id in touched and row.booking.id in pins:
            return "pinned_since"
    return None


async def _parts(
    work: Work,
    by_order: Mapping[UUID, Sequence[DayPlanItem]],
    orders: Mapping[UUID, Order],
    booked: Mapping[UUID, Sequence[BookedRow]],
) -> list[OrderSteps]:
    dialects = await dialects_of(work, {orders[order_id].resident_id for order_id in by_order})
    parts = []
    for order_id, theirs in by_order.items():
        order = orders[order_id]
        touched = {item.booking_id for item in theirs}
        overrides = {
            code
            for row in booked[order_id]
            if row.booking.id in touched and row.booking.override
            for code in row.booking.override.get("issues", ())
        }
        steps = tuple(
            Step(item.from_caregiver_id, item.from_starts_at, item.caregiver_id, item.starts_at) for item in theirs
        )
        need = need_of(order, (), dialects.get(order.resident_id, ""), work.now)
        parts.append(OrderSteps(order.id, order.resident_id, need, steps, frozenset(overrides)))
    return parts


async def _settle(
    work: Work, plan: DayPlan, parts: Sequence[OrderSteps], people: set[UUID], orders: Mapping[UUID, Order]
) -> tuple[list[OrderSteps], dict[UUID, str]]:
    day = day_of(plan.day)
    licences = {kind for part in parts for kind in orders[part.order_id].licences}
    span = Span(day.starts_at, day.ends_at)
    crew = await load_crew(work, [plan.centre_id], span, licences, people, on_call=False)
    ties = await load_ties(work, crew, {part.resident_id for part in parts})
    return settle(parts, {who.id: who for who in crew}, ties, day)


async def _write(
    work: Work,
    plan: DayPlan,
    done: Mapping[UUID, Sequence[DayPlanItem]],
    orders: Mapping[UUID, Order],
    booked: Mapping[UUID, Sequence[BookedRow]],
) -> None:
    """First everything is given back, then everything is booked: two may change places."""
    for order_id, theirs in done.items():
        back = {item.booking_id for item in theirs} - {None}
        rows = [row.booking for row in booked[order_id] if row.booking.id in back]
        if rows:
            await _give_back(work, orders[order_id], rows, _code(plan))
    await work.session.flush()
    wanted = {item.caregiver_id for theirs in done.values() for item in theirs if item.caregiver_id is not None}
    caregivers = {one.id: one for one in await caregivers_of_centre(work, plan.centre_id, wanted)}
    for order_id, theirs in done.items():
        given = [item for item in theirs if item.caregiver_id is not None]
        for item in given:
            if item.caregiver_id is None or item.starts_at is None:
                continue
            await book(work, orders[order_id], caregivers[item.caregiver_id], item.starts_at)
        if given:
            await close_when_full(work, orders[order_id], REASON)
        for item in theirs:
            if item.change is ItemChange.DROPPED and item.from_caregiver_id is not None:
                work.record(_released(orders[order_id], item.from_caregiver_id, item.booking_id, plan))


async def _give_back(work: Work, order: Order, bookings: Sequence[Booking], code: EndCode) -> None:
    """Take bookings of a locked order back; it looks for somebody again until it is booked anew."""
    for booking in bookings:
        unbook(work, booking, code, REASON)
    await cancel_visits(work, order, REASON, {booking.id for booking in bookings})
    if order.status is OrderStatus.ASSIGNED:
        ORDER.move(work, order, OrderStatus.PLACED, REASON)


def _code(plan: DayPlan) -> EndCode:
    return EndCode.LEAVE if plan.cause is RepairCause.ABSENCE else EndCode.REASSIGNED


def _released(order: Order, caregiver_id: UUID, booking_id: UUID | None, plan: DayPlan) -> CaregiverReleased:
    """The order looks for somebody again. Who only gave it to a colleague is not on this list."""
    return CaregiverReleased(
        area_code=order.area_code,
        centre_id=order.centre_id,
        order_id=order.id,
        caregiver_id=caregiver_id,
        booking_id=booking_id,
        code=str(_code(plan)),
    )


def _close(work: Work, plan: DayPlan, items: Sequence[DayPlanItem], *, whole: bool) -> None:
    """A plan of which nothing is left to do is committed; one that was committed whole is done as well."""
    open_changes = [item for item in items if item.change in CHANGES and item.result is not ItemResult.DONE]
    plan.committed_at, plan.committed_by = work.now, work.actor.account_id
    if whole or not open_changes:
        move(work, plan, PlanStatus.COMMITTED)
    else:
        plan.version += 1


def _answer(plan: DayPlan, chosen: Sequence[DayPlanItem]) -> PlanCommitted:
    lines = {
        item.order_id: CommitLine(
            order_id=item.order_id,
            result=item.result,
            reason=item.result_reason,
            words=result_words(item.result, item.result_reason) or Words(zh="", en=""),
        )
        for item in chosen
        if item.result is not None
    }
    return PlanCommitted(
        plan=brief(plan),
        done=[line for line in lines.values() if line.result is ItemResult.DONE],
        left_out=[line for line in lines.values() if line.result is ItemResult.STALE],
    )
