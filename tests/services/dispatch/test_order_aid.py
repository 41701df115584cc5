"""Orders that nobody takes climb, and a neighbouring centre helps with exactly one of them."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from services.core.actor import Actor, Role
from services.core.errors import NotFound
from services.dispatch.aid.models import AidAsk
from services.dispatch.aid.service import ask_aid, end_aid_of_the_past, list_aided
from services.dispatch.climbing.rules import next_step, waits_since
from services.dispatch.climbing.service import climb_one, list_untaken, watch_untaken
from services.dispatch.errors import NeighbourInvalid, NotAssignable, OrderNotOpen
from services.dispatch.models import AssignRequest, OfferPublic, OffersCreate, ReleaseRequest
from services.dispatch.policies.service import default_policy
from services.dispatch.service import accept, assign, cancel_order, list_offers, release, send_offers, suggest
from services.orders.repository import order_in_reach
from services.orders.states import OrderStatus
from services.reports.service import read_board
from services.residents.repository import get_resident
from services.visits import service as visits
from tests.ordering import Ordering

LIMITS = default_policy().document.climb


async def helper(ordering: Ordering, role: Role = Role.DISPATCHER) -> Actor:
    """Somebody of the neighbouring centre, as a request of now would have her."""
    return await ordering.world.actor(role, ordering.world.neighbour)


async def ask(ordering: Ordering, order_id: UUID) -> None:
    async with ordering.work(ordering.dispatcher) as work:
        asked = await ask_aid(work, order_id, AidAsk())
    assert asked.centre_id == ordering.world.neighbour.centre.id


async def offered(ordering: Ordering, order_id: UUID) -> OfferPublic:
    """The helper offers its first caregiver."""
    caregiver = ordering.world.neighbour.caregivers[0]
    async with ordering.work(await helper(ordering)) as work:
        (offer,) = (await send_offers(work, order_id, OffersCreate(caregiver_ids=[caregiver.id]))).items
    return offer


async def test_a_neighbour_sees_the_order_and_nothing_of_the_resident(ordering: Ordering) -> None:
    order = await ordering.place(note="大门在屋后")
    other = await ordering.place(in_hours=12)
    before = await helper(ordering)
    with pytest.raises(NotFound):
        async with ordering.work(before) as work:
            await suggest(work, order.id)
    await ask(ordering, order.id)
    actor = await helper(ordering)
    async with ordering.work(actor) as work:
        (shown,) = (await list_aided(work, ordering.world.neighbour.centre.id)).items
        found = await suggest(work, order.id)
    resident = ordering.world.here.households[0].resident
    words = shown.model_dump_json()
    assert shown.order_id == order.id
    assert not any(word in words for word in (resident.name, resident.address, "大门", str(resident.id)))
    theirs = {one.id for one in ordering.world.neighbour.caregivers}
    looked_at = [one.caregiver_id for one in found.suggestions] + [one.caregiver_id for one in found.ruled_out]
    assert set(looked_at) == theirs
    await _is_hidden(ordering, actor, lambda work: order_in_reach(work, order.id))
    await _is_hidden(ordering, actor, lambda work: suggest(work, other.id))
    async with ordering.work(actor) as work:
        assert await get_resident(work, resident.id) is None
        rows = await work.sql(text("SELECT count(*) FROM resident WHERE id = :id"), {"id": resident.id})
        assert rows.scalar_one() == 0, "the database holds the wall as well"


async def _is_hidden(ordering: Ordering, actor: Actor, read: Callable[[Any], Awaitable[Any]]) -> None:
    with pytest.raises(NotFound):
        async with ordering.work(actor) as work:
            await read(work)


async def test_a_helper_may_not_decide_for_the_centre_in_charge(ordering: Ordering) -> None:
    order = await ordering.place()
    await ask(ordering, order.id)
    actor = await helper(ordering)
    own, mine = ordering.world.here.caregivers[0], ordering.world.neighbour.caregivers[0]
    wish = AssignRequest(caregiver_ids=[mine.id])
    await _is_hidden(ordering, actor, lambda work: assign(work, order.id, wish, None))
    await _is_hidden(ordering, actor, lambda work: cancel_order(work, order.id, "不需要", None))
    offers = OffersCreate(caregiver_ids=[own.id])
    await _is_hidden(ordering, actor, lambda work: send_offers(work, order.id, offers))


async def test_a_lent_caregiver_takes_the_order_and_does_the_visit(ordering: Ordering) -> None:
    order = await ordering.place()
    await ask(ordering, order.id)
    offer = await offered(ordering, order.id)
    assert offer.lent_by == ordering.world.neighbour.centre.id
    assert offer.resident_name == ""
    lent = await helper(ordering, Role.CAREGIVER)
    async with ordering.work(lent) as work:
        (seen,) = await list_offers(work, 20, None, None, [])
        assert seen.id == offer.id
        taken = await accept(work, offer.id, None)
    assert taken.visit_id is not None
    owner = await ordering.world.actor(Role.DISPATCHER)
    async with ordering.work(owner) as work:
        board = await read_board(work, ordering.world.here.centre.id)
    shown = next(one for one in board.columns.assigned if one.id == order.id)
    assert [visit.caregiver_id for visit in shown.visits] == [ordering.world.neighbour.caregivers[0].id]
    lent = await helper(ordering, Role.CAREGIVER)
    async with ordering.work(lent) as work:
        visit = await visits.get_visit(work, taken.visit_id)
        assert visit.address
    async with ordering.work(lent) as work:
        await visits.set_out(work, taken.visit_id, None)
    async with ordering.work(lent) as work:
        await visits.check_in(work, taken.visit_id, ordering.at_door(order), None)
    ordering.clock.forward(minutes=order.duration_minutes)
    async with ordering.work(lent) as work:
        await visits.check_out(work, taken.visit_id, ordering.leaving(order), None)
    assert (await ordering.read(order.id, owner)).status is OrderStatus.COMPLETED
    async with ordering.work() as work:
        await end_aid_of_the_past(work)
    async with ordering.work(await helper(ordering)) as work:
        assert (await list_aided(work, ordering.world.neighbour.centre.id)).items == []


async def test_both_screens_hear_of_it(ordering: Ordering) -> None:
    order = await ordering.place()
    await ask(ordering, order.id)
    await offered(ordering, order.id)
    async with ordering.work() as work:
        rows = await work.sql(
            text(
                "SELECT name, centre_id, also_centre_ids FROM outbox WHERE payload->>'order_id' = :id"
                " AND name IN ('order.aid_requested', 'offer.sent') ORDER BY id"
            ),
            {"id": str(order.id)},
        )
        here, neighbour = ordering.world.here.centre.id, ordering.world.neighbour.centre.id
        assert [tuple(row) for row in rows.all()] == [
            ("order.aid_requested", neighbour, []),
            ("offer.sent", here, [neighbour]),
        ]


async def test_somebody_kept_apart_is_not_lent_either(ordering: Ordering) -> None:
    order = await ordering.place()
    await ask(ordering, order.id)
    caregiver = ordering.world.neighbour.caregivers[0]
    resident = ordering.world.here.households[0].resident
    async with ordering.work() as work:
        await work.sql(
            text(
                "INSERT INTO blocked_pair (id, resident_id, caregiver_id, area_code, asked_by, reason, created_at,"
                " lift_reason, version)"
                " VALUES (gen_random_uuid(), :resident, :caregiver, :area, 'family', 'x', :now, '', 1)"
            ),
            {"resident": resident.id, "caregiver": caregiver.id, "area": resident.area_code, "now": work.now},
        )
    with pytest.raises(NotAssignable) as refused:
        await offered(ordering, order.id)
    (only,) = refused.value.extra["caregivers"]
    assert [reason["code"] for reason in only["reasons"]] == ["kept_apart"]


async def test_a_lent_caregiver_s_time_is_not_offered_twice(ordering: Ordering) -> None:
    """The helper sees nothing of the other centre's visits, and yet knows that its caregiver is busy there."""
    first, second = await ordering.place(), await ordering.place()
    for order in (first, second):
        await ask(ordering, order.id)
    offer = await offered(ordering, first.id)
    async with ordering.work(await helper(ordering, Role.CAREGIVER)) as work:
        await accept(work, offer.id, None)
    caregiver = ordering.world.neighbour.caregivers[0]
    async with ordering.work(await helper(ordering)) as work:
        found = await suggest(work, second.id)
    mine = next(one for one in found.suggestions if one.caregiver_id == caregiver.id)
    assert mine.starts_at >= offer.ends_at


