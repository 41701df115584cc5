"""One rating an order, whatever the thumb does."""

import asyncio

import pytest
from pydantic import ValidationError

from services.core.actor import Actor, Role
from services.core.errors import Forbidden, NotFound
from services.quality.errors import AlreadyRated, NotRateable
from services.quality.models import RatingCreate
from services.quality.service import rate
from tests.ordering import Ordering


async def test_parallel_taps_leave_one_rating(ordering: Ordering) -> None:
    order = await ordering.completed()

    async def tap(actor: Actor, score: int) -> object:
        async with ordering.work(actor) as work:
            return await rate(work, order.id, RatingCreate(score=score, words="很好"))

    family = ordering.actor(Role.FAMILY)
    taps = [tap(ordering.resident, 5) for _ in range(6)] + [tap(family, 4) for _ in range(6)]
    outcomes = await asyncio.gather(*taps, return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, AlreadyRated)]
    assert len(refused) == 11
    assert (await ordering.read(order.id)).rating_score in (4, 5)


async def test_only_the_household_and_only_what_is_completed(ordering: Ordering) -> None:
    order, _ = await ordering.assigned()
    said = RatingCreate(score=3)
    with pytest.raises(NotRateable):
        async with ordering.work(ordering.resident) as work:
            await rate(work, order.id, said)
    with pytest.raises(Forbidden):
        async with ordering.work(ordering.dispatcher) as work:
            await rate(work, order.id, said)
    with pytest.raises(NotFound):
        async with ordering.work(ordering.actor(Role.RESIDENT, number=1)) as work:
            await rate(work, order.id, said)


@pytest.mark.parametrize("said", [{"score": 0}, {"score": 6}, {"score": 4.5}, {"score": 5, "words": "长" * 501}])
def test_what_is_no_rating(said: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        RatingCreate(**said)  # type: ignore[arg-type]
