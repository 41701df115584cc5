"""A small centre's day: planned, looked at, committed, and held against every rule in the database."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import text

from services.caregivers.models import AskedBy, BlockedPair
from services.core.actor import Role
from services.core.errors import NotFound, VersionMismatch
from services.dispatch.day_plans import computing
from services.dispatch.day_plans.committing import commit_plan
from services.dispatch.day_plans.errors import (
    DayInvalid,
    NotPinnable,
    PlanNotReady,
    PlanStale,
    UnknownSelection,
)
from services.dispatch.day_plans.pins import pin_visit, unpin_visit
from services.dispatch.day_plans.rules import planning_rules
from services.dispatch.day_plans.service import dismiss_plan, list_plans, request_plan
from services.dispatch.day_plans.states import ItemChange, PlanStatus
from services.dispatch.day_plans.views import DayPlanCreate, PinRequest, PlanCommit, PlanDismiss
from services.dispatch.service import cancel_order
from services.orders.states import OrderStatus
from services.planning.problem import EngineName, Options, Plan, Problem
from services.visits.service import set_out
from tests.ordering import Ordering
from tests.rules_held import broken_rules
from tests.township import Township

REASON = "家属已约好时间"


async def test_a_day_is_planned_looked_at_and_committed(town: Township) -> None:
    orders = await town.ordinary_day()
    plan = await town.planned()
    assert plan.status is PlanStatus.READY, plan
    assert plan.summary is not None
    places = sum(order.caregivers_required for order in orders)
    assert (plan.summary.before.assigned, plan.summary.after.assigned) == (0, places)
    assert plan.unassigned == []
    assert sum(len(day.visits) for day in plan.caregivers) == places
    for day in plan.caregivers:
        for before, after in pairwise(day.visits):
            assert before.ends_at + timedelta(minutes=after.travel_minutes - 1) <= after.starts_at
            assert after.gap_minutes >= 0
    assert all(visit.starts_at.minute % 5 == 0 for day in plan.caregivers for visit in day.visits)
    assert all(visit.words.zh and visit.words.en for day in plan.caregivers for visit in day.visits)
    assert plan.engine is not None
    assert any(plan.engine in said.en for said in plan.words)
    assert await town.rows("SELECT 1 FROM booking WHERE centre_id = :c", c=plan.centre_id) == [], "only a preview"

    done = await town.commit(plan.id)
    assert ({line.order_id for line in done.done}, done.left_out) == ({order.id for order in orders}, [])
    assert done.plan.status is PlanStatus.COMMITTED
    assert await broken_rules(town) == []
    rows = await town.rows("SELECT DISTINCT status FROM service_order WHERE centre_id = :c", c=plan.centre_id)
    assert [row[0] for row in rows] == ["assigned"]
    told = await town.told()
    with_visits = {day.caregiver_id for day in plan.caregivers}
    assert told == {await town.account_of(one): ["day_changed"] for one in with_visits}, "each once, nobody else"


async def test_a_second_tap_gets_the_same_answer(town: Township) -> None:
    await town.ordinary_day()
    plan = await town.planned()
    first, second = await town.commit(plan.id), await town.commit(plan.id)
    assert first == second
    assert len(await town.told()) == len(plan.caregivers)


async def test_a_committed_day_planned_again_changes_nothing(town: Township) -> None:
    """Every visit counts as running: a second plan of the same day has no reason to move anybody."""
    await town.ordinary_day()
    await town.commit((await town.planned()).id)
    again = await town.planned()
    changes = Counter(visit.change for day in again.caregivers for visit in day.visits)
    assert changes == {ItemChange.KEPT: 13}, again.words


async def test_a_newer_request_supersedes(town: Township) -> None:
    await town.ordinary_day()
    first = await town.request()
    second = await town.request()
    assert (await town.read(first)).status is PlanStatus.SUPERSEDED
    await town.compute()
    assert (await town.read(second)).status is PlanStatus.READY
    third = await town.request()
    assert (await town.read(second)).status is PlanStatus.SUPERSEDED
    with pytest.raises(PlanNotReady):
        await town.commit(second)
    with pytest.raises(PlanNotReady):
        await town.commit(third)


async def test_requests_at_once_leave_one_in_the_making(town: Township) -> None:
    plans = await asyncio.gather(*(town.request() for _ in range(12)))
    statuses = Counter([(await town.read(one)).status for one in plans])
    assert statuses == {PlanStatus.COMPUTING: 1, PlanStatus.SUPERSEDED: 11}


@pytest.mark.parametrize(("days", "reason"), [(-2, "in_the_past"), (40, "too_far_ahead")])
async def test_days_that_cannot_be_planned(town: Township, days: int, reason: str) -> None:
    wish = DayPlanCreate(centre_id=town.ordering.world.here.centre.id, day=town.day + timedelta(days=days))
    with pytest.raises(DayInvalid) as refused:
        async with town.ordering.work(town.ordering.dispatcher) as work:
            await request_plan(work, wish)
    assert refused.value.extra["reason"] == reason


async def test_what_is_stale_is_left_out_and_said(town: Township) -> None:
    orders = await town.ordinary_day()
    plan = await town.planned()
    gone, taken = orders[0], orders[1]
    async with town.ordering.work(town.ordering.dispatcher) as work:
        await cancel_order(work, gone.id, "不需要了", None)
    stand_in = await town.hire(9)
    await town.ordering.assign(taken.id, [stand_in])
    with pytest.raises(PlanStale) as refused:
        await town.commit(plan.id, strict=True)
    assert {line["reason"] for line in refused.value.extra["left_out"]} == {"order_cancelled", "order_over"} or {
        line["reason"] for line in refused.value.extra["left_out"]
    } == {"order_cancelled", "taken_since"}
    bookings = await town.rows("SELECT count(*) FROM booking WHERE is_active AND centre_id = :c", c=plan.centre_id)
    assert bookings[0][0] == 1, "strict: nothing was done"
    done = await town.commit(plan.id)
    assert {line.order_id for line in done.left_out} == {gone.id, taken.id}
    assert all(line.words.zh and line.words.en for line in done.left_out)
    assert {line.order_id for line in done.done} == {order.id for order in orders[2:]}
    assert await broken_rules(town) == []


async def test_an_absence_since_the_preview_takes_only_her_visits_out(town: Township) -> None:
    await town.ordinary_day()
    plan = await town.planned()
    busy = max(plan.caregivers, key=lambda day: len(day.visits))
    hers = {visit.order_id for visit in busy.visits}
    await town.fall_ill(busy.caregiver_id)
    done = await town.commit(plan.id)
    assert {line.order_id for line in done.left_out} == hers
    assert {line.reason for line in done.left_out} == {"absent"}
    assert await broken_rules(town) == []


async def test_a_part_is_committed_and_then_the_rest(town: Township) -> None:
    orders = await town.ordinary_day()
    plan = await town.planned()
    one = plan.caregivers[0]
    part = await town.commit(plan.id, caregiver_ids=[one.caregiver_id])
    assert {line.order_id for line in part.done} >= {visit.order_id for visit in one.visits}
    assert part.plan.status is PlanStatus.READY
    again = await town.commit(plan.id, caregiver_ids=[one.caregiver_id])
    assert again.done == part.done
    with pytest.raises(UnknownSelection):
        await town.commit(plan.id, order_ids=[plan.id])
    rest = await town.commit(plan.id)
    assert rest.plan.status is PlanStatus.COMMITTED
    assert {line.order_id for line in rest.done} == {order.id for order in orders}
    assert await broken_rules(town) == []


async def test_pinned_and_begun_visits_stay(town: Township) -> None:
    """A caregiver far from a visit keeps it while it is pinned, though a better plan exists."""
    near, far = await town.hire(4), await town.hire(5, home_latitude=28.3 + 0.15)
    order = await town.order("companionship", 10, 16)
    await town.ordering.assign(order.id, [far])
    visit = (await town.ordering.read(order.id)).visits[0]
    async with town.ordering.work(town.ordering.dispatcher) as work:
        pinned = await pin_visit(work, visit.id, PinRequest(reason=REASON))
        again = await pin_visit(work, visit.id, PinRequest(reason="另一个原因"))
    assert (pinned.is_pinned, again.reason) == (True, REASON)
    plan = await town.planned(from_scratch)
    (kept,) = [one for day in plan.caregivers for one in day.visits]
    assert (kept.change, kept.is_pinned, kept.starts_at) == (ItemChange.KEPT, True, visit.starts_at)
    async with town.ordering.work(town.ordering.dispatcher) as work:
        assert not (await unpin_visit(work, visit.id, PinRequest(reason="家属改主意"))).is_pinned
    plan = await town.planned(from_scratch)
    (moved,) = [one for day in plan.caregivers for one in day.visits]
    assert moved.change is ItemChange.MOVED, plan.words
    assert moved.from_caregiver_id == far.id != near.id
    async with town.ordering.work(town.ordering.as_caregiver(far.id)) as work:
        await set_out(work, visit.id, None)
    done = await town.commit(plan.id)
    assert [line.reason for line in done.left_out] == ["order_over"]
    with pytest.raises(NotPinnable):
        async with town.ordering.work(town.ordering.dispatcher) as work:
            await pin_visit(work, visit.id, PinRequest(reason=REASON))
    (begun,) = [one for day in (await town.planned(from_scratch)).caregivers for one in day.visits]
    assert begun.change is ItemChange.KEPT


async def test_what_is_pinned_since_the_preview_is_left_out(town: Township) -> None:
    far = await town.hire(5, home_latitude=28.3 + 0.15)
    order = await town.order("companionship", 10, 16)
    await town.ordering.assign(order.id, [far])
    plan = await town.planned(from_scratch)
    visit = (await town.ordering.read(order.id)).visits[0]
    async with town.ordering.work(town.ordering.dispatcher) as work:
        await pin_visit(work, visit.id, PinRequest(reason=REASON))
    done = await town.commit(plan.id)
    assert [line.reason for line in done.left_out] == ["pinned_since"]
    assert (await town.ordering.read(order.id)).bookings[0].caregiver_id == far.id


async def test_keep_assigned_plans_only_what_is_open(town: Township) -> None:
    far = await town.hire(5, home_latitude=28.3 + 0.15)
    mine = await town.order("companionship", 10, 16)
    await town.ordering.assign(mine.id, [far])
    other = await town.order("cleaning", 9, 16)
    plan = await town.planned(keep_assigned=True)
    changes = {one.order_id: one.change for day in plan.caregivers for one in day.visits}
    assert changes == {mine.id: ItemChange.KEPT, other.id: ItemChange.ADDED}


async def test_what_nobody_can_do_is_left_with_reasons(town: Township) -> None:
    async with town.ordering.work() as work:
        await work.sql(text("UPDATE caregiver SET skills = '{cleaning}' WHERE id = :id"), {"id": town.team[0].id})
        await work.sql(text("DELETE FROM shift WHERE caregiver_id = :id"), {"id": town.team[1].id})
        await work.sql(
            text("UPDATE credential SET valid_until = '2021-01-01' WHERE caregiver_id = ANY (:ids)"),
            {"ids": [one.id for one in town.team[2:]]},
        )
    order = await town.order("bathing", 9, 12)
    plan = await town.planned()
    (left,) = plan.unassigned
    assert (left.order_id, left.change) == (order.id, ItemChange.UNASSIGNED)
    counted = {reason.code: reason.caregivers for reason in left.reasons}
    assert counted == {"missing_skill": 1, "not_on_shift": 1, "licence_expired": 2}
    assert plan.summary is not None
    assert plan.summary.after.unassigned == 1


async def test_a_team_is_planned_together_or_not_at_all(town: Township) -> None:
    for one in town.team[1:]:
        await town.fall_ill(one.id)
    await town.order("bathing_disabled", 9, 12)
    plan = await town.planned()
    assert (len(plan.unassigned), plan.caregivers) == (2, [])


async def test_continuity_and_the_wish_of_a_resident_decide_between_equals(town: Township) -> None:
    wished = town.team[2]
    await town.order("companionship", 9, 16, preferred_caregiver_id=wished.id)
    plan = await town.planned()
    assert [day.caregiver_id for day in plan.caregivers] == [wished.id]


async def test_a_caregiver_kept_apart_is_never_sent(town: Township) -> None:
    resident = town.ordering.world.here.households[0].resident
    allowed = town.team[3]
    async with town.ordering.work() as work:
        work.session.add_all(
            BlockedPair(
                resident_id=resident.id,
                caregiver_id=one.id,
                area_code=resident.area_code,
                asked_by=AskedBy.RESIDENT,
                reason="测试",
                created_at=work.now,
            )
            for one in town.team[:3]
        )
    for hour in (9, 11, 13):
        await town.order("companionship", hour, hour + 2)
    plan = await town.planned()
    assert [day.caregiver_id for day in plan.caregivers] == [allowed.id]


async def test_the_best_engine_there_is_keeps_every_rule(town: Township) -> None:
    """The annealing, or on a machine that is too busy the greedy engine, which then says why."""
    orders = await town.ordinary_day()
    plan = await town.planned(engine=EngineName.AUTO, seconds=4)
    assert plan.engine is EngineName.ANNEALING or "failed" in plan.words[0].en
    done = await town.commit(plan.id)
    assert ({line.order_id for line in done.done}, done.left_out) == ({order.id for order in orders}, [])
    assert await broken_rules(town) == []


async def test_what_the_engine_is_given(town: Township) -> None:
    """The weights of the data, everybody's break, the running plan, and what is promised before what is open."""
    promised = await town.order("cleaning", 9, 16)
    await town.ordering.assign(promised.id, [town.team[0]], starts_at=town.at(10))
    await town.order("companionship", 9, 16)
    await town.order("companionship", 9, 16, is_urgent=True)
    seen: list[tuple[Problem, Options]] = []

    async def look(problem: Problem, options: Options, now: int) -> Plan:
        seen.append((problem, options))
        return await computing.solve_day(problem, options, now)

    await town.planned(look)
    ((problem, options),) = seen
    rules = planning_rules()
    assert (options.weights, options.seed) == (rules.day, 1)
    assert [entry.caregiver for entry in problem.running] == [str(town.team[0].id)]
    assert sorted(visit.priority for visit in problem.visits) == sorted(
        [rules.priorities.open, rules.priorities.urgent, rules.priorities.promised]
    )
    at_work = {one.key: one for one in problem.caregivers if one.shifts}
    assert at_work.keys() == {str(one.id) for one in town.team}
    assert all(one.shifts == ((8 * 3600, 17 * 3600),) and len(one.breaks) == 1 for one in at_work.values())


