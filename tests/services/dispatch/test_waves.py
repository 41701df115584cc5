"""Rounds of automatic dispatch: who is asked when, who is never passed over, and what is written down."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from services.core.actor import Role
from services.core.errors import Forbidden, NotFound, VersionMismatch
from services.dispatch.errors import NeighbourInvalid, NoRound, RoundRunning
from services.dispatch.policies.models import (
    AutoMode,
    Circle,
    DispatchPolicySave,
    NeighboursSave,
    PolicyDocument,
    Wave,
)
from services.dispatch.policies.service import (
    default_policy,
    get_neighbours,
    policies_of,
    policy_for,
    save_policy,
    set_neighbours,
    versions_of,
)
from services.dispatch.service import accept, decline, expire_offers
from services.dispatch.telling import remind_offers
from services.dispatch.waves.models import DispatchHistory, WavesStart
from services.dispatch.waves.service import (
    advance_one,
    begin_by_policy,
    dispatch_history,
    start_waves,
    stop_waves,
)
from services.orders.states import OrderStatus
from tests.ordering import Ordering

FAR = {"home_latitude": 28.55, "home_longitude": 113.2}


def document(*waves: Wave) -> PolicyDocument:
    return default_policy().document.model_copy(update={"waves": list(waves), "urgent_waves": list(waves)})


async def policy(ordering: Ordering, mode: AutoMode, **more: Any) -> None:
    wish = DispatchPolicySave(centre_id=ordering.world.here.centre.id, mode=mode, reason="试行", **more)
    async with ordering.work(ordering.actor(Role.CENTRE_MANAGER)) as work:
        await save_policy(work, wish, None)


async def placed(ordering: Ordering, item: str = "bathing", **wish: Any) -> UUID:
    """A placed order, and what its event's handler does, twice as after a repeated delivery."""
    order = await ordering.place(item, **wish)
    for _ in range(2):
        async with ordering.work() as work:
            await begin_by_policy(work, order.id)
    return order.id


async def advance(ordering: Ordering) -> None:
    while await advance_one(ordering.database):
        pass


async def history(ordering: Ordering, order_id: UUID) -> DispatchHistory:
    async with ordering.work(ordering.dispatcher) as work:
        return await dispatch_history(work, order_id)


async def asked(ordering: Ordering, order_id: UUID, status: str = "sent") -> set[UUID]:
    detail = await ordering.read(order_id)
    return {offer.caregiver_id for offer in detail.offers if offer.status == status}


async def test_nothing_is_automatic_until_somebody_says_so(ordering: Ordering) -> None:
    order_id = await placed(ordering)
    await advance(ordering)
    assert (await history(ordering, order_id)).rounds == []
    assert (await ordering.read(order_id)).status is OrderStatus.PLACED


async def test_waves_widen_and_the_first_to_accept_wins(ordering: Ordering) -> None:
    near = await ordering.add_caregivers(3)
    far = await ordering.add_caregivers(2, **FAR)
    waves = [
        Wave(circle=Circle.KNOWN, size=2, seconds=60),
        Wave(circle=Circle.NEAREST, size=2, seconds=60),
        Wave(circle=Circle.ALL, size=50, seconds=60),
    ]
    await policy(ordering, AutoMode.OFFER_WAVES, document=document(*waves))
    order_id = await placed(ordering)
    await advance(ordering)
    first = await asked(ordering, order_id)
    assert len(first) == 2, "nobody is known, so the nearest are asked at once"
    assert not first & {one.id for one in far}
    ordering.clock.forward(seconds=61)
    async with ordering.work() as work:
        await expire_offers(work)
    await advance(ordering)
    second = await asked(ordering, order_id)
    assert not first & second, "who has been asked is not asked again"
    assert {one.id for one in far} <= second
    offer = next(o for o in (await ordering.read(order_id)).offers if o.caregiver_id in second)
    async with ordering.work(ordering.as_caregiver(offer.caregiver_id)) as work:
        await accept(work, offer.id, None)
    await advance(ordering)
    told = await history(ordering, order_id)
    assert [round_.status for round_ in told.rounds] == ["filled"]
    assert [act.kind for act in told.acts] == ["round_started", "wave_sent", "wave_sent", "round_ended"]
    assert {act.role for act in told.acts} == {"system"}
    sent = told.acts[1].document
    assert sent["circle"] == "nearest"
    assert {line["caregiver_id"] for line in sent["chosen"]} == {str(one) for one in first}
    assert set(sent["chosen"][0]["reasons"]) >= {"travel", "continuity", "load"}
    assert len(near) == 3


