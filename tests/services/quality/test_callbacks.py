"""Who is called back, by when, and what the call leaves."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.ids import new_id
from services.orders.models import OrderPublic
from services.quality.errors import CallbackEnded, UnknownWord
from services.quality.models import CallbackPublic, CallbackReason, CallbackResult, Face, RatedBy, RatingCreate
from services.quality.rules import face_of, is_drawn, quality_rules, reason_to_call
from services.quality.service import (
    ask_after_poor_rating,
    list_callbacks,
    note_attempt,
    note_result,
    plan_callback,
    rate,
)
from services.quality.states import CallbackStatus
from tests.ordering import Ordering

RULES = quality_rules()


async def planned(ordering: Ordering, order_id: UUID) -> list[CallbackPublic]:
    """What the centre sees of one order's calls back."""
    async with ordering.work(ordering.dispatcher) as work:
        rows = await list_callbacks(work, 100, None, [], overdue=False)
    return [row for row in rows if row.order_id == order_id]


async def plan(ordering: Ordering, order_id: UUID) -> None:
    async with ordering.work() as work:
        await plan_callback(work, order_id)


async def first_service(ordering: Ordering) -> tuple[OrderPublic, CallbackPublic]:
    order = await ordering.completed("cleaning")
    await plan(ordering, order.id)
    (callback,) = await planned(ordering, order.id)
    return order, callback


@pytest.mark.parametrize(
    ("score", "face"), [(1, Face.POOR), (2, Face.FAIR), (3, Face.FAIR), (4, Face.GOOD), (5, Face.GOOD)]
)
def test_every_number_has_its_face(score: int, face: Face) -> None:
    assert face_of(score, RULES) is face


@given(flagged=st.booleans(), is_first=st.booleans(), order_id=st.uuids())
def test_the_gravest_reason_stands(flagged: bool, is_first: bool, order_id: UUID) -> None:
    reason = reason_to_call(order_id, flagged=flagged, is_first=is_first, rules=RULES)
    if flagged:
        assert reason is CallbackReason.FLAGGED_VISIT
    elif is_first:
        assert reason is CallbackReason.FIRST_SERVICE
    else:
        assert reason is (CallbackReason.SAMPLE if is_drawn(order_id, RULES) else None)


def test_the_lot_draws_about_the_share_that_the_rules_name() -> None:
    drawn = sum(is_drawn(new_id(), RULES) for _ in range(20_000))
    assert 0.03 < drawn / 20_000 < 0.07  # 5 % by the rules


async def test_a_first_service_is_called_back_once_however_often_it_is_planned(ordering: Ordering) -> None:
    order = await ordering.completed("cleaning")
    await asyncio.gather(*(plan(ordering, order.id) for _ in range(8)))
    (callback,) = await planned(ordering, order.id)
    assert (callback.reason, callback.status) == ("first_service", "due")
    assert callback.due_by - callback.created_at == timedelta(hours=72)


async def test_a_poor_rating_makes_the_planned_call_urgent(ordering: Ordering) -> None:
    order, before = await first_service(ordering)
    async with ordering.work(ordering.resident) as work:
        rating = await rate(work, order.id, RatingCreate(face=Face.POOR, tags=["late", "late"], words="等了很久"))
    assert (rating.score, rating.face, rating.tags) == (1, "poor", ["late"])
    async with ordering.work() as work:
        await ask_after_poor_rating(work, order.id)
    (callback,) = await planned(ordering, order.id)
    assert callback.reason == "poor_rating"
    assert callback.due_by < before.due_by


async def test_a_word_that_nobody_offered_is_refused(ordering: Ordering) -> None:
    order = await ordering.completed("cleaning")
    with pytest.raises(UnknownWord) as refused:
        async with ordering.work(ordering.resident) as work:
            await rate(work, order.id, RatingCreate(face=Face.GOOD, tags=["on_time", "splendid"]))
    assert refused.value.extra["unknown"] == ["splendid"]


async def test_what_she_says_on_the_phone_becomes_her_rating(ordering: Ordering) -> None:
    order, callback = await first_service(ordering)
    said = CallbackResult(face=Face.FAIR, came_on_time=False, work_done=True, charged_right=True, words="来晚了")

    async def note(words: str) -> CallbackPublic:
        async with ordering.work(ordering.dispatcher) as work:
            return await note_result(work, callback.id, said.model_copy(update={"words": words}), None)

    first, again = await note("来晚了"), await note("来晚了")
    assert first == again
    assert (first.status, first.face, first.came_on_time, first.attempts) == ("done", "fair", False, 1)
    with pytest.raises(CallbackEnded):
        await note("很好")
    assert (await ordering.read(order.id)).rating_score == 3


async def test_the_household_s_own_rating_stays(ordering: Ordering) -> None:
    order, callback = await first_service(ordering)
    async with ordering.work(ordering.resident) as work:
        own = await rate(work, order.id, RatingCreate(score=5))
    assert own.channel is RatedBy.APP
    async with ordering.work(ordering.dispatcher) as work:
        await note_result(work, callback.id, CallbackResult(face=Face.POOR), None)
    assert (await ordering.read(order.id)).rating_score == 5


async def test_a_call_is_given_up_after_the_last_attempt(ordering: Ordering) -> None:
    _, callback = await first_service(ordering)
    for expected in [CallbackStatus.DUE] * (RULES.attempts - 1) + [CallbackStatus.UNREACHABLE]:
        async with ordering.work(ordering.dispatcher) as work:
            assert (await note_attempt(work, callback.id, None)).status is expected
    with pytest.raises(CallbackEnded):
        async with ordering.work(ordering.dispatcher) as work:
            await note_attempt(work, callback.id, None)


async def test_what_is_late_is_shown_as_late(ordering: Ordering) -> None:
    order, _ = await first_service(ordering)
    ordering.clock.forward(hours=73)
    (callback,) = await planned(ordering, order.id)
    assert callback.is_overdue
    async with ordering.work(ordering.dispatcher) as work:
        assert order.id in {row.order_id for row in await list_callbacks(work, 100, None, [], overdue=True)}
