"""Who, when and how to get in: said with the order, changed while that is possible, and both sides kept."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from services.core.actor import Role
from services.core.errors import VersionMismatch
from services.dispatch.service import change_order_wishes, reschedule_order
from services.orders.errors import (
    CallerNotByPhone,
    CaregiverUnknown,
    GenderMissing,
    NotChangeable,
    TakenAlready,
    WindowInvalid,
)
from services.orders.models import OrderChangePublic
from services.orders.service import list_changes
from services.orders.states import OrderStatus
from services.orders.wishes import OrderCreate, RescheduleRequest, WishesChange
from services.residents.models import Gender
from services.visits.service import set_out
from tests.ordering import Ordering


def span(ordering: Ordering, in_hours: float, hours: float = 4) -> dict[str, Any]:
    start = ordering.clock.now() + timedelta(hours=in_hours)
    return {"start": start, "end": start + timedelta(hours=hours)}


async def reschedule(
    ordering: Ordering, order_id: Any, *windows: dict[str, Any], version: int | None = None
) -> None:
    wish = RescheduleRequest(windows=list(windows), reason="那天要去复查")
    async with ordering.work(ordering.resident) as work:
        await reschedule_order(work, order_id, wish, version)


async def change(ordering: Ordering, order_id: Any, **said: Any) -> None:
    async with ordering.work(ordering.resident) as work:
        await change_order_wishes(work, order_id, WishesChange(**said), None)


async def changes(ordering: Ordering, order_id: Any, role: Role = Role.DISPATCHER) -> list[OrderChangePublic]:
    async with ordering.work(ordering.actor(role)) as work:
        return await list_changes(work, order_id, 20, None)


async def test_everything_that_was_wished_stands_on_the_order(ordering: Ordering) -> None:
    known = (await ordering.add_caregivers(1))[0]
    order = await ordering.place(
        actor=ordering.dispatcher,
        window_start=None,
        window_end=None,
        windows=[span(ordering, 50), span(ordering, 2)],
        preferred_gender="male",
        gender_is_must=True,
        preferred_caregiver_id=known.id,
        preferred_dialect="长沙话",
        access={"floor": 5, "has_lift": False, "has_dog": True},
        caller={"name": "王女士", "relation": "女儿"},
    )
    assert [window.start for window in order.windows] == sorted(window.start for window in order.windows)
    assert (order.window_start, order.window_end) == (order.windows[0].start, order.windows[1].end)
    assert (order.preferred_gender, order.gender_is_must) == (Gender.MALE, True)
    assert (order.preferred_caregiver_id, order.preferred_dialect) == (known.id, "长沙话")
    assert order.access.model_dump(exclude_none=True) == {
        "floor": 5,
        "has_lift": False,
        "has_dog": True,
        "key_box_known": False,
    }
    detail = await ordering.read(order.id)
    assert (detail.windows, detail.access, detail.caller) == (order.windows, order.access, order.caller)
    seen = await ordering.read(order.id, ordering.actor(Role.COUNTY_OFFICER))
    assert (seen.note, seen.caller) == ("", None)


async def test_what_is_not_said_is_as_on_the_record(ordering: Ordering) -> None:
    order = await ordering.place()
    resident = ordering.world.here.households[0].resident
    assert (order.preferred_gender, order.preferred_dialect) == (resident.preferred_gender, resident.dialect)


async def test_wishes_nobody_can_fulfil(ordering: Ordering) -> None:
    abroad = ordering.world.abroad.caregivers[0].id
    with pytest.raises(CaregiverUnknown):
        await ordering.place(preferred_caregiver_id=abroad)
    with pytest.raises(CallerNotByPhone):
        await ordering.place(caller={"name": "王女士"})
    if ordering.world.here.households[0].resident.preferred_gender is None:
        with pytest.raises(GenderMissing):
            await ordering.place(gender_is_must=True)


async def test_a_household_may_name_who_has_come_before(ordering: Ordering) -> None:
    _, detail = await ordering.assigned()
    again = await ordering.place(in_hours=30, preferred_caregiver_id=detail.bookings[0].caregiver_id)
    assert again.preferred_caregiver_id == detail.bookings[0].caregiver_id


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"items": [{"item_code": "bathing"}], "item_code": "bathing"}, "exactly_one"),
        ({"items": [{"item_code": "bathing"}, {"item_code": "bathing", "quantity": 2}]}, "same_item_twice"),
        ({"items": []}, "what_is_missing"),
        ({"windows": []}, "when_is_missing"),
        ({"window_start": "2026-11-24T09:00:00+08:00"}, "start_and_end_together"),
    ],
)
def test_orders_that_say_too_much_or_too_little(said: dict[str, Any], code: str) -> None:
    whole = {
        "resident_id": "019329a4-5b1c-7d2e-8f30-0a1b2c3d4e5f",
        "items": [{"item_code": "bathing"}],
        "windows": [{"start": "2026-11-24T09:00:00+08:00", "end": "2026-11-24T11:30:00+08:00"}],
    }
    with pytest.raises(ValidationError) as refused:
        OrderCreate.model_validate(whole | said)
    assert [error["type"] for error in refused.value.errors()] == [code]


def test_windows_must_not_overlap() -> None:
    overlapping = [
        {"start": "2026-11-24T11:00:00+08:00", "end": "2026-11-24T13:00:00+08:00"},
        {"start": "2026-11-24T09:00:00+08:00", "end": "2026-11-24T11:30:00+08:00"},
    ]
    with pytest.raises(ValidationError) as refused:
        RescheduleRequest.model_validate({"windows": overlapping})
    assert [error["type"] for error in refused.value.errors()] == ["windows_overlap"]


async def test_the_window_that_does_not_work_is_named(ordering: Ordering) -> None:
    with pytest.raises(WindowInvalid) as refused:
        await ordering.place(
            window_start=None, window_end=None, windows=[span(ordering, 2), span(ordering, 20, 0.5)]
        )
    assert (refused.value.extra["reason"], refused.value.extra["window"]) == ("too_short", 2)


async def test_rescheduling_takes_offers_back_and_keeps_both_times(ordering: Ordering) -> None:
    order = await ordering.place()
    await ordering.offer(order.id, await ordering.add_caregivers(2))
    await reschedule(ordering, order.id, span(ordering, 26), span(ordering, 50))
    await reschedule(ordering, order.id, span(ordering, 26), span(ordering, 50))  # a double tap
    detail = await ordering.read(order.id)
    assert detail.status is OrderStatus.PLACED
    assert {offer.status for offer in detail.offers} == {"withdrawn"}
    assert detail.window_start - order.window_start == timedelta(hours=24)
    assert len(detail.windows) == 2
    assert detail.quote == order.quote
    (kept,) = await changes(ordering, order.id)
    assert (kept.kind, kept.reason, kept.role) == ("rescheduled", "那天要去复查", "resident")
    assert len(kept.before["windows"]) == 1
    assert len(kept.after["windows"]) == 2
    (seen,) = await changes(ordering, order.id, Role.COUNTY_OFFICER)
    assert (seen.kind, seen.reason) == ("rescheduled", "")


async def test_what_somebody_has_taken_is_released_first(ordering: Ordering) -> None:
    order, detail = await ordering.assigned()
    for attempt in (
        reschedule(ordering, order.id, span(ordering, 26)),
        change(ordering, order.id, preferred_gender="male"),
    ):
        with pytest.raises(TakenAlready):
            await attempt
    await change(ordering, order.id, note="请走后门", access={"has_dog": True})
    async with ordering.work(ordering.as_caregiver(detail.visits[0].caregiver_id)) as work:
        await set_out(work, detail.visits[0].id, None)
    with pytest.raises(NotChangeable):
        await change(ordering, order.id, note="太迟了")
    with pytest.raises(NotChangeable):
        await reschedule(ordering, order.id, span(ordering, 26))
    assert (await ordering.read(order.id)).note == "请走后门"


async def test_a_part_of_a_team_is_taken_too(ordering: Ordering) -> None:
    order = await ordering.place("bathing_disabled")
    offers = await ordering.offer(order.id, await ordering.add_caregivers(3))
    await ordering.accept(offers[0])
    with pytest.raises(TakenAlready):
        await reschedule(ordering, order.id, span(ordering, 26))


async def test_changed_wishes_keep_what_was_said_before(ordering: Ordering) -> None:
    order = await ordering.place(note="前门", access={"floor": 2, "has_dog": True})
    await change(ordering, order.id, note="后门", access={"floor": 3}, reason="搬到楼上")
    await change(ordering, order.id, note="后门")  # nothing new
    detail = await ordering.read(order.id)
    assert (detail.note, detail.access.floor, detail.access.has_dog) == ("后门", 3, True)
    (kept,) = await changes(ordering, order.id)
    assert (kept.before["note"], kept.after["note"]) == ("前门", "后门")
    assert (kept.before["access"]["floor"], kept.after["access"]["floor"]) == (2, 3)
    (seen,) = await changes(ordering, order.id, Role.AUDITOR)
    assert (seen.before["note"], seen.after["note"], seen.reason) == ("", "", "")


async def test_a_stale_version_changes_nothing(ordering: Ordering) -> None:
    order = await ordering.place()
    with pytest.raises(VersionMismatch):
        await reschedule(ordering, order.id, span(ordering, 26), version=order.version + 1)
    assert await changes(ordering, order.id) == []
