"""Which parts of a plan still hold: what no longer does pulls out what leaned on it, and nothing else. Pure."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from services.caregivers.models import TravelMode
from services.core.geo import Point
from services.core.ids import new_id
from services.dispatch.day_plans.settling import OrderSteps, Step, settle
from services.dispatch.facts import Candidate, Job, Need, Span, day_at
from services.dispatch.loading import Ties
from services.residents.models import Gender

HERE = Point(28.3, 113.2)
DAWN = datetime(2026, 11, 23, 0, tzinfo=UTC)
"""Eight in the morning, local."""
HOUR = timedelta(hours=1)
NOBODY = Ties({}, {})
ANNA, BETA, CARA = new_id(), new_id(), new_id()


def at(hour: float) -> datetime:
    return DAWN + hour * HOUR


def need(**facts: object) -> Need:
    """An hour of care at one address, any time of the day."""
    given: dict[str, object] = {
        "skills": frozenset(),
        "licences": frozenset(),
        "window": Span(at(0), at(10)),
        "duration": HOUR,
        "place": HERE,
        "now": at(-1),
    }
    return Need(**(given | facts))  # type: ignore[arg-type]  the fields named above


def who(key: UUID, *jobs: tuple[UUID, float], **facts: object) -> Candidate:
    """Somebody at work all day, with visits of an hour at the same address."""
    given: dict[str, object] = {
        "id": key,
        "name": "陈护理",
        "gender": Gender.FEMALE,
        "skills": frozenset(),
        "dialects": frozenset(),
        "mode": TravelMode.WALK,
        "home": HERE,
        "shifts": (Span(at(0), at(10)),),
        "jobs": tuple(Job(Span(at(hour), at(hour + 1)), HERE, order) for order, hour in jobs),
    }
    return Candidate(**(given | facts))  # type: ignore[arg-type]  the fields named above


def part(order: UUID, before: tuple[UUID, float] | None, after: tuple[UUID, float] | None) -> OrderSteps:
    """One order with one place: from whom at which hour to whom at which hour."""
    step = Step(
        from_caregiver_id=before and before[0],
        from_starts_at=None if before is None else at(before[1]),
        caregiver_id=after and after[0],
        starts_at=None if after is None else at(after[1]),
    )
    return OrderSteps(order, new_id(), need(), (step,))


def settled(parts: list[OrderSteps], *people: Candidate, ties: Ties = NOBODY) -> tuple[set[UUID], dict[UUID, str]]:
    holding, out = settle(parts, {one.id: one for one in people}, ties, day_at(DAWN))
    return {one.order_id for one in holding}, out


def test_two_change_places() -> None:
    """Each takes the other's hour: neither could alone."""
    one, other = new_id(), new_id()
    parts = [part(one, (ANNA, 1), (BETA, 1)), part(other, (BETA, 1), (ANNA, 1))]
    people = [who(ANNA, (one, 1)), who(BETA, (other, 1))]
    assert settled(parts, *people) == ({one, other}, {})
    assert settled(parts[:1], *people) == (set(), {one: "busy"})


def test_what_leans_on_a_stale_part_falls_with_it() -> None:
    """Cara cannot come: so Anna keeps the first and has no room for the second; the third is untouched."""
    first, second, third = new_id(), new_id(), new_id()
    parts = [
        part(first, (ANNA, 1), (CARA, 1)),
        part(second, (BETA, 3), (ANNA, 1)),
        part(third, (BETA, 5), (ANNA, 5)),
    ]
    away = who(CARA, absences=(Span(at(0), at(10)),))
    people = [who(ANNA, (first, 1)), who(BETA, (second, 3), (third, 5))]
    assert settled(parts, *people, away) == ({third}, {first: "absent", second: "busy"})
    assert settled(parts, *people, who(CARA)) == ({first, second, third}, {})


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"shifts": ()}, "not_on_shift"),
        ({"left_at": at(-5)}, "left"),
        ({"closed_on": frozenset({date(2026, 11, 23)})}, "institution_closed"),
        ({"day_limit": 30}, "over_day_limit"),
        ({"week_limit": 30}, "over_week_limit"),
    ],
)
def test_whoever_cannot_come_any_more(facts: dict[str, object], code: str) -> None:
    order = new_id()
    assert settled([part(order, None, (ANNA, 1))], who(ANNA, **facts)) == (set(), {order: code})


def test_whoever_is_not_there_and_whoever_is_kept_apart() -> None:
    order = part(new_id(), None, (ANNA, 1))
    assert settled([order]) == (set(), {order.order_id: "caregiver_gone"})
    ties = Ties({}, {order.resident_id: frozenset({ANNA})})
    assert settled([order], who(ANNA), ties=ties) == (set(), {order.order_id: "kept_apart"})


def test_the_week_counts_what_she_gives_away() -> None:
    """Forty hours booked of forty: an hour for another hour is no hour more."""
    mine, other = new_id(), new_id()
    full = who(ANNA, (mine, 1), week_limit=2400, week_minutes={date(2026, 11, 23): 2400})
    take = part(other, None, (ANNA, 3))
    assert settled([take], full) == (set(), {other: "over_week_limit"})
    assert settled([take, part(mine, (ANNA, 1), (BETA, 1))], full, who(BETA)) == ({mine, other}, {})


def test_no_plan_takes_away_what_can_be_kept() -> None:
    order = new_id()
    drop = part(order, (ANNA, 1), None)
    assert settled([drop], who(ANNA, (order, 1))) == (set(), {order: "caregiver_back"})
    ill = who(ANNA, (order, 1), absences=(Span(at(0), at(2)),))
    assert settled([drop], ill) == ({order}, {})


def test_a_team_is_all_or_nothing() -> None:
    order = new_id()
    steps = tuple(Step(None, None, one, at(1)) for one in (ANNA, BETA))
    team = OrderSteps(order, new_id(), need(), steps)
    busy = replace(who(BETA, (new_id(), 1)))
    assert settled([team], who(ANNA), who(BETA)) == ({order}, {})
    assert settled([team], who(ANNA), busy) == (set(), {order: "busy"})
