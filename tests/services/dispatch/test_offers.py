"""Asking caregivers and hearing their answers."""

from datetime import date, timedelta

import pytest
from sqlalchemy import text

from services.core.actor import Role
from services.core.errors import NotFound, VersionMismatch
from services.dispatch.errors import NotAssignable, OfferClosed, OfferExpired, OrderNotOpen, StartInvalid
from services.dispatch.models import OffersCreate
from services.dispatch.service import accept, decline, expire_offers, list_offers, send_offers
from services.orders.states import OrderStatus
from tests.ordering import Ordering, same_moment


async def test_an_offer_that_has_run_out_is_refused_before_any_worker_runs(ordering: Ordering) -> None:
    order = await ordering.place()
    (offer,) = await ordering.offer(order.id, await ordering.add_caregivers(1), seconds=60)
    ordering.clock.forward(seconds=60)
    with pytest.raises(OfferExpired):
        await ordering.accept(offer)
    with pytest.raises(OfferExpired):
        async with ordering.work(ordering.as_caregiver(offer.caregiver_id)) as work:
            await decline(work, offer.id, "", None)
    assert (await ordering.read(order.id)).status is OrderStatus.OFFERED


async def test_the_worker_puts_an_order_back_on_the_board(ordering: Ordering) -> None:
    order = await ordering.place()
    await ordering.offer(order.id, await ordering.add_caregivers(2), seconds=60)
    ordering.clock.forward(seconds=59)
    async with ordering.work() as work:
        await expire_offers(work)
    assert (await ordering.read(order.id)).status is OrderStatus.OFFERED
    ordering.clock.forward(seconds=1)
    async with ordering.work() as work:
        assert await expire_offers(work) >= 2
    detail = await ordering.read(order.id)
    assert detail.status is OrderStatus.PLACED
    assert {offer.status for offer in detail.offers} == {"expired"}


async def test_an_offer_never_outlives_its_start(ordering: Ordering) -> None:
    order = await ordering.place(in_hours=0.5)
    (offer,) = await ordering.offer(order.id, await ordering.add_caregivers(1), seconds=86_400)
    assert same_moment(offer.expires_at, offer.starts_at)


async def test_the_last_no_puts_an_order_back(ordering: Ordering) -> None:
    order = await ordering.place()
    first, second = await ordering.offer(order.id, await ordering.add_caregivers(2))
    for offer, status in ((first, OrderStatus.OFFERED), (second, OrderStatus.PLACED)):
        async with ordering.work(ordering.as_caregiver(offer.caregiver_id)) as work:
            answered = await decline(work, offer.id, "家中有事", None)
        assert (answered.status, answered.decline_reason) == ("declined", "家中有事")
        async with ordering.work(ordering.as_caregiver(offer.caregiver_id)) as work:
            assert (await decline(work, offer.id, "again", None)).version == answered.version
        assert (await ordering.read(order.id)).status is status
    with pytest.raises(OfferClosed):
        await ordering.accept(first)


async def test_accepting_is_idempotent_and_names_the_visit(ordering: Ordering) -> None:
    order = await ordering.place()
    (offer,) = await ordering.offer(order.id, await ordering.add_caregivers(1))
    first = await ordering.accept(offer)
    again = await ordering.accept(offer)
    assert first == again
    (visit,) = (await ordering.read(order.id)).visits
    assert first.visit_id == visit.id


async def test_an_offer_tells_neither_name_nor_address_nor_code(ordering: Ordering) -> None:
    order = await ordering.place()
    (offer,) = await ordering.offer(order.id, await ordering.add_caregivers(1))
    shown = offer.model_dump_json()
    household = ordering.world.here.households[0]
    assert household.resident.address not in shown
    assert household.resident.name not in shown
    assert "start_code" not in shown


async def test_caregivers_answer_their_own_offers_only(ordering: Ordering) -> None:
    order = await ordering.place()
    mine, other = await ordering.add_caregivers(2)
    (offer,) = await ordering.offer(order.id, [mine])
    with pytest.raises(NotFound):
        async with ordering.work(ordering.as_caregiver(other.id)) as work:
            await accept(work, offer.id, None)
    async with ordering.work(ordering.as_caregiver(other.id)) as work:
        assert await list_offers(work, 20, None, None, []) == []
    async with ordering.work(ordering.as_caregiver(mine.id)) as work:
        (seen,) = await list_offers(work, 20, None, None, [])
    assert (seen.id, seen.status) == (offer.id, "viewed")
    with pytest.raises(VersionMismatch):
        async with ordering.work(ordering.as_caregiver(mine.id)) as work:
            await accept(work, offer.id, offer.version)
    async with ordering.work(ordering.as_caregiver(mine.id)) as work:
        await accept(work, offer.id, seen.version)
        assert await list_offers(work, 20, None, None, []) == [], "only pending ones unless asked"