async def test_the_next_wave_goes_out_as_soon_as_all_have_said_no(ordering: Ordering) -> None:
    await ordering.add_caregivers(3)
    waves = [Wave(circle=Circle.ALL, size=1, seconds=600), Wave(circle=Circle.ALL, size=1, seconds=600)]
    await policy(ordering, AutoMode.OFFER_WAVES, document=document(*waves))
    order_id = await placed(ordering)
    await advance(ordering)
    (only,) = (await ordering.read(order_id)).offers
    async with ordering.work(ordering.as_caregiver(only.caregiver_id)) as work:
        await decline(work, only.id, "家里有事", None)
    await advance(ordering)
    assert len(await asked(ordering, order_id)) == 1
    assert await asked(ordering, order_id, "declined") == {only.caregiver_id}


async def test_a_round_that_finds_nobody_ends_and_says_why(ordering: Ordering) -> None:
    order_id = await _with_nobody(ordering, AutoMode.OFFER_WAVES)
    told = await history(ordering, order_id)
    assert [round_.status for round_ in told.rounds] == ["exhausted"]
    (nobody,) = [act for act in told.acts if act.kind == "nobody_fits"]
    assert nobody.document["ruled_out"]["missing_skill"] >= 2


async def test_the_best_is_never_booked_around_a_blocking_reason(ordering: Ordering) -> None:
    order_id = await _with_nobody(ordering, AutoMode.ASSIGN_BEST)
    assert (await ordering.read(order_id)).status is OrderStatus.PLACED
    assert [round_.status for round_ in (await history(ordering, order_id)).rounds] == ["exhausted"]


async def _with_nobody(ordering: Ordering, mode: AutoMode) -> UUID:
    """An order for which everybody lacks the skill."""
    async with ordering.work() as work:
        await work.sql(
            text("UPDATE caregiver SET skills = '{}' WHERE centre_id = :id"), {"id": ordering.world.here.centre.id}
        )
    await policy(ordering, mode)
    order_id = await placed(ordering)
    await advance(ordering)
    return order_id


@pytest.mark.parametrize(("item", "team"), [("bathing", 1), ("bathing_disabled", 2)])
async def test_the_best_is_booked_by_the_system_and_told(ordering: Ordering, item: str, team: int) -> None:
    await ordering.add_caregivers(3)
    await policy(ordering, AutoMode.ASSIGN_BEST)
    order_id = await placed(ordering, item)
    await advance(ordering)
    detail = await ordering.read(order_id)
    assert detail.status is OrderStatus.ASSIGNED
    assert len({visit.caregiver_id for visit in detail.visits}) == team
    assert len({visit.starts_at for visit in detail.visits}) == 1
    told = await history(ordering, order_id)
    (assigned,) = [act for act in told.acts if act.kind == "assigned"]
    assert assigned.role == "system"
    assert len(assigned.document["chosen"]) == team
    async with ordering.work() as work:
        rows = await work.sql(
            text("SELECT count(*) FROM outbox WHERE name = 'order.booked' AND payload->>'order_id' = :id"),
            {"id": str(order_id)},
        )
        assert rows.scalar_one() == team


async def test_a_suggestion_by_policy_is_written_down_and_nothing_else(ordering: Ordering) -> None:
    await policy(ordering, AutoMode.SUGGEST)
    order_id = await placed(ordering)
    told = await history(ordering, order_id)
    assert [act.kind for act in told.acts][:1] == ["suggested"]
    assert told.rounds == []
    assert (await ordering.read(order_id)).status is OrderStatus.PLACED


async def test_a_desk_starts_and_stops_waves(ordering: Ordering) -> None:
    await ordering.add_caregivers(3)
    order = await ordering.place()
    async with ordering.work(ordering.dispatcher) as work:
        await start_waves(work, order.id, WavesStart())
    with pytest.raises(RoundRunning):
        async with ordering.work(ordering.dispatcher) as work:
            await start_waves(work, order.id, WavesStart())
    await advance(ordering)
    assert await asked(ordering, order.id)
    async with ordering.work(ordering.dispatcher) as work:
        await stop_waves(work, order.id)
    detail = await ordering.read(order.id)
    assert detail.status is OrderStatus.PLACED
    assert {offer.status for offer in detail.offers} == {"withdrawn"}
    with pytest.raises(NoRound):
        async with ordering.work(ordering.dispatcher) as work:
            await stop_waves(work, order.id)
    told = await history(ordering, order.id)
    assert told.acts[0].role == "dispatcher"


