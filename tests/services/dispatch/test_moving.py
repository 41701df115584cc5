"""Passing rules with a reason, giving a visit to somebody else, and who is told what."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from services.caregivers.models import Caregiver
from services.core.actor import Role
from services.core.errors import NotFound, VersionMismatch
from services.deliveries import Deliverer
from services.dispatch.errors import DoubleBooked, NotAssignable, NotReassignable, OrderNotOpen
from services.dispatch.models import Override, ReassignRequest, ReleaseRequest
from services.dispatch.overriding import list_overridden
from services.dispatch.service import cancel_order, reassign, release, suggest
from services.dispatch.waves.service import dispatch_history
from services.handlers import handlers_of
from services.identity.models import Account
from services.orders.states import OrderStatus
from services.visits import service as visits
from tests.ordering import Ordering

WHY = Override(reason="家属同意，电话确认")


async def switch(ordering: Ordering, order_id: UUID, old: Caregiver, new: Caregiver, **more: Any) -> None:
    wish = ReassignRequest(from_caregiver_id=old.id, to_caregiver_id=new.id, reason="原护理员有事", **more)
    async with ordering.work(ordering.dispatcher) as work:
        await reassign(work, order_id, wish, None)


def codes(refused: NotAssignable) -> list[str]:
    (only,) = refused.extra["caregivers"]
    return [reason["code"] for reason in only["reasons"]]


async def test_a_visit_goes_to_somebody_else_in_one_step(ordering: Ordering) -> None:
    first, second = await ordering.add_caregivers(2)
    order = await ordering.place()
    await ordering.assign(order.id, [first])
    before = (await ordering.read(order.id)).bookings[0]
    await switch(ordering, order.id, first, second)
    detail = await ordering.read(order.id)
    assert detail.status is OrderStatus.ASSIGNED
    assert [(one.caregiver_id, one.starts_at) for one in detail.bookings] == [(second.id, before.starts_at)]
    assert sorted((one.caregiver_id == second.id, str(one.status)) for one in detail.visits) == [
        (False, "cancelled"),
        (True, "scheduled"),
    ]
    await switch(ordering, order.id, first, second)
    assert (await ordering.read(order.id)).version == detail.version, "a repeat changes nothing"
    with pytest.raises(NotFound):
        await switch(ordering, order.id, (await ordering.add_caregivers(1))[0], first)


async def test_a_refused_change_leaves_the_visit_where_it_was(ordering: Ordering) -> None:
    (first,) = await ordering.add_caregivers(1)
    (unable,) = await ordering.add_caregivers(1, licences=[])
    (off,) = await ordering.add_caregivers(1, shift=None)
    order = await ordering.place()
    await ordering.assign(order.id, [first])
    for wrong, expected in ((unable, "licence_missing"), (off, "not_on_shift")):
        with pytest.raises(NotAssignable) as refused:
            await switch(ordering, order.id, first, wrong)
        assert codes(refused.value) == [expected]
    with pytest.raises(NotAssignable):
        await switch(ordering, order.id, first, unable, override=WHY)
    assert [one.caregiver_id for one in (await ordering.read(order.id)).bookings] == [first.id]
    await switch(ordering, order.id, first, off, override=WHY)
    (now,) = (await ordering.read(order.id)).bookings
    assert (now.caregiver_id, now.override) == (off.id, {"reason": WHY.reason, "issues": ["not_on_shift"]})


async def test_who_has_set_out_keeps_the_visit(ordering: Ordering) -> None:
    order, detail = await ordering.assigned()
    first, second = ordering.team[0], (await ordering.add_caregivers(1))[0]
    async with ordering.work(ordering.as_caregiver(first.id)) as work:
        await visits.set_out(work, detail.visits[0].id, None)
    with pytest.raises(NotReassignable):
        await switch(ordering, order.id, first, second)


async def test_a_member_of_a_team_is_replaced_for_the_team_s_start(ordering: Ordering) -> None:
    order, detail = await ordering.assigned("bathing_disabled")
    old, (new,) = ordering.team[0], await ordering.add_caregivers(1)
    with pytest.raises(OrderNotOpen):
        await switch(ordering, order.id, old, ordering.team[1])
    await switch(ordering, order.id, old, new)
    bookings = (await ordering.read(order.id)).bookings
    assert {one.caregiver_id for one in bookings} == {ordering.team[1].id, new.id}
    assert {one.starts_at for one in bookings} == {detail.bookings[0].starts_at}


async def test_a_stale_version_moves_nobody(ordering: Ordering) -> None:
    order, detail = await ordering.assigned()
    (new,) = await ordering.add_caregivers(1)
    wish = ReassignRequest(from_caregiver_id=ordering.team[0].id, to_caregiver_id=new.id, reason="换人")
    with pytest.raises(VersionMismatch):
        async with ordering.work(ordering.dispatcher) as work:
            await reassign(work, order.id, wish, detail.version - 1)


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"skills": []}, "missing_skill"),
        ({"shift": None}, "not_on_shift"),
        ({"licences": []}, None),
        ({"valid_until": None}, None),
        ({"left_at": True}, None),
    ],
)
async def test_what_an_override_passes_and_what_not(
    ordering: Ordering, facts: dict[str, Any], code: str | None
) -> None:
    """``None``: refused, whatever the reason."""
    if facts.pop("left_at", None):
        facts["left_at"] = ordering.clock.now()
    if "valid_until" in facts:
        facts["valid_until"] = ordering.clock.now().date().replace(year=2021)
    (caregiver,) = await ordering.add_caregivers(1, **facts)
    order = await ordering.place()
    at = ordering.clock.now().replace(microsecond=0) + timedelta(hours=3)
    with pytest.raises(NotAssignable):
        await ordering.assign(order.id, [caregiver], starts_at=at)
    if code is None:
        with pytest.raises(NotAssignable) as refused:
            await ordering.assign(order.id, [caregiver], starts_at=at, override=WHY)
        (only,) = refused.value.extra["caregivers"]
        assert any(reason.get("never_passed") for reason in only["reasons"])
        return
    await ordering.assign(order.id, [caregiver], starts_at=at, override=WHY)
    (booking,) = (await ordering.read(order.id)).bookings
    assert booking.override == {"reason": WHY.reason, "issues": [code]}
    async with ordering.work(ordering.actor(Role.COUNTY_OFFICER)) as work:
        listed = await list_overridden(work, None, None, 50, None)
    assert [(one.booking_id, one.reason, one.issues) for one in listed if one.order_id == order.id] == [
        (booking.id, WHY.reason, [code])
    ]
    async with ordering.work(ordering.dispatcher) as work:
        acts = (await dispatch_history(work, order.id)).acts
    assert [(act.kind, act.role, act.document["issues"]) for act in acts] == [("overridden", "dispatcher", [code])]


async def test_no_override_puts_somebody_in_two_places(ordering: Ordering) -> None:
    order, detail = await ordering.assigned()
    other = await ordering.place()
    with pytest.raises(DoubleBooked):
        await ordering.assign(other.id, [ordering.team[0]], starts_at=detail.bookings[0].starts_at, override=WHY)
    assert (await ordering.read(order.id)).status is OrderStatus.ASSIGNED


async def test_an_urgent_order_says_whom_a_moved_visit_would_free(ordering: Ordering) -> None:
    (only,) = await ordering.add_caregivers(1)
    later = await ordering.place(in_hours=2, hours=6)
    await ordering.assign(later.id, [only])
    busy = (await ordering.read(later.id)).bookings[0]
    async with ordering.work() as work:
        await work.sql(
            text("UPDATE shift SET status = 'cancelled' WHERE caregiver_id = ANY(:ids)"),
            {"ids": [one.id for one in ordering.world.here.caregivers]},
        )
    urgent = await ordering.place(in_hours=2, hours=later.duration_minutes / 60 + 0.2, is_urgent=True)
    async with ordering.work(ordering.dispatcher) as work:
        found = await suggest(work, urgent.id)
    assert found.suggestions == []
    (proposal,) = found.if_moved
    assert (proposal.caregiver_id, proposal.moved_order_id) == (only.id, later.id)
    assert proposal.moved_starts_at == busy.starts_at
    assert proposal.moved_to is not None
    assert proposal.moved_to > proposal.starts_at
    assert (await ordering.read(later.id)).bookings == [busy], "only a proposal"


async def test_each_hears_what_changed_for_her_and_nobody_else_does(ordering: Ordering) -> None:
    """By the events' own handlers, delivered twice."""
    first, second = ordering.world.here.caregivers
    third, accounts = (await ordering.add_caregivers(1))[0], {}
    for number, one in enumerate((first, second)):
        accounts[ordering.world.account(Role.CAREGIVER, number=number).id] = one.id
    accounts[await _account(ordering, third)] = third.id
    order = await ordering.place()
    offers = await ordering.offer(order.id, [first, second])
    await ordering.accept(offers[0])
    await switch(ordering, order.id, first, third)
    wish = ReleaseRequest(caregiver_id=third.id, code="sick", reason="生病")
    async with ordering.work(ordering.dispatcher) as work:
        await release(work, order.id, wish, None)
    await ordering.assign(order.id, [second])
    async with ordering.work(ordering.resident) as work:
        await cancel_order(work, order.id, "不需要了", None)
    for _ in range(2):
        await _deliver(ordering, order.id)
    async with ordering.work() as work:
        rows = await work.sql(
            text("SELECT account_id, template FROM notification WHERE account_id = ANY(:ids) ORDER BY id"),
            {"ids": list(accounts)},
        )
        told: dict[UUID, list[str]] = {one.id: [] for one in (first, second, third)}
        for account_id, template in rows.all():
            told[accounts[account_id]].append(template)
    assert told[first.id] == ["offer_sent", "visit_taken_off"]
    assert told[second.id] == ["offer_sent", "offer_closed", "visit_assigned", "visit_cancelled"]
    assert told[third.id] == ["visit_assigned", "visit_taken_off"]


