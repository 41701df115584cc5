"""What goes wrong during the day, and the proposal that answers it with the fewest changes."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from services.core.actor import Role
from services.dispatch.day_plans import computing
from services.dispatch.day_plans.errors import NothingToRepair
from services.dispatch.day_plans.models import PlanKind, RepairCause
from services.dispatch.day_plans.pins import pin_visit
from services.dispatch.day_plans.repairing import repair_absence, repair_order
from services.dispatch.day_plans.service import read_policy, set_policy
from services.dispatch.day_plans.states import ItemChange, PlanStatus
from services.dispatch.day_plans.views import DayPlanPublic, PinRequest, PlanningPolicyChange
from services.orders.states import OrderStatus
from tests.township import Township


def changes(plan: DayPlanPublic) -> dict[UUID, ItemChange]:
    """What a proposal would change, by order."""
    places = [visit for day in plan.caregivers for visit in day.visits]
    return {
        one.order_id: one.change
        for one in [*places, *plan.unassigned]
        if one.change not in (ItemChange.KEPT, ItemChange.UNASSIGNED)
    }


async def running_day(town: Township) -> DayPlanPublic:
    """A day of which everything is assigned; what people were told about it is forgotten."""
    await town.ordinary_day()
    plan = await town.planned()
    await town.commit(plan.id)
    async with town.ordering.work() as work:
        await work.sql(text("DELETE FROM notification_attempt WHERE area_code LIKE :area"), area(town))
        await work.sql(text("DELETE FROM notification WHERE area_code LIKE :area"), area(town))
    return plan


def area(town: Township) -> dict[str, str]:
    return {"area": f"{town.ordering.world.here.town}%"}


async def test_an_absence_moves_her_visits_and_tells_exactly_those_concerned(town: Township) -> None:
    plan = await running_day(town)
    ill = min(plan.caregivers, key=lambda day: len(day.visits))
    hers = {visit.order_id for visit in ill.visits}
    before = {(visit.order_id, visit.place_no): visit for day in plan.caregivers for visit in day.visits}
    await town.absent(ill.caregiver_id)
    (proposal,) = await town.proposals()
    repair = await town.read(proposal)
    assert (repair.kind, repair.cause) == (PlanKind.REPAIR, RepairCause.ABSENCE)
    found = changes(repair)
    assert hers <= found.keys()
    assert len(found) <= len(hers) + 2, "few others are moved for it"
    assert all(visit.caregiver_id != ill.caregiver_id for visit in repair.caregivers)

    done = await town.commit(proposal)
    assert done.left_out == []
    affected, retimed = {ill.caregiver_id}, set()
    for day in repair.caregivers:
        for visit in day.visits:
            if visit.change is not ItemChange.KEPT:
                affected.add(day.caregiver_id)
                assert visit.from_caregiver_id is not None
                affected.add(visit.from_caregiver_id)
            if visit.starts_at != before[visit.order_id, visit.place_no].starts_at:
                retimed.add(visit.order_id)
                assert visit.window_start <= visit.starts_at <= visit.ends_at <= visit.window_end
    expected = {await town.account_of(one): ["day_changed"] for one in affected}
    household = town.ordering.world.here.households[0]
    for account in (household.account.id, household.family.id):
        if retimed:
            expected[account] = ["visit_retimed"] * len(retimed)
    assert await town.told() == expected


async def test_a_household_is_told_the_new_time(town: Township) -> None:
    """The stand-in is busy at the old hour: the visit moves inside its window, and the household hears when."""
    first, second = town.team[:2]
    for one in town.team[2:]:
        await town.fall_ill(one.id)
    order = await town.order("cleaning", 9, 16)
    await town.ordering.assign(order.id, [first], starts_at=town.at(10))
    other = await town.order("cleaning", 10, 11)
    await town.ordering.assign(other.id, [second], starts_at=town.at(10))
    await town.absent(first.id)
    (proposal,) = await town.proposals()
    repair = await town.read(proposal)
    assert changes(repair) == {order.id: ItemChange.MOVED}
    await town.commit(proposal)
    (visit,) = [one for one in (await town.ordering.read(order.id)).visits if one.status == "scheduled"]
    assert visit.caregiver_id == second.id
    rows = await town.rows(
        "SELECT account_id, parameters FROM notification WHERE centre_id = :c AND template = 'visit_retimed'",
        c=repair.centre_id,
    )
    household = town.ordering.world.here.households[0]
    assert {row[0] for row in rows} == {household.account.id, household.family.id}
    local = visit.starts_at.astimezone(town.at(0).tzinfo)
    assert rows[0][1] == {"day": town.day.isoformat(), "time": f"{local:%H:%M}"}


async def test_nobody_waits_for_her_nothing_is_proposed(town: Township) -> None:
    await town.absent(town.team[0].id)
    assert await town.proposals() == []


async def test_the_event_twice_leaves_one_proposal(town: Township) -> None:
    plan = await running_day(town)
    event = await town.fall_ill(plan.caregivers[0].caregiver_id)
    for _ in range(2):
        async with town.ordering.work() as work:
            await repair_absence(work, event)
        await town.compute()
    assert len(await town.proposals()) == 1


async def test_what_is_pinned_to_her_waits_for_a_person(town: Township) -> None:
    order = await town.order("cleaning", 9, 16)
    await town.ordering.assign(order.id, [town.team[0]], starts_at=town.at(10))
    visit = (await town.ordering.read(order.id)).visits[0]
    async with town.ordering.work(town.ordering.dispatcher) as work:
        await pin_visit(work, visit.id, PinRequest(reason="家属指定"))
    await town.absent(town.team[0].id)
    (proposal,) = await town.proposals()
    (day,) = (await town.read(proposal)).caregivers
    assert day.visits[0].warning is not None
    assert day.visits[0].change is ItemChange.KEPT


async def test_nobody_left_gives_the_order_back_to_the_board(town: Township) -> None:
    for one in town.team[1:]:
        await town.fall_ill(one.id)
    order = await town.order("cleaning", 9, 16)
    await town.ordering.assign(order.id, [town.team[0]], starts_at=town.at(10))
    await town.absent(town.team[0].id)
    (proposal,) = await town.proposals()
    repair = await town.read(proposal)
    assert [left.change for left in repair.unassigned] == [ItemChange.DROPPED]
    assert repair.unassigned[0].reasons
    await town.commit(proposal)
    detail = await town.ordering.read(order.id)
    assert (detail.status, detail.bookings) == (OrderStatus.PLACED, [])
    assert {visit.status for visit in detail.visits} == {"cancelled"}


async def test_a_visit_that_overruns_moves_the_next_one(town: Township) -> None:
    """In service ten minutes past the end, and the next visit begins in five: somebody else, or later."""
    one = town.team[0]
    first = await town.order("cleaning", 8.5, 10)
    await town.ordering.assign(first.id, [one], starts_at=town.at(9))
    following = await town.order("cleaning", 10, 14, east=2)
    await town.ordering.assign(following.id, [one], starts_at=town.at(10.25))
    visit = (await town.ordering.read(first.id)).visits[0]
    town.ordering.clock.forward(hours=2)
    await town.ordering.check_in(first, visit.id, one.id)
    town.ordering.clock.forward(minutes=50)
    assert await town.watched() == 0, "there is time enough"
    town.ordering.clock.forward(minutes=20)
    assert await town.watched() == 1
    assert await town.watched() == 0, "once in a while"
    await town.compute()
    (proposal,) = await town.proposals()
    repair = await town.read(proposal)
    assert repair.cause is RepairCause.OVERRUN
    assert changes(repair).keys() == {following.id}
    assert (await town.commit(proposal)).left_out == []
    moved = [one for one in (await town.ordering.read(following.id)).visits if one.status == "scheduled"]
    assert moved[0].starts_at > town.at(10.25) or moved[0].caregiver_id != one.id


async def test_an_urgent_order_finds_room_by_moving_another(town: Township) -> None:
    """Everybody is busy; one visit can wait, and makes room."""
    for one in town.team[1:]:
        await town.fall_ill(one.id)
    busy = town.team[0]
    later = await town.order("cleaning", 9, 16)
    await town.ordering.assign(later.id, [busy], starts_at=town.at(10))
    urgent = await town.order("companionship", 10, 11, is_urgent=True)
    assert await town.watched() == 0, "the desk has three minutes"
    town.ordering.clock.forward(minutes=4)
    assert await town.watched() == 1
    await town.compute()
    (proposal,) = await town.proposals()
    repair = await town.read(proposal)
    assert changes(repair) == {urgent.id: ItemChange.ADDED, later.id: ItemChange.RETIMED}
    assert (await town.commit(proposal)).left_out == []
    assert (await town.ordering.read(urgent.id)).status is OrderStatus.ASSIGNED


async def test_a_dispatcher_asks_for_one_order(town: Township) -> None:
    order = await town.order("companionship", 10, 11)
    other = await town.order("companionship", 10, 11)
    async with town.ordering.work(town.ordering.dispatcher) as work:
        asked = await repair_order(work, order.id)
    await town.compute()
    repair = await town.read(asked.id)
    assert changes(repair) == {order.id: ItemChange.ADDED}, "other open orders are none of its business"
    await town.commit(asked.id)
    with pytest.raises(NothingToRepair):
        async with town.ordering.work(town.ordering.dispatcher) as work:
            await repair_order(work, order.id)
    assert (await town.ordering.read(other.id)).status is OrderStatus.PLACED


async def test_repairs_commit_themselves_where_the_centre_says_so(town: Township) -> None:
    plan = await running_day(town)
    await town.absent(plan.caregivers[0].caregiver_id)
    assert await computing.commit_waiting_repairs(town.ordering.database) == 0
    manager = town.ordering.actor(Role.CENTRE_MANAGER)
    centre_id = town.ordering.world.here.centre.id
    town.ordering.clock.forward(seconds=1)
    async with town.ordering.work(manager) as work:
        assert (await read_policy(work, centre_id)).version == 0
        policy = await set_policy(work, centre_id, PlanningPolicyChange(repairs_commit_themselves=True), 0)
        assert policy.repairs_commit_themselves
    assert await computing.commit_waiting_repairs(town.ordering.database) == 0, "older proposals wait for a person"
    await town.absent(plan.caregivers[1].caregiver_id)
    assert await computing.commit_waiting_repairs(town.ordering.database) == 1
    assert await computing.commit_waiting_repairs(town.ordering.database) == 0
    rows = await town.rows(
        "SELECT count(*) FROM booking WHERE is_active AND caregiver_id = :id", id=plan.caregivers[1].caregiver_id
    )
    assert rows[0][0] == 0


async def test_a_proposal_that_came_too_late_changes_nothing(town: Township) -> None:
    order = await town.order("cleaning", 9, 16)
    await town.ordering.assign(order.id, [town.team[0]], starts_at=town.at(10))
    await town.absent(town.team[0].id)
    (proposal,) = await town.proposals()
    town.ordering.clock.forward(hours=9, minutes=30)
    done = await town.commit(proposal)
    assert [line.reason for line in done.left_out] == ["in_the_past"]
    assert done.plan.status is PlanStatus.COMMITTED
    assert timedelta(0) < town.ordering.clock.now() - town.at(16)
