"""A plan is committed while everybody else books too: nothing twice, nothing lost."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Sequence

from services.core.errors import DomainError
from services.dispatch.day_plans.states import PlanStatus
from services.dispatch.service import cancel_order
from tests.rules_held import broken_rules
from tests.township import Township


async def all_at_once(calls: Sequence[Awaitable[object]]) -> Counter[str]:
    """What became of parallel calls: ``ok`` or the code of the refusal; anything else is a fault."""
    outcomes: Counter[str] = Counter()
    for outcome in await asyncio.gather(*calls, return_exceptions=True):
        if isinstance(outcome, DomainError):
            outcomes[outcome.code] += 1
        elif isinstance(outcome, BaseException):
            raise outcome
        else:
            outcomes["ok"] += 1
    return outcomes


async def test_sixty_four_taps_are_one_commit(town: Township) -> None:
    orders = await town.ordinary_day()
    plan = await town.planned()
    answers = await asyncio.gather(*(town.commit(plan.id) for _ in range(64)))
    assert all(answer == answers[0] for answer in answers)
    assert {line.order_id for line in answers[0].done} == {order.id for order in orders}
    assert await broken_rules(town) == []
    rows = await town.rows("SELECT count(*) FROM booking WHERE centre_id = :c", c=plan.centre_id)
    assert rows[0][0] == 13
    told = await town.told()
    assert set(map(len, told.values())) == {1}


async def test_commit_beside_accepts_assignments_and_cancellations(town: Township) -> None:
    """Each order is offered, assigned or cancelled by somebody while the plan books it."""
    orders = await town.ordinary_day()
    offers = []
    for order in orders[:6]:
        offers += await town.ordering.offer(order.id, town.team[:2])
    plan = await town.planned()

    async def cancel(number: int) -> None:
        async with town.ordering.work(town.ordering.dispatcher) as work:
            await cancel_order(work, orders[number].id, "不需要了", None)

    calls: list[Awaitable[object]] = [town.ordering.accept(offer) for offer in offers]
    calls += [town.ordering.assign(order.id, [town.team[3]]) for order in orders[4:9]]
    calls += [cancel(9)]
    calls[7:7] = [town.commit(plan.id) for _ in range(64 - len(calls))]
    outcomes = await all_at_once(calls)
    assert outcomes["ok"] >= 46, outcomes
    assert set(outcomes) <= {
        "ok",
        "offer_closed",
        "not_assignable",
        "order_not_open",
        "double_booked",
        "not_cancellable",
        "start_invalid",
    }, outcomes
    assert (await town.read(plan.id)).status is PlanStatus.COMMITTED
    held = await broken_rules(town)
    assert "overlap" not in held
    assert not {"team", "visit", "stray visit"} & set(held), held
    rows = await town.rows(
        "SELECT o.status, count(b.id), o.caregivers_required FROM service_order o"
        " LEFT JOIN booking b ON b.order_id = o.id AND b.is_active WHERE o.centre_id = :c GROUP BY o.id",
        c=plan.centre_id,
    )
    for status, booked, required in rows:
        assert booked == (required if status == "assigned" else 0), "nothing lost, nothing half"


async def test_two_plans_for_the_same_people_at_once(town: Township) -> None:
    """A repair of today and the plan of the day move the same visits: one of them wins each."""
    await town.ordinary_day()
    await town.commit((await town.planned()).id)
    victims = [one.id for one in town.team[:2]]
    hers = "SELECT id FROM booking WHERE is_active AND caregiver_id = ANY (:ids)"
    before = set(await town.rows(hers, ids=victims))
    for one in victims:
        await town.absent(one)
    day = await town.planned()
    proposals = await town.proposals()
    outcomes = await all_at_once([town.commit(one) for one in [*proposals, day.id] * 8])
    assert set(outcomes) == {"ok"}, outcomes
    held = await broken_rules(town)
    assert not {"overlap", "team", "visit", "stray visit"} & set(held), held
    after = set(await town.rows(hers, ids=victims))
    assert after < before, "nothing new is given to who is ill"