async def _account(ordering: Ordering, caregiver: Caregiver) -> UUID:
    async with ordering.work() as work:
        account = Account(
            role=Role.CAREGIVER,
            display_name=caregiver.name,
            area_code=caregiver.area_code,
            login=f"caregiver-{caregiver.id}",
            password_hash="-",
            person_id=caregiver.id,
            centre_id=caregiver.centre_id,
            created_at=work.now,
        )
        work.session.add(account)
        return account.id


async def _deliver(ordering: Ordering, order_id: UUID) -> None:
    """Hand the order's events to their handlers, as the relay and the worker do."""
    async with ordering.work() as work:
        rows = (
            await work.sql(
                text("SELECT id, name FROM outbox WHERE payload->>'order_id' = :id ORDER BY id"),
                {"id": str(order_id)},
            )
        ).all()
        for outbox_id, name in rows:
            for handler in handlers_of(name):
                await work.sql(
                    text(
                        "INSERT INTO outbox_delivery (outbox_id, handler, attempts, next_attempt_at)"
                        " VALUES (:id, :handler, 0, :at) ON CONFLICT (outbox_id, handler)"
                        " DO UPDATE SET done_at = NULL, next_attempt_at = :at"
                    ),
                    {"id": outbox_id, "handler": handler, "at": work.now},
                )
    deliverer = Deliverer(ordering.database)
    while await deliverer.deliver_one():
        pass
