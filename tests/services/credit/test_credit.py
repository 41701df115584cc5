"""Credit: a score that anybody can recompute from the published rules."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.actor import Role
from services.core.errors import Forbidden
from services.credit.errors import RulesExist, RulesInThePast, UnknownCriterion
from services.credit.models import RuleSetCreate
from services.credit.rules import CreditFacts, score, seed_rules
from services.credit.service import list_scores, my_scores, publish_rules, published_rules, score_month
from services.quality.models import RatingCreate
from services.quality.service import rate
from tests.ordering import Ordering

RULES = seed_rules()
PERFECT = CreditFacts(
    ended_visits=20,
    started_visits=20,
    on_time_visits=20,
    agreed_visits=20,
    ratings=10,
    rating_points=50,
    offers=8,
    answered_offers=8,
)


@pytest.mark.parametrize(
    ("facts", "expected", "grade"),
    [
        (PERFECT, 100.0, "A"),
        (replace(PERFECT, on_time_visits=10), 85.0, "B"),  # 30 × 10/20 lost
        (replace(PERFECT, rating_points=30), 85.0, "B"),  # mean 3: (30 - 10) / 40 of 30 points
        (replace(PERFECT, ratings=0, rating_points=0), 100.0, "A"),  # nothing said weighs nothing
        (replace(PERFECT, upheld=2), 90.0, "A"),
        (replace(PERFECT, upheld=1, upheld_serious=1), 75.0, "B"),
        (replace(PERFECT, upheld_serious=9), 0.0, "D"),
        (replace(PERFECT, ended_visits=9, agreed_visits=9), None, None),  # too few to say
        (CreditFacts(), None, None),
    ],
)
def test_scores(facts: CreditFacts, expected: float | None, grade: str | None) -> None:
    result = score(facts, RULES)
    assert (result.score, result.grade) == (expected, grade)


@given(
    done=st.integers(10, 500),
    late=st.integers(0, 500),
    flagged=st.integers(0, 500),
    rated=st.integers(0, 100),
    points=st.floats(1, 5),
    upheld=st.integers(0, 5),
)
def test_the_parts_make_the_score(
    done: int, late: int, flagged: int, rated: int, points: float, upheld: int
) -> None:
    facts = CreditFacts(
        ended_visits=done,
        started_visits=done,
        on_time_visits=max(done - late, 0),
        agreed_visits=max(done - flagged, 0),
        ratings=rated,
        rating_points=round(rated * points),
        upheld=upheld,
    )
    result = score(facts, RULES)
    assert result.score is not None
    assert 0 <= result.score <= 100
    total = sum(part.points or 0 for part in [*result.parts, *result.deductions])
    assert result.score == pytest.approx(max(total, 0), abs=0.25)
    assert sum(part.of for part in result.parts) == pytest.approx(100, abs=0.2)
    worse = score(replace(facts, upheld=upheld + 1), RULES)
    assert worse.score is not None
    assert worse.score <= result.score


async def test_a_month_is_scored_once_from_what_happened(ordering: Ordering) -> None:
    order = await ordering.completed()
    caregiver_id = (await ordering.read(order.id)).visits[0].caregiver_id
    async with ordering.work(ordering.resident) as work:
        await rate(work, order.id, RatingCreate(score=4))
    county = ordering.world.here.town[:6]
    month = ordering.clock.now().date().replace(day=1)
    for _ in range(2):
        async with ordering.work() as work:
            await score_month(work, county, month)
    async with ordering.work(ordering.as_caregiver(caregiver_id)) as work:
        (mine,) = await my_scores(work, 20, None)
    figures = {part.code: (part.numerator, part.denominator) for part in mine.parts}
    assert figures["satisfaction"] == (3, 4)  # 4 on the scale from 1 to 5
    assert figures["evidence"][1] == 1
    assert (mine.score, mine.rules_version) == (None, RULES.version)  # one visit is too few
    assert mine.window_end == (month + timedelta(days=32)).replace(day=1)
    async with ordering.work(ordering.actor(Role.COUNTY_OFFICER)) as work:
        listed = await list_scores(work, 100, None, None, caregiver_id, month)
    assert [row.id for row in listed] == [mine.id]


async def test_rules_are_published_for_a_day_to_come_and_stay(ordering: Ordering) -> None:
    county = ordering.actor(Role.COUNTY_OFFICER)
    today = ordering.clock.now().date()

    async def publish(day: date, code: str = "punctuality") -> None:
        document = RULES.model_copy(deep=True)
        document.parts[0].code = code
        async with ordering.work(county) as work:
            said = RuleSetCreate(effective_from=day, reason="县里评审", document=document)
            await publish_rules(work, said)

    with pytest.raises(RulesInThePast):
        await publish(today)
    with pytest.raises(UnknownCriterion):
        await publish(today + timedelta(days=9), "beauty")
    await publish(today + timedelta(days=9))
    with pytest.raises(RulesExist):
        await publish(today + timedelta(days=9))
    async with ordering.work(ordering.resident) as work:
        versions = await published_rules(work)
    assert [one.effective_from for one in versions] == [today + timedelta(days=9), None]
    assert versions[0].version == (today + timedelta(days=9)).isoformat()


async def test_the_system_publishes_nothing(ordering: Ordering) -> None:
    said = RuleSetCreate(effective_from=date(2030, 1, 1), reason="自动", document=RULES)
    with pytest.raises(Forbidden):
        async with ordering.work() as work:
            await publish_rules(work, said)
