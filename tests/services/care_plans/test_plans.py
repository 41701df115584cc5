"""Recurring plans at work: orders made ahead once, pauses, single days, problems, and many workers at once."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlmodel import select

from services.care_plans import generating
from services.care_plans.errors import DayPassed, NeverInPlan, NotADayOfPlan, NotPaused, PauseOverlaps, RuleInvalid
from services.care_plans.limits import plan_limits
from services.care_plans.service import (
    list_occurrences,
    list_plans,
    make_due_orders,
    make_plan,
    preview,
    read_plan,
    resume_plan,
)
from services.care_plans.views import (
    EndRequest,
    OccurrenceCancel,
    OccurrenceChange,
    OccurrencePublic,
    PauseCreate,
    PlanContent,
    PlanCreate,
    PlanPublic,
    ResumeRequest,
)
from services.catalogue.models import CentreItem, ServiceItem
from services.core.actor import Actor, Role
from services.core.clock import BUSINESS_ZONE
from services.core.database import Work
from services.core.errors import Forbidden, NotFound
from services.dispatch import plan_changes
from services.dispatch.service import cancel_order
from services.orders import placing
from services.orders.errors import ItemsRefused, MayNotOrder, TakenAlready, WindowInvalid
from services.orders.models import Channel, OrderPublic
from services.orders.service import list_orders
from services.residents.models import CareRelationship
from tests.ordering import Ordering

MORNING = [{"start": "09:00", "end": "11:30"}]
HORIZON = plan_limits().horizon.days


@dataclass(slots=True)
class Planning:
    """A centre on Monday, 23 November 2026, eight in the morning, and its first household."""

    ordering: Ordering

    @property
    def today(self) -> date:
        return self.ordering.clock.now().astimezone(BUSINESS_ZONE).date()

    def content(self, **more: Any) -> dict[str, Any]:
        return {
            "items": [{"item_code": "bathing"}],
            "rrule": "FREQ=WEEKLY;BYDAY=TU,TH",
            "starts_on": self.today,
            "times": MORNING,
            **more,
        }

    async def plan(self, actor: Actor | None = None, **more: Any) -> PlanPublic:
        wish = PlanCreate(resident_id=self.ordering.world.here.households[0].resident.id, **self.content(**more))
        async with self.ordering.work(actor or self.ordering.resident) as work:
            return await make_plan(work, wish)

    async def run(self) -> None:
        """What the worker does, until nothing of ours is due."""
        more = 1
        while more:
            async with self.ordering.work() as work:
                more = await make_due_orders(work, 50)

    async def read(self, plan: PlanPublic, role: Role = Role.RESIDENT) -> PlanPublic:
        async with self.ordering.work(self.ordering.actor(role)) as work:
            return await read_plan(work, plan.id)

    async def days(self, plan: PlanPublic, limit: int = 6, since: date | None = None) -> list[OccurrencePublic]:
        async with self.ordering.work(self.ordering.resident) as work:
            return await list_occurrences(work, plan.id, limit, since)

    async def orders(self, plan: PlanPublic) -> list[OrderPublic]:
        """All orders of the plan, by their time."""
        async with self.ordering.work(self.ordering.dispatcher) as work:
            found = await list_orders(work, 100, None, [], None, plan.id)
        return sorted(found, key=lambda order: (order.window_start, order.id))

    async def live(self, plan: PlanPublic) -> list[str]:
        """The days on which somebody is to come."""
        return [
            order.window_start.astimezone(BUSINESS_ZONE).date().isoformat()[5:]
            for order in await self.orders(plan)
            if order.status != "cancelled"
        ]

    async def pause(self, plan: PlanPublic, first: str, last: str | None = None) -> None:
        until = None if last is None else date.fromisoformat(last)
        wish = PauseCreate(from_day=date.fromisoformat(first), until_day=until, reason="住院")
        async with self.ordering.work(self.ordering.resident) as work:
            await plan_changes.pause_plan(work, plan.id, wish, None)

    async def resume(self, plan: PlanPublic, on_day: str) -> None:
        async with self.ordering.work(self.ordering.resident) as work:
            await resume_plan(work, plan.id, ResumeRequest(on_day=date.fromisoformat(on_day)), None)

    async def change_day(self, plan: PlanPublic, day: str, **said: Any) -> None:
        async with self.ordering.work(self.ordering.resident) as work:
            await plan_changes.change_occurrence(work, plan.id, date.fromisoformat(day), OccurrenceChange(**said))

    async def cancel_day(self, plan: PlanPublic, day: str) -> None:
        async with self.ordering.work(self.ordering.resident) as work:
            wish = OccurrenceCancel(reason="女儿在家")
            await plan_changes.cancel_occurrence(work, plan.id, date.fromisoformat(day), wish)

    async def change(self, plan: PlanPublic, **more: Any) -> None:
        content = PlanContent(**self.content(**more))
        async with self.ordering.work(self.ordering.resident) as work:
            await plan_changes.change_plan(work, plan.id, content, None)


@pytest.fixture
async def planning(ordering: Ordering) -> Planning:
    """At a fixed time; whatever plans other tests have left wait for another year."""
    monday = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
    ordering.clock.forward(seconds=(monday - ordering.clock.now()).total_seconds())
    async with ordering.work() as work:
        await work.sql(text("UPDATE care_plan SET next_run_at = '2099-01-01Z'"))
    return Planning(ordering)


async def test_orders_are_made_ahead_once(planning: Planning) -> None:
    plan = await planning.plan()
    assert (plan.orders_made_until, plan.problems) == (None, [])
    await planning.run()
    ahead = ["11-24", "11-26", "12-01", "12-03"]
    assert await planning.live(plan) == ahead
    order = (await planning.orders(plan))[0]
    assert (order.care_plan_id, order.channel) == (plan.id, Channel.APP)
    assert (order.window_start, order.window_end) == (
        datetime(2026, 11, 24, 1, 0, tzinfo=UTC),
        datetime(2026, 11, 24, 3, 30, tzinfo=UTC),
    )
    assert order.quote_id is not None
    await planning.run()
    assert await planning.live(plan) == ahead, "nothing is due twice on a day"
    planning.ordering.clock.forward(days=1)
    await planning.run()
    assert await planning.live(plan) == [*ahead, "12-08"]
    assert (await planning.read(plan)).orders_made_until == planning.today + timedelta(days=HORIZON)


async def test_two_workers_at_once_make_every_order_once(planning: Planning) -> None:
    plans = [await planning.plan(rrule="FREQ=DAILY") for _ in range(6)]

    async def worker() -> None:
        async with planning.ordering.work() as work:
            await make_due_orders(work, 50)

    await asyncio.gather(*(worker() for _ in range(8)))
    await planning.run()
    for plan in plans:
        days = await planning.live(plan)
        assert len(days) == len(set(days)) == HORIZON + 1


async def test_killed_in_the_middle_nothing_is_half_made(
    planning: Planning, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The unit of work dies after three orders: none of them is there, and the next worker makes all."""
    plan = await planning.plan(rrule="FREQ=DAILY")
    place, made = placing.place, list[int]()

    async def dies(*given: Any) -> Any:
        if len(made) == 3:
            raise asyncio.CancelledError
        made.append(1)
        return await place(*given)

    monkeypatch.setattr(generating, "place", dies)
    with pytest.raises(asyncio.CancelledError):
        await planning.run()
    monkeypatch.undo()
    assert len(made) == 3
    assert await planning.live(plan) == []
    await planning.run()
    assert len(await planning.live(plan)) == HORIZON + 1


