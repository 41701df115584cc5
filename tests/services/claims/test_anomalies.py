"""What no honest month holds."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.claims.anomalies import Anomaly, VisitFacts, find, limits
from services.core.geo import Point

HERE = Point(28.30, 113.20)
NEXT_DOOR = Point(28.3005, 113.2005)
FAR = Point(28.50, 113.20)  # some 22 km
DAY = datetime(2026, 11, 3, 8, 0, tzinfo=UTC)


def visit(number: int, start: int, end: int, home: Point = HERE, who: int = 1, **more: object) -> VisitFacts:
    """A visit from one minute of the day to another, planned for half an hour."""
    facts: dict[str, object] = {"proofs": frozenset(), "planned": timedelta(minutes=30)} | more
    return VisitFacts(
        visit_id=UUID(int=number),
        order_id=UUID(int=100 + number),
        caregiver_id=UUID(int=who),
        resident_id=UUID(int=200 + number),
        started_at=DAY + timedelta(minutes=start),
        ended_at=DAY + timedelta(minutes=end),
        home=home,
        **facts,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("visits", "expected"),
    [
        ([visit(1, 0, 30), visit(2, 60, 90, FAR)], {}),
        ([visit(1, 0, 30), visit(2, 20, 50, FAR)], {1: "two_places", 2: "two_places"}),
        ([visit(1, 0, 30), visit(2, 20, 50, NEXT_DOOR)], {}),  # two people of one house
        ([visit(1, 0, 30), visit(2, 20, 50, FAR, who=2)], {}),
        ([visit(1, 0, 30), visit(2, 40, 70, FAR)], {1: "impossible_way", 2: "impossible_way"}),
        # A long stay with a short one beside it does not hide the third.
        (
            [visit(1, 0, 200), visit(2, 30, 60, NEXT_DOOR), visit(3, 90, 120, FAR)],
            {1: "two_places", 3: "two_places"},
        ),
        ([visit(1, 0, 14)], {1: "too_short"}),
        ([visit(1, 0, 15)], {}),
        (
            [visit(1, 0, 30, proofs=frozenset({"a"})), visit(2, 600, 630, who=2, proofs=frozenset({"a", "b"}))],
            {1: "same_proof", 2: "same_proof"},
        ),
        ([visit(1, 0, 30, proofs=frozenset({"a"})), visit(2, 600, 630, proofs=frozenset({"b"}))], {}),
    ],
)
def test_flags(visits: list[VisitFacts], expected: dict[int, str]) -> None:
    found = find(visits, limits())
    assert found == {UUID(int=100 + number): {Anomaly(flag)} for number, flag in expected.items()}


def test_a_visit_without_times_is_no_riddle() -> None:
    open_end = VisitFacts(
        UUID(int=1), UUID(int=2), UUID(int=3), UUID(int=4), DAY, None, timedelta(minutes=30), HERE, frozenset()
    )
    assert find([open_end, visit(5, 0, 30, FAR, who=3)], limits()) == {}