async def from_scratch(problem: Problem, options: Options, now: int) -> Plan:
    """An engine that forgets what runs: it takes the nearest for everything that is not fixed."""
    return await computing.solve_day(replace(problem, running=()), options, now)


async def test_lists_and_dismissal(town: Township) -> None:
    plan_id = await town.request()
    async with town.ordering.work(town.ordering.dispatcher) as work:
        found = await list_plans(work, 20, None, None, town.day, [PlanStatus.COMPUTING], None)
        assert [one.id for one in found] == [plan_id]
        with pytest.raises(VersionMismatch):
            await dismiss_plan(work, plan_id, PlanDismiss(reason="不用了"), 7)
        first = await dismiss_plan(work, plan_id, PlanDismiss(reason="不用了"), None)
        assert first == await dismiss_plan(work, plan_id, PlanDismiss(reason="再次"), None)
    await town.compute()
    assert (await town.read(plan_id)).status is PlanStatus.DISMISSED
    with pytest.raises(PlanNotReady):
        await town.commit(plan_id)


async def test_another_town_finds_no_plan(town: Township) -> None:
    plan = await town.planned()
    stranger = town.ordering.actor(Role.DISPATCHER, town.ordering.world.neighbour)
    with pytest.raises(NotFound):
        await town.read(plan.id, stranger)
    with pytest.raises(NotFound):
        await town.commit(plan.id, stranger)
    async with town.ordering.work(stranger) as work:
        assert await list_plans(work, 20, None, None, None, [], None) == []


async def test_a_commit_for_an_old_version_is_refused(town: Township) -> None:
    await town.ordinary_day()
    plan = await town.planned()
    with pytest.raises(VersionMismatch):
        async with town.ordering.work(town.ordering.dispatcher) as work:
            await commit_plan(work, plan.id, PlanCommit(), plan.version + 1)
    assert (await town.read(plan.id)).status is PlanStatus.READY


async def test_orders_with_pending_offers_are_taken_along(ordering: Ordering, town: Township) -> None:
    order = await town.order("companionship", 9, 16)
    await ordering.offer(order.id, [town.team[0]])
    plan = await town.planned()
    await town.commit(plan.id)
    detail = await ordering.read(order.id)
    assert detail.status is OrderStatus.ASSIGNED
    assert {offer.status for offer in detail.offers} == {"superseded"}