async def test_a_broken_plan_stops_no_other_and_is_shown(planning: Planning) -> None:
    broken, sound = await planning.plan(), await planning.plan()
    async with planning.ordering.work() as work:
        await work.sql(text("UPDATE care_plan SET rrule = 'nonsense' WHERE id = :id"), {"id": broken.id})
    await planning.run()
    assert await planning.live(sound) == ["11-24", "11-26", "12-01", "12-03"]
    async with planning.ordering.work() as work:
        row = (
            await work.sql(
                text("SELECT failures, failure, next_run_at FROM care_plan WHERE id = :id"), {"id": broken.id}
            )
        ).one()
    assert (row.failures, row.failure) == (1, "ValueError")
    assert row.next_run_at == planning.ordering.clock.now() + timedelta(minutes=1)
    async with planning.ordering.work() as work:
        await work.sql(text("UPDATE care_plan SET rrule = 'FREQ=DAILY' WHERE id = :id"), {"id": broken.id})
    planning.ordering.clock.forward(minutes=2)
    await planning.run()
    assert len(await planning.live(broken)) == HORIZON + 1
    assert (await planning.read(broken)).failure is None


async def test_what_cannot_be_made_is_shown_and_tried_again(planning: Planning) -> None:
    plan = await planning.plan(rrule="FREQ=WEEKLY;BYDAY=TU")
    centre = planning.ordering.world.here.centre
    async with planning.ordering.work() as work:
        found = await work.session.exec(select(ServiceItem.id).where(ServiceItem.code == "bathing"))
        work.session.add(
            CentreItem(
                centre_id=centre.id,
                item_id=found.one(),
                area_code=centre.area_code,
                is_offered=False,
                changed_at=work.now,
            )
        )
    await planning.run()
    assert await planning.live(plan) == []
    seen = await planning.read(plan)
    assert [problem.day.isoformat() for problem in seen.problems] == ["2026-11-24", "2026-12-01"]
    (item,) = seen.problems[0].problem["items"]  # type: ignore[index]
    assert [problem["code"] for problem in item["problems"]] == ["not_offered_here"]
    assert [day.state for day in await planning.days(plan, 3)] == ["problem", "problem", "planned"]
    async with planning.ordering.work() as work:
        await work.sql(text("DELETE FROM centre_item WHERE centre_id = :centre"), {"centre": centre.id})
    planning.ordering.clock.forward(seconds=plan_limits().retry.total_seconds())
    await planning.run()
    assert await planning.live(plan) == ["11-24", "12-01"]
    assert (await planning.read(plan)).problems == []


