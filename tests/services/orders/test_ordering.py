"""Placing, routing, showing and cancelling orders."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlmodel import select

from services.core.actor import SYSTEM, Role
from services.core.errors import Forbidden, NotFound, VersionMismatch
from services.dispatch.service import cancel_order
from services.orders.errors import MayNotOrder, NotCancellable, WindowInvalid
from services.orders.models import Channel
from services.orders.service import list_orders, place_order
from services.orders.states import OrderStatus
from services.residents.models import CareRelationship
from services.visits.service import set_out
from services.visits.states import VisitStatus
from tests.ordering import Ordering, same_moment


@pytest.mark.parametrize(
    ("role", "channel"),
    [
        (Role.RESIDENT, Channel.APP),
        (Role.FAMILY, Channel.FAMILY),
        (Role.CLINICIAN, Channel.VILLAGE_DOCTOR),
        (Role.DISPATCHER, Channel.PHONE),
        (Role.CENTRE_MANAGER, Channel.PHONE),
    ],
)
async def test_the_channel_is_told_by_who_orders(ordering: Ordering, role: Role, channel: Channel) -> None:
    order = await ordering.place(actor=ordering.actor(role))
    assert order.channel is channel
    assert order.status is OrderStatus.PLACED
    assert order.centre_id == ordering.world.here.centre.id
    assert order.quote.total_fen == sum(line.amount_fen for line in order.quote.lines) > 0
    assert order.quote.verified is False


@pytest.mark.parametrize("role", [Role.CAREGIVER, Role.COUNTY_OFFICER, Role.AUDITOR])
async def test_others_do_not_order(ordering: Ordering, role: Role) -> None:
    with pytest.raises(Forbidden):
        await ordering.place(actor=ordering.actor(role))


async def test_nobody_orders_outside_their_reach(ordering: Ordering) -> None:
    abroad = ordering.world.abroad.households[0].resident.id
    second = ordering.world.here.households[1].resident.id
    for role, resident_id in [
        (Role.RESIDENT, second),
        (Role.FAMILY, second),
        (Role.DISPATCHER, abroad),
        (Role.CLINICIAN, abroad),
    ]:
        with pytest.raises(NotFound):
            await ordering.place(actor=ordering.actor(role), resident_id=resident_id)


@pytest.mark.parametrize("change", ["ended", "not_ordering"])
async def test_family_needs_a_running_relationship_that_may_order(ordering: Ordering, change: str) -> None:
    family = ordering.actor(Role.FAMILY)
    async with ordering.work() as work:
        found = await work.session.exec(
            select(CareRelationship).where(CareRelationship.account_id == family.account_id)
        )
        relation = found.one()
        if change == "ended":
            relation.ended_at = work.now - timedelta(seconds=1)
        else:
            relation.may_order = False
    with pytest.raises(MayNotOrder):
        await ordering.place(actor=family)
    order = await ordering.place()
    with pytest.raises(MayNotOrder):
        async with ordering.work(family) as work:
            await cancel_order(work, order.id, "x", None)


@pytest.mark.parametrize(
    ("in_hours", "hours", "reason"),
    [(-1, 4, "in_the_past"), (0, 4, "in_the_past"), (2, 1, "too_short"), (24 * 90, 2, "too_far_ahead")],
)
async def test_windows_that_cannot_be_ordered(
    ordering: Ordering, in_hours: float, hours: float, reason: str
) -> None:
    with pytest.raises(WindowInvalid) as refused:
        await ordering.place(in_hours=in_hours, hours=hours)
    assert refused.value.extra["reason"] == reason


async def test_the_start_code_is_shown_to_the_household_and_the_dispatcher_only(ordering: Ordering) -> None:
    order = await ordering.place()
    assert order.start_code is not None
    assert len(order.start_code) == 4
    assert order.start_code.isdecimal()
    for role, shown in [
        (Role.RESIDENT, True),
        (Role.FAMILY, True),
        (Role.DISPATCHER, True),
        (Role.CENTRE_MANAGER, False),
        (Role.CLINICIAN, False),
        (Role.COUNTY_OFFICER, False),
    ]:
        detail = await ordering.read(order.id, ordering.actor(role))
        assert (detail.start_code == order.start_code) is shown, role
        async with ordering.work(ordering.actor(role)) as work:
            (listed,) = await list_orders(work, 20, None, [], None)
        assert (listed.start_code == order.start_code) is shown, role


async def test_lists_end_at_the_walls(ordering: Ordering) -> None:
    order = await ordering.place()
    world = ordering.world
    for actor in [
        ordering.actor(Role.RESIDENT, number=1),
        ordering.actor(Role.FAMILY, number=1),
        ordering.actor(Role.DISPATCHER, world.neighbour),
        ordering.actor(Role.COUNTY_OFFICER, world.abroad),
    ]:
        async with ordering.work(actor) as work:
            assert await list_orders(work, 20, None, [], None) == []
        with pytest.raises(NotFound):
            await ordering.read(order.id, actor)
        async with ordering.work(actor) as work:
            rows = await work.sql(text("SELECT id FROM service_order WHERE id = :id"), {"id": order.id})
            assert rows.all() == [], "row-level security holds the same wall"


async def test_quantity_lengthens_what_is_priced_by_time(ordering: Ordering) -> None:
    order = await ordering.place("cleaning", quantity=3)
    assert order.duration_minutes == 180
    meals = await ordering.place("meal_delivery", quantity=3)
    assert meals.duration_minutes == 20
    assert [(line.quantity, line.amount_fen) for line in meals.quote.lines] == [
        (3, 3 * meals.quote.lines[0].unit_fen)
    ]


async def test_the_moments_are_those_that_were_asked(ordering: Ordering) -> None:
    wish = ordering.wish()
    async with ordering.work(ordering.resident) as work:
        order = await place_order(work, wish)
    detail = await ordering.read(order.id)
    ((start, end),) = wish.asked_windows()
    assert same_moment(detail.window_start, start)
    assert same_moment(detail.window_end, end)
    assert same_moment(detail.placed_at, ordering.clock.now())


async def test_cancelling_takes_everything_back(ordering: Ordering) -> None:
    order = await ordering.place("bathing_disabled")
    team = await ordering.add_caregivers(3)
    offers = await ordering.offer(order.id, team)
    await ordering.accept(offers[0])
    async with ordering.work(ordering.resident) as work:
        await cancel_order(work, order.id, "身体不适", None)
        await cancel_order(work, order.id, "again", None)
    detail = await ordering.read(order.id)
    assert (detail.status, detail.cancel_reason) == (OrderStatus.CANCELLED, "身体不适")
    assert sorted(offer.status for offer in detail.offers) == ["accepted", "withdrawn", "withdrawn"]
    assert detail.bookings == []
    assert [visit.status for visit in detail.visits] == [VisitStatus.CANCELLED]
    again = await ordering.place("bathing_disabled", in_hours=2.1)
    await ordering.assign(again.id, team[:2])


async def test_not_once_somebody_is_on_the_way(ordering: Ordering) -> None:
    order, detail = await ordering.assigned()
    async with ordering.work(ordering.as_caregiver(detail.visits[0].caregiver_id)) as work:
        await set_out(work, detail.visits[0].id, None)
    with pytest.raises(NotCancellable):
        async with ordering.work(ordering.resident) as work:
            await cancel_order(work, order.id, "too late", None)


async def test_a_stale_version_is_refused(ordering: Ordering) -> None:
    order = await ordering.place()
    with pytest.raises(VersionMismatch):
        async with ordering.work(ordering.resident) as work:
            await cancel_order(work, order.id, "x", order.version + 1)


async def test_a_placed_order_is_an_event_without_health_data(ordering: Ordering) -> None:
    order = await ordering.place(note="糖尿病")
    async with ordering.work(SYSTEM) as work:
        rows = await work.sql(
            text("SELECT name, payload FROM outbox WHERE centre_id = :c"), {"c": order.centre_id}
        )
        [(name, told)] = rows.all()
    assert name == "order.placed"
    # Nothing but these: neither the note nor the start code, whose digits may stand in an id by chance.
    assert told.keys() == {"order_id", "resident_id", "area_code", "centre_id", "item_code", "is_urgent"}
    assert (told["order_id"], told["item_code"]) == (str(order.id), order.item_code)
