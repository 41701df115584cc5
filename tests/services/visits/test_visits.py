"""Visits from the way there to the review."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from services.core.actor import Role
from services.core.errors import NotFound
from services.dispatch.service import cancel_order
from services.orders.states import OrderStatus
from services.visits.errors import NotUnderReview, TeamIncomplete, UnknownTask, VisitCancelled
from services.visits.models import ReviewRequest, VisitReading
from services.visits.service import check_in, get_visit, list_visits, review, set_out
from services.visits.states import VisitStatus
from tests.ordering import HOME, Ordering, same_moment


async def test_a_visit_with_nothing_wrong_is_verified(ordering: Ordering) -> None:
    order, detail = await ordering.assigned()
    (visit,) = detail.visits
    async with ordering.work(ordering.as_caregiver(visit.caregiver_id)) as work:
        on_the_way = await set_out(work, visit.id, None)
    assert on_the_way.status is VisitStatus.EN_ROUTE
    assert (await ordering.read(order.id)).status is OrderStatus.IN_PROGRESS
    ordering.clock.forward(minutes=20)
    inside = await ordering.check_in(order, visit.id, visit.caregiver_id)
    assert (inside.status, inside.flags) == (VisitStatus.IN_SERVICE, [])
    ordering.clock.forward(minutes=order.duration_minutes)
    pressure = VisitReading(kind="blood_pressure", systolic=142, diastolic=81)
    ended = await ordering.check_out(order, visit.id, visit.caregiver_id, readings=[pressure], note="一切正常")
    assert (ended.status, ended.flags, ended.note) == (VisitStatus.VERIFIED, [], "一切正常")
    (shown,) = ended.readings
    assert (shown["kind"], shown["systolic"], shown["diastolic"]) == ("blood_pressure", 142, 81)
    assert all(task["done"] for task in ended.tasks)
    assert ended.care_started_at is not None
    assert ended.care_ended_at is not None
    assert ended.care_ended_at - ended.care_started_at == timedelta(minutes=order.duration_minutes)
    assert (await ordering.read(order.id)).status is OrderStatus.COMPLETED


@pytest.mark.parametrize(
    ("said", "flag"),
    [
        ({"start_code": "nope"}, "wrong_start_code"),
        ({"start_code": None}, "missing_start_code"),
        ({"latitude": HOME[0] + 0.01}, "far_from_home"),
        ({"mock_location": True}, "mock_location"),
        ({"latitude": None}, "missing_position"),
    ],
)
async def test_a_mismatch_flags_and_never_blocks(ordering: Ordering, said: dict[str, object], flag: str) -> None:
    order = await ordering.completed(check_in=said)
    detail = await ordering.read(order.id)
    assert detail.status is OrderStatus.COMPLETED
    assert [(visit.status, visit.flags) for visit in detail.visits] == [(VisitStatus.FLAGGED, [flag])]


async def test_offline_care_keeps_the_phone_s_time_beside_the_server_s(ordering: Ordering) -> None:
    order, detail = await ordering.assigned()
    (visit,) = detail.visits
    in_the_dead_spot = ordering.clock.now()
    ordering.clock.forward(hours=2)
    online = ordering.clock.now()
    inside = await ordering.check_in(
        order, visit.id, visit.caregiver_id, device_at=in_the_dead_spot, sent_at=online
    )
    assert inside.flags == []
    assert inside.check_in_at is not None
    assert inside.check_in_device_at is not None
    assert inside.care_started_at is not None
    assert same_moment(inside.check_in_at, online)
    assert same_moment(inside.check_in_device_at, in_the_dead_spot)
    assert same_moment(inside.care_started_at, in_the_dead_spot)
    ended = await ordering.check_out(
        order,
        visit.id,
        visit.caregiver_id,
        device_at=in_the_dead_spot + timedelta(minutes=75),
        sent_at=online,
    )
    assert (ended.status, ended.flags) == (VisitStatus.VERIFIED, [])


async def test_a_clock_that_is_off_is_flagged_and_its_time_kept(ordering: Ordering) -> None:
    order, detail = await ordering.assigned()
    (visit,) = detail.visits
    ordering.clock.forward(hours=1)
    slow = ordering.clock.now() - timedelta(minutes=40)
    inside = await ordering.check_in(order, visit.id, visit.caregiver_id, device_at=slow)
    assert inside.flags == ["clock_skew"]
    assert inside.check_in_device_at is not None
    assert same_moment(inside.check_in_device_at, slow)


async def test_nobody_cares_before_the_order_is_placed(ordering: Ordering) -> None:
    order, detail = await ordering.assigned()
    (visit,) = detail.visits
    inside = await ordering.check_in(
        order,
        visit.id,
        visit.caregiver_id,
        device_at=ordering.clock.now() - timedelta(hours=1),
        sent_at=ordering.clock.now(),
    )
    assert inside.flags == ["before_order"]


async def test_only_the_first_check_in_counts(ordering: Ordering) -> None:
    order, detail = await ordering.assigned()
    (visit,) = detail.visits
    first = await ordering.check_in(order, visit.id, visit.caregiver_id, start_code="0000x")
    ordering.clock.forward(minutes=1)
    again = await ordering.check_in(order, visit.id, visit.caregiver_id)
    assert again == first
    answers = await asyncio.gather(*(ordering.check_out(order, visit.id, visit.caregiver_id) for _ in range(6)))
    assert {answer.version for answer in answers} == {first.version + 1}
    async with ordering.work() as work:
        rows = await work.sql(
            text(
                "SELECT name, count(*) FROM outbox WHERE centre_id = :c"
                " AND name IN ('visit.ended', 'order.completed') GROUP BY name ORDER BY name"
            ),
            {"c": order.centre_id},
        )
        assert rows.all() == [("order.completed", 1), ("visit.ended", 1)]


async def test_leaving_without_having_come(ordering: Ordering) -> None:
    order, detail = await ordering.assigned()
    (visit,) = detail.visits
    ended = await ordering.check_out(order, visit.id, visit.caregiver_id)
    assert (ended.status, ended.flags) == (VisitStatus.FLAGGED, ["no_check_in"])
    assert (await ordering.read(order.id)).status is OrderStatus.COMPLETED


async def test_too_short_and_with_tasks_left_out(ordering: Ordering) -> None:
    order, detail = await ordering.assigned()
    (visit,) = detail.visits
    await ordering.check_in(order, visit.id, visit.caregiver_id)
    ordering.clock.forward(minutes=5)
    with pytest.raises(UnknownTask):
        await ordering.check_out(order, visit.id, visit.caregiver_id, tasks_done=["dance"])
    ended = await ordering.check_out(order, visit.id, visit.caregiver_id, tasks_done=["identity"])
    assert ended.flags == ["too_short", "tasks_missing"]
    assert [task["code"] for task in ended.tasks if task["done"]] == ["identity"]


async def test_a_team_completes_with_its_last_visit(ordering: Ordering) -> None:
    order, detail = await ordering.assigned("bathing_disabled")
    first, second = detail.visits
    await asyncio.gather(*(ordering.check_in(order, v.id, v.caregiver_id) for v in (first, second)))
    ordering.clock.forward(minutes=90)
    await ordering.check_out(order, first.id, first.caregiver_id)
    assert (await ordering.read(order.id)).status is OrderStatus.IN_PROGRESS
    await ordering.check_out(order, second.id, second.caregiver_id)
    assert (await ordering.read(order.id)).status is OrderStatus.COMPLETED


async def test_both_of_a_team_leave_at_once(ordering: Ordering) -> None:
    order, detail = await ordering.assigned("bathing_disabled")
    for visit in detail.visits:
        await ordering.check_in(order, visit.id, visit.caregiver_id)
    ordering.clock.forward(minutes=90)
    await asyncio.gather(*(ordering.check_out(order, v.id, v.caregiver_id) for v in detail.visits))
    assert (await ordering.read(order.id)).status is OrderStatus.COMPLETED


async def test_a_service_for_two_does_not_begin_with_one(ordering: Ordering) -> None:
    order = await ordering.place("bathing_disabled")
    await ordering.assign(order.id, await ordering.add_caregivers(1))
    (visit,) = (await ordering.read(order.id)).visits
    with pytest.raises(TeamIncomplete):
        await ordering.check_in(order, visit.id, visit.caregiver_id)


async def test_reviews(ordering: Ordering) -> None:
    order = await ordering.completed(check_in={"start_code": None})
    (visit,) = (await ordering.read(order.id)).visits
    async with ordering.work(ordering.dispatcher) as work:
        doubted = await review(work, visit.id, ReviewRequest(accept=False, note="致电核实"), None)
    assert (doubted.status, doubted.review_note) == (VisitStatus.FLAGGED, "致电核实")
    async with ordering.work(ordering.actor(Role.CENTRE_MANAGER)) as work:
        accepted = await review(work, visit.id, ReviewRequest(note="长者证实"), doubted.version)
        again = await review(work, visit.id, ReviewRequest(note="x"), None)
    assert (accepted.status, accepted.review_note) == (VisitStatus.REVIEWED, "长者证实")
    assert again == accepted
    plain = await ordering.completed()
    (verified,) = (await ordering.read(plain.id)).visits
    with pytest.raises(NotUnderReview):
        async with ordering.work(ordering.dispatcher) as work:
            await review(work, verified.id, ReviewRequest(note="x"), None)


async def test_caregivers_see_their_own_visits_and_no_start_code(ordering: Ordering) -> None:
    order, detail = await ordering.assigned()
    (visit,) = detail.visits
    (other,) = await ordering.add_caregivers(1)
    own = ordering.as_caregiver(visit.caregiver_id)
    name = ordering.world.here.households[0].resident.name
    async with ordering.work(own) as work:
        (listed,) = await list_visits(work, 20, None, None, [], None)
        shown = await get_visit(work, visit.id)
    assert listed == shown
    assert (shown.resident_name, shown.address) == (name, order.address)
    assert "start_code" not in shown.model_dump()
    with pytest.raises(NotFound):
        async with ordering.work(ordering.as_caregiver(other.id)) as work:
            await check_in(work, visit.id, ordering.at_door(order), None)
    await ordering.check_in(order, visit.id, visit.caregiver_id)
    ordering.clock.forward(minutes=75)
    ended = await ordering.check_out(order, visit.id, visit.caregiver_id)
    assert ended.address is None, "what is done is no longer hers to look up"
    assert ended.resident_name != name


async def test_visits_of_a_local_day(ordering: Ordering) -> None:
    order, detail = await ordering.assigned()
    (visit,) = detail.visits
    day = (visit.starts_at + timedelta(hours=8)).date()
    async with ordering.work(ordering.dispatcher) as work:
        assert [v.id for v in await list_visits(work, 20, None, day, [], None)] == [visit.id]
        assert await list_visits(work, 20, None, day + timedelta(days=2), [], None) == []
        assert await list_visits(work, 20, None, None, [VisitStatus.VERIFIED], None) == []
        rows = await work.sql(
            text("SELECT resource, reader_name FROM access_log WHERE resident_id = :r AND resource = 'visits'"),
            {"r": order.resident_id},
        )
        assert len(rows.all()) == 1


async def test_a_cancelled_visit_is_over(ordering: Ordering) -> None:
    order, detail = await ordering.assigned()
    async with ordering.work(ordering.resident) as work:
        await cancel_order(work, order.id, "改期", None)
    with pytest.raises(VisitCancelled):
        await ordering.check_in(order, detail.visits[0].id, detail.visits[0].caregiver_id)