async def test_a_day_that_came_while_it_could_not_be_made_is_missed(planning: Planning) -> None:
    plan = await planning.plan(rrule="FREQ=DAILY", items=[{"item_code": "bathing"}])
    async with planning.ordering.work() as work:
        await work.sql(
            text("UPDATE care_relationship SET ended_at = :at WHERE account_id = :id"),
            {"at": work.now, "id": planning.ordering.actor(Role.FAMILY).account_id},
        )
        await work.sql(text("UPDATE care_plan SET channel = 'family', planned_by = :by WHERE id = :id"),
                       {"by": planning.ordering.actor(Role.FAMILY).account_id, "id": plan.id})  # fmt: skip
    await planning.run()
    assert {day.problem["code"] for day in (await planning.read(plan)).problems if day.problem} == {
        "may_not_order"
    }
    planning.ordering.clock.forward(hours=5)  # past nine o'clock
    await planning.run()
    first, second = await planning.days(plan, 2)
    assert (first.day, first.state, second.state) == (planning.today, "missed", "problem")


async def test_days_that_passed_while_no_worker_ran_are_written_down(planning: Planning) -> None:
    plan = await planning.plan(rrule="FREQ=WEEKLY;BYDAY=TU")
    await planning.run()
    planning.ordering.clock.forward(days=30)
    await planning.run()
    states = {day.day.isoformat()[5:]: day.state for day in await planning.days(plan, 8, date(2026, 11, 23))}
    assert states["12-01"] == "ordered"
    assert (states["12-08"], states["12-15"], states["12-22"]) == ("missed", "missed", "missed")
    assert (states["12-29"], states["01-05"]) == ("ordered", "ordered")


async def test_a_pause_cancels_and_resuming_makes_again(planning: Planning) -> None:
    plan = await planning.plan(rrule="FREQ=WEEKLY;BYDAY=TU,TH")
    await planning.run()
    await planning.pause(plan, "2026-11-25")
    await planning.pause(plan, "2026-11-25")  # a double tap
    assert await planning.live(plan) == ["11-24"]
    cancelled = [order for order in await planning.orders(plan) if order.status == "cancelled"]
    assert {order.cancel_reason for order in cancelled} == {"care_plan_paused"}
    planning.ordering.clock.forward(days=2)
    await planning.run()
    assert await planning.live(plan) == ["11-24"]
    seen = await planning.read(plan)
    assert (seen.is_paused, len(seen.pauses)) == (True, 1)
    assert [day.state for day in await planning.days(plan, 2)] == ["paused", "paused"]
    await planning.resume(plan, "2026-12-01")
    await planning.resume(plan, "2026-12-01")
    await planning.run()
    assert await planning.live(plan) == ["11-24", "12-01", "12-03", "12-08"]
    assert not (await planning.read(plan)).is_paused or planning.today < date(2026, 12, 1)
    with pytest.raises(NotPaused):
        await planning.resume(plan, "2026-12-09")


async def test_pauses_that_make_no_sense(planning: Planning) -> None:
    plan = await planning.plan()
    await planning.pause(plan, "2026-12-01", "2026-12-10")
    with pytest.raises(PauseOverlaps):
        await planning.pause(plan, "2026-12-10")
    with pytest.raises(DayPassed):
        await planning.pause(plan, "2026-11-22", "2026-11-25")