async def test_help_ends_when_the_order_has_somebody(ordering: Ordering) -> None:
    order = await ordering.place()
    await ask(ordering, order.id)
    assert (await helper(ordering)).aided_orders == {order.id}
    await ordering.assign(order.id, await ordering.add_caregivers(1))
    assert (await helper(ordering)).aided_orders == frozenset()
    with pytest.raises(OrderNotOpen):
        await ask(ordering, order.id)


async def test_only_neighbours_of_the_county_are_asked(ordering: Ordering) -> None:
    order = await ordering.place()
    for centre in (ordering.world.here.centre, ordering.world.abroad.centre):
        with pytest.raises(NeighbourInvalid):
            async with ordering.work(ordering.dispatcher) as work:
                await ask_aid(work, order.id, AidAsk(centre_id=centre.id))


async def climb(ordering: Ordering) -> None:
    async with ordering.work() as work:
        while await watch_untaken(work):
            pass
    while await climb_one(ordering.database):
        pass


async def level(ordering: Ordering, order_id: UUID) -> str | None:
    async with ordering.work() as work:
        rows = await work.sql(
            text("SELECT level FROM order_climb WHERE order_id = :id AND ended_at IS NULL"), {"id": order_id}
        )
        return rows.scalar_one_or_none()


async def test_an_urgent_order_climbs_to_the_neighbour_and_then_to_the_county(ordering: Ordering) -> None:
    order = await ordering.place(is_urgent=True)
    await climb(ordering)
    assert await level(ordering, order.id) == "own"
    ordering.clock.forward(seconds=301)
    await climb(ordering)
    assert await level(ordering, order.id) == "neighbour"
    async with ordering.work(await helper(ordering)) as work:
        assert [one.order_id for one in (await list_aided(work, ordering.world.neighbour.centre.id)).items] == [
            order.id
        ]
    ordering.clock.forward(seconds=300)
    await climb(ordering)
    assert await level(ordering, order.id) == "county"
    async with ordering.work(ordering.actor(Role.COUNTY_OFFICER)) as work:
        listed = next(one for one in await list_untaken(work, 50, None) if one.order_id == order.id)
    assert listed.neighbours_asked == [ordering.world.neighbour.centre.id]
    await ordering.assign(order.id, await ordering.add_caregivers(1))
    await climb(ordering)
    assert await level(ordering, order.id) is None
    async with ordering.work(ordering.actor(Role.COUNTY_OFFICER)) as work:
        assert order.id not in {one.order_id for one in await list_untaken(work, 50, None)}


async def test_an_order_that_lost_its_caregiver_waits_anew(ordering: Ordering) -> None:
    order = await ordering.place(is_urgent=True, in_hours=6)
    ordering.clock.forward(seconds=301)
    await climb(ordering)
    caregivers = await ordering.add_caregivers(1)
    await ordering.assign(order.id, caregivers)
    await climb(ordering)
    async with ordering.work(ordering.dispatcher) as work:
        await release(work, order.id, ReleaseRequest(caregiver_id=caregivers[0].id, reason="生病"), None)
    await climb(ordering)
    assert await level(ordering, order.id) == "own"
    ordering.clock.forward(seconds=301)
    await climb(ordering)
    assert await level(ordering, order.id) == "neighbour"


def test_when_an_order_climbs() -> None:
    at = datetime(2026, 11, 24, 8, tzinfo=UTC)
    assert waits_since(LIMITS, at, at + timedelta(hours=3)) == at
    assert waits_since(LIMITS, at, at + timedelta(days=10)) == at + timedelta(days=8)
    hours = [
        (next_step(LIMITS, at, asked, anybody_left=left) - at) / timedelta(hours=1)
        for asked, left in ((0, True), (1, True), (2, True), (0, False))
    ]
    assert hours == [2, 3, 6, 6]