async def test_a_dispatcher_sees_the_offers_of_her_centre(ordering: Ordering) -> None:
    order = await ordering.place()
    await ordering.offer(order.id, await ordering.add_caregivers(2))
    async with ordering.work(ordering.dispatcher) as work:
        assert len(await list_offers(work, 20, None, order.id, [])) == 2
    async with ordering.work(ordering.actor(Role.DISPATCHER, ordering.world.neighbour)) as work:
        assert await list_offers(work, 20, None, order.id, []) == []


async def test_asking_the_same_twice_keeps_the_first_offer(ordering: Ordering) -> None:
    order = await ordering.place()
    team = await ordering.add_caregivers(2)
    (first,) = await ordering.offer(order.id, team[:1])
    both = await ordering.offer(order.id, team)
    assert {one.caregiver_id for one in both} == {one.id for one in team}
    assert first.id in {one.id for one in both}


async def test_who_is_ruled_out_is_not_asked(ordering: Ordering) -> None:
    order = await ordering.place()
    unskilled = await ordering.add_caregivers(1, skills=["cleaning"])
    with pytest.raises(NotAssignable) as refused:
        await ordering.offer(order.id, unskilled)
    (listed,) = refused.value.extra["caregivers"]
    assert [reason["code"] for reason in listed["reasons"]] == ["missing_skill"]
    assert (await ordering.read(order.id)).status is OrderStatus.PLACED


async def test_a_caregiver_of_another_centre_is_not_found(ordering: Ordering) -> None:
    order = await ordering.place()
    stranger = ordering.world.neighbour.caregivers[0]
    with pytest.raises(NotFound):
        await ordering.offer(order.id, [stranger])


async def test_a_team_starts_together(ordering: Ordering) -> None:
    order = await ordering.place("bathing_disabled", hours=6)
    early = await ordering.add_caregivers(1, shift=(timedelta(hours=0), timedelta(hours=5)))
    late = await ordering.add_caregivers(1, shift=(timedelta(hours=3), timedelta(hours=9)))
    offers = await ordering.offer(order.id, [*early, *late])
    assert len({offer.starts_at for offer in offers}) == 1
    assert offers[0].starts_at >= ordering.clock.now() + timedelta(hours=3)
    more = await ordering.add_caregivers(1)
    with pytest.raises(StartInvalid):
        await ordering.offer(order.id, more, starts_at=offers[0].starts_at + timedelta(minutes=30))
    (joined,) = await ordering.offer(order.id, more)
    assert joined.starts_at == offers[0].starts_at


async def test_half_a_team_keeps_its_place_while_others_are_asked(ordering: Ordering) -> None:
    order = await ordering.place("bathing_disabled")
    team = await ordering.add_caregivers(3)
    first, second = await ordering.offer(order.id, team[:2])
    await ordering.accept(first)
    async with ordering.work(ordering.as_caregiver(second.caregiver_id)) as work:
        await decline(work, second.id, "", None)
    detail = await ordering.read(order.id)
    assert (detail.status, len(detail.bookings)) == (OrderStatus.PLACED, 1)
    (third,) = await ordering.offer(order.id, team[2:])
    assert third.starts_at == first.starts_at
    await ordering.accept(third)
    assert (await ordering.read(order.id)).status is OrderStatus.ASSIGNED
    with pytest.raises(OrderNotOpen):
        await ordering.offer(order.id, await ordering.add_caregivers(1))


async def test_a_licence_that_runs_out_between_asking_and_accepting(ordering: Ordering) -> None:
    order = await ordering.place()
    (caregiver,) = await ordering.add_caregivers(1)
    (offer,) = await ordering.offer(order.id, [caregiver])
    async with ordering.work() as work:
        await work.sql(
            text("UPDATE credential SET valid_until = :day WHERE caregiver_id = :id"),
            {"day": date(2021, 1, 1), "id": caregiver.id},
        )
    with pytest.raises(NotAssignable):
        await ordering.accept(offer)


async def test_nobody_but_the_desk_asks(ordering: Ordering) -> None:
    order = await ordering.place()
    (caregiver,) = await ordering.add_caregivers(1)
    with pytest.raises(NotFound):
        async with ordering.work(ordering.actor(Role.DISPATCHER, ordering.world.abroad)) as work:
            await send_offers(work, order.id, OffersCreate(caregiver_ids=[caregiver.id]))