async def test_a_pause_takes_bookings_and_visits_back(planning: Planning) -> None:
    plan = await planning.plan()
    await planning.run()
    first = (await planning.orders(plan))[0]
    await planning.ordering.assign(first.id, await planning.ordering.add_caregivers(1))
    await planning.pause(plan, "2026-11-24", "2026-11-25")
    detail = await planning.ordering.read(first.id)
    assert (detail.status, detail.bookings, [visit.status for visit in detail.visits]) == (
        "cancelled",
        [],
        ["cancelled"],
    )


async def test_single_days_survive_everything_that_is_made_later(planning: Planning) -> None:
    plan = await planning.plan()
    await planning.run()
    await planning.cancel_day(plan, "2026-11-26")
    await planning.cancel_day(plan, "2026-11-26")
    afternoon = [{"start": "14:00", "end": "16:30"}]
    await planning.change_day(plan, "2026-12-01", service_day="2026-12-02", times=afternoon, note="带轮椅")
    await planning.change_day(plan, "2026-12-01", service_day="2026-12-02", times=afternoon, note="带轮椅")
    await planning.run()
    assert await planning.live(plan) == ["11-24", "12-02", "12-03"]
    moved = next(order for order in await planning.orders(plan) if order.note == "带轮椅")
    assert moved.window_start == datetime(2026, 12, 2, 6, 0, tzinfo=UTC)
    await planning.change(plan, times=[{"start": "08:30", "end": "11:00"}])
    for _ in range(3):
        planning.ordering.clock.forward(days=1)
        await planning.run()
    assert await planning.live(plan) == ["11-24", "12-02", "12-03", "12-08", "12-10"]
    assert (await planning.ordering.read(moved.id)).status == "placed"
    states = {
        day.day.isoformat()[5:]: (day.state, day.zh) for day in await planning.days(plan, 6, date(2026, 11, 23))
    }
    assert states["11-26"][0] == "cancelled"
    assert states["12-01"] == (
        "ordered",
        "2026年12月2日（周三）14:00–16:30 助浴（能自行活动者）（由2026年12月1日（周二）改期）",
    )


async def test_a_changed_plan_replaces_only_what_no_longer_fits(planning: Planning) -> None:
    plan = await planning.plan()
    await planning.run()
    before = {order.id for order in await planning.orders(plan)}
    await planning.change(plan, rrule="FREQ=WEEKLY;BYDAY=TU,FR")
    await planning.run()
    orders = await planning.orders(plan)
    assert await planning.live(plan) == ["11-24", "11-27", "12-01", "12-04"]
    kept = [order for order in orders if order.id in before and order.status != "cancelled"]
    assert [order.window_start.astimezone(BUSINESS_ZONE).isoformat()[5:10] for order in kept] == ["11-24", "12-01"]
    await planning.change(plan, rrule="FREQ=WEEKLY;BYDAY=TU,FR", wishes={"note": "请敲后门"})
    await planning.run()
    live = [order for order in await planning.orders(plan) if order.status != "cancelled"]
    assert [order.note for order in live] == ["请敲后门"] * 4


async def test_ending_takes_back_what_lies_beyond(planning: Planning) -> None:
    plan = await planning.plan()
    await planning.run()
    wish = EndRequest(last_day=date(2026, 11, 26), reason="转入养老院")
    for _ in range(2):
        async with planning.ordering.work(planning.ordering.resident) as work:
            await plan_changes.end_plan(work, plan.id, wish, None)
    await planning.run()
    assert await planning.live(plan) == ["11-24", "11-26"]
    planning.ordering.clock.forward(days=4)
    await planning.run()
    assert (await planning.read(plan)).status == "ended"
    short = await planning.plan(rrule="FREQ=DAILY;COUNT=2", starts_on=planning.today)
    await planning.run()
    planning.ordering.clock.forward(days=40)
    await planning.run()
    assert (await planning.read(short)).status == "ended"


async def test_a_cancelled_order_of_a_plan_is_not_made_again(planning: Planning) -> None:
    plan = await planning.plan()
    await planning.run()
    first = (await planning.orders(plan))[0]
    async with planning.ordering.work(planning.ordering.resident) as work:
        await cancel_order(work, first.id, "今天不舒服", None)
    planning.ordering.clock.forward(days=1)
    await planning.run()
    assert "11-24" not in await planning.live(plan)