async def test_on_call_people_are_asked_last_and_for_urgent_orders_only(ordering: Ordering) -> None:
    await _nobody_else_works(ordering)
    (reserve,) = await ordering.add_caregivers(1, shift=None)
    async with ordering.work() as work:
        await work.sql(
            text(
                "INSERT INTO shift (id, caregiver_id, area_code, kind, status, starts_at, ends_at, version)"
                " VALUES (gen_random_uuid(), :id, :area, 'on_call', 'published', :since, :until, 1)"
            ),
            {
                "id": reserve.id,
                "area": reserve.area_code,
                "since": work.now - timedelta(hours=1),
                "until": work.now + timedelta(hours=24),
            },
        )
    await policy(ordering, AutoMode.OFFER_WAVES)
    quiet, urgent = await placed(ordering), await placed(ordering, is_urgent=True)
    await advance(ordering)
    assert await asked(ordering, quiet) == set()
    assert await asked(ordering, urgent) == {reserve.id}
    sent = next(act for act in (await history(ordering, urgent)).acts if act.kind == "wave_sent")
    assert sent.document["circle"] == "on_call"


async def _nobody_else_works(ordering: Ordering) -> None:
    async with ordering.work() as work:
        await work.sql(
            text(
                "UPDATE shift SET status = 'cancelled' WHERE caregiver_id IN"
                " (SELECT id FROM caregiver WHERE centre_id = :id)"
            ),
            {"id": ordering.world.here.centre.id},
        )


async def test_a_reminder_comes_once_and_not_after_an_answer(ordering: Ordering) -> None:
    order = await ordering.place()
    caregiver = ordering.world.here.caregivers[0]
    (offer,) = await ordering.offer(order.id, [caregiver], seconds=600)
    counted = []
    for seconds in (299, 2, 100):
        ordering.clock.forward(seconds=seconds)
        async with ordering.work() as work:
            await remind_offers(work)
        async with ordering.work() as work:
            rows = await work.sql(
                text("SELECT count(*) FROM notification WHERE key = :key"), {"key": f"offer:{offer.id}:reminder"}
            )
            counted.append(rows.scalar_one())
    assert counted == [0, 1, 1]


async def test_policies_are_versions_and_the_nearest_wins(ordering: Ordering) -> None:
    centre = ordering.world.here.centre
    manager, officer = ordering.actor(Role.CENTRE_MANAGER), ordering.actor(Role.COUNTY_OFFICER)

    async def save(actor: Any, if_match: int | None = None, **wish: Any) -> int:
        async with ordering.work(actor) as work:
            return (await save_policy(work, DispatchPolicySave(reason="试行", **wish), if_match)).version

    async def mode(category: str) -> tuple[str, str]:
        async with ordering.work(ordering.dispatcher) as work:
            chosen = await policy_for(work, centre.id, category)
            return str(chosen.mode), chosen.source

    assert await mode("bathing") == ("off", "default")
    await save(officer, mode=AutoMode.SUGGEST)
    assert await mode("bathing") == ("suggest", "county")
    await save(manager, centre_id=centre.id, mode=AutoMode.OFFER_WAVES)
    assert await save(manager, 0, centre_id=centre.id, category="bathing", mode=AutoMode.ASSIGN_BEST) == 1
    assert (await mode("bathing"), await mode("meals")) == (("assign_best", "centre"), ("offer_waves", "centre"))
    assert await save(manager, 1, centre_id=centre.id, category="bathing", mode=AutoMode.OFF) == 2
    with pytest.raises(VersionMismatch):
        await save(manager, 1, centre_id=centre.id, category="bathing", mode=AutoMode.SUGGEST)
    with pytest.raises(Forbidden):
        await save(manager, mode=AutoMode.OFF)
    with pytest.raises(NotFound):
        await save(manager, centre_id=ordering.world.neighbour.centre.id, mode=AutoMode.OFF)
    async with ordering.work(manager) as work:
        shown = (await policies_of(work, centre.id)).items
        versions = (await versions_of(work, centre.id)).items
    assert [(one.category, one.mode) for one in shown] == [(None, "offer_waves"), ("bathing", "off")]
    assert [one.version for one in versions if one.category == "bathing"] == [2, 1]
    assert all(one.saved_by for one in versions)


async def test_neighbours_are_named_or_the_nearest(ordering: Ordering) -> None:
    here, neighbour = ordering.world.here.centre, ordering.world.neighbour.centre
    manager = ordering.actor(Role.CENTRE_MANAGER)
    async with ordering.work(manager) as work:
        found = await get_neighbours(work, here.id)
    assert (found.neighbour_ids, found.is_default) == ([neighbour.id], True)
    for wrong in (here.id, ordering.world.abroad.centre.id):
        with pytest.raises(NeighbourInvalid):
            async with ordering.work(manager) as work:
                await set_neighbours(work, here.id, NeighboursSave(neighbour_ids=[wrong]))
    async with ordering.work(manager) as work:
        named = await set_neighbours(work, here.id, NeighboursSave(neighbour_ids=[neighbour.id]))
    assert (named.neighbour_ids, named.is_default) == ([neighbour.id], False)