async def test_a_day_that_somebody_has_taken_is_released_first(planning: Planning) -> None:
    plan = await planning.plan()
    await planning.run()
    first = (await planning.orders(plan))[0]
    await planning.ordering.assign(first.id, await planning.ordering.add_caregivers(1))
    with pytest.raises(TakenAlready):
        await planning.change_day(plan, "2026-11-24", note="改")
    with pytest.raises(NotADayOfPlan):
        await planning.change_day(plan, "2026-11-25", note="改")
    with pytest.raises(WindowInvalid):
        await planning.change_day(plan, "2026-11-26", times=[{"start": "09:00", "end": "09:30"}])
    await planning.cancel_day(plan, "2026-11-24")
    assert (await planning.ordering.read(first.id)).bookings == []


@pytest.mark.parametrize(
    ("role", "channel"),
    [
        (Role.RESIDENT, Channel.APP),
        (Role.FAMILY, Channel.FAMILY),
        (Role.DISPATCHER, Channel.PHONE),
        (Role.CLINICIAN, Channel.CARE_PLAN),
    ],
)
async def test_who_plans_and_how_its_orders_come(planning: Planning, role: Role, channel: Channel) -> None:
    actor = planning.ordering.actor(role)
    caller = {"caller": {"name": "王女士", "relation": "女儿"}} if role is Role.DISPATCHER else {}
    plan = await planning.plan(actor, **caller)
    await planning.run()
    order = (await planning.orders(plan))[0]
    assert (plan.channel, order.channel) == (channel, channel)
    assert (order.caller is not None) is (role is Role.DISPATCHER)


async def test_who_does_not_plan(planning: Planning) -> None:
    with pytest.raises(Forbidden):
        await planning.plan(planning.ordering.actor(Role.COUNTY_OFFICER))
    with pytest.raises(NotFound):
        await planning.plan(planning.ordering.actor(Role.RESIDENT, number=1))
    family = planning.ordering.actor(Role.FAMILY)
    async with planning.ordering.work() as work:
        relation = await _relation(work, family.account_id)
        relation.may_order = False
    with pytest.raises(MayNotOrder):
        await planning.plan(family)


async def _relation(work: Work, account_id: UUID | None) -> CareRelationship:
    found = await work.session.exec(select(CareRelationship).where(CareRelationship.account_id == account_id))
    return found.one()


async def test_plans_that_cannot_be(planning: Planning) -> None:
    with pytest.raises(RuleInvalid):
        await planning.plan(rrule="FREQ=HOURLY")
    with pytest.raises(ItemsRefused):
        await planning.plan(items=[{"item_code": "no_such_item"}])
    with pytest.raises(WindowInvalid):
        await planning.plan(times=[{"start": "09:00", "end": "09:30"}])
    with pytest.raises(NeverInPlan):
        await planning.plan(ends_on=planning.today, starts_on=planning.today)


async def test_a_preview_in_words(planning: Planning) -> None:
    content = PlanContent(**planning.content(holiday_policy="move", starts_on="2026-12-29", ends_on="2027-06-30"))
    async with planning.ordering.work(planning.ordering.resident) as work:
        told = await preview(work, content, 2)
    assert told.zh == (
        "每周二、周四 09:00–11:30，自2026年12月29日（周二）起，到2027年6月30日（周三）止，"
        "遇法定节假日顺延到下一个工作日"
    )
    assert [day.zh for day in told.occurrences] == [
        "2026年12月29日（周二）09:00–11:30 助浴（能自行活动者）",
        "2026年12月31日（周四）09:00–11:30 助浴（能自行活动者）",
    ]
    async with planning.ordering.work(planning.ordering.resident) as work:
        later = (await preview(work, content, 3)).occurrences[2]
    assert (later.day, later.holidays_published) == (date(2027, 1, 5), False)
    assert later.en.endswith("(public holidays of that year are not published yet)")


async def test_supervisors_read_no_free_words_and_plans_end_at_the_walls(planning: Planning) -> None:
    plan = await planning.plan(title="压疮护理", wishes={"note": "糖尿病"})
    await planning.pause(plan, "2026-12-01", "2026-12-03")
    seen = await planning.read(plan, Role.COUNTY_OFFICER)
    assert (seen.title, seen.wishes.note, [pause.reason for pause in seen.pauses]) == ("", "", [""])
    assert seen.resident_name.endswith("*")
    world = planning.ordering.world
    for actor in (
        planning.ordering.actor(Role.RESIDENT, number=1),
        planning.ordering.actor(Role.DISPATCHER, world.neighbour),
    ):
        async with planning.ordering.work(actor) as work:
            assert await list_plans(work, 20, None, None, []) == []
            with pytest.raises(NotFound):
                await read_plan(work, plan.id)
            rows = await work.sql(text("SELECT id FROM care_plan WHERE id = :id"), {"id": plan.id})
            assert rows.all() == []
