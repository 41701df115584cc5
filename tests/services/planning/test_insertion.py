"""One urgent visit into a running plan: the best place, as trying every place finds it; and why not."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.planning import greedy, reasons
from services.planning.checker import check
from services.planning.day import Day, index_day
from services.planning.evaluation import summarise
from services.planning.insertion import Insertions, best_insertions
from services.planning.problem import Assignment, EngineName, Pin, PlanCaregiver, PlanVisit
from services.planning.reasons import Reason
from services.planning.running import Running
from services.planning.service import finish
from tests import planned_days as days


def planned(day: Day, without: set[int]) -> Running:
    """A greedy plan of everything but some visits."""
    running = Running(day)
    for members in greedy.waiting(running):
        if not without & set(members):
            greedy.insert_best(running, members)
    return running


def by_trying(running: Running, visit: int) -> int | None:
    """The least cost of a place for one visit: every place tried in earnest."""
    best = None
    before = summarise(running.day, running.assignments(), EngineName.GREEDY).cost
    left = running.day.unassigned_cost(visit)
    for lane, row in enumerate(running.rows):
        if not running.may(visit, lane):
            continue
        for position in range(len(row) + 1):
            mark = running.mark()
            running.put(visit, lane, position)
            if running.settle():
                cost = summarise(running.day, running.assignments(), EngineName.GREEDY).cost - before + left
                best = cost if best is None else min(best, cost)
            running.back(mark)
    return best


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 10**6))
def test_the_best_place_is_the_one_that_trying_finds(seed: int) -> None:
    problem = days.random_day(seed)
    # Fairness and running plans are not part of the cost of a place, so they are left out of the comparison.
    weights = days.WEIGHTS.__class__(200_000, 1, 2, 0, 0, 0)
    options = days.options(weights=weights)
    day = index_day(problem.__class__(problem.visits, problem.caregivers, problem.travel), options)
    alone = [group[0] for group in day.groups if len(group) == 1 and group[0] not in day.pinned_lane]
    if not alone:
        return
    running = planned(day, {alone[0]})
    before = running.assignments()
    found = best_insertions(running, [day.visits[alone[0]].key], count=50)
    assert running.assignments() == before, "asking changes nothing"
    expected = by_trying(running, alone[0])
    assert (min(place.cost for place in found.places) if found.places else None) == expected
    told = {entry.caregiver for place in found.places for entry in place.added} | set(found.refused)
    assert told == set(day.staff), "everybody has a place or a reason"


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 10**6))
def test_a_place_that_is_returned_holds(seed: int) -> None:
    problem = days.random_day(seed)
    options = days.options()
    day = index_day(problem.__class__(problem.visits, problem.caregivers, problem.travel), options)
    for group in day.groups:
        members = [visit for visit in group if visit not in day.pinned_lane]
        if not members:
            continue
        running = planned(day, set(members))
        for place in best_insertions(running, [day.visits[visit].key for visit in members]).places:
            kept = {entry.visit: entry for entry in running.assignments()}
            kept |= {entry.visit: entry for entry in (*place.delayed, *place.added)}
            ways = Running.of(day, kept.values())
            assert {entry.visit for entry in ways.assignments()} == set(kept)
            plan = finish(day, ways.assignments(), EngineName.GREEDY, 0.0)
            assert check(day.problem, plan, options) == []
        break


FULL = (Assignment("long", "c", days.at(8.1), days.at(16.9), 300),)
URGENT = days.visit("u", 1, (10, 11), tags=frozenset({"nurse"}))
NURSE = frozenset({"nurse"})
WHY: dict[Reason, tuple[PlanVisit, PlanCaregiver]] = {
    Reason.MISSING_TAG: (URGENT, days.caregiver("c")),
    Reason.EXCLUDED: (days.visit("u", 1, (10, 11), excluded=frozenset({"c"})), days.caregiver("c")),
    Reason.WINDOW_PAST: (days.visit("u", 1, (10, 10.25)), days.caregiver("c")),
    Reason.NOT_ON_SHIFT: (URGENT, days.caregiver("c", (12, 17), tags=NURSE)),
    Reason.WORK_LIMIT: (URGENT, days.caregiver("c", tags=NURSE, longest_work=600)),
    Reason.TRAVEL_TOO_LONG: (URGENT, days.caregiver("c", (10, 12), home=30, tags=NURSE)),
    Reason.NO_GAP: (URGENT, days.caregiver("c", tags=NURSE)),
}


def asked(visit: PlanVisit, caregiver: PlanCaregiver) -> Insertions:
    long = days.visit("long", 2, (8, 17), minutes=528, pin=Pin("c", days.at(8.1)) if visit is URGENT else None)
    with_long = caregiver == WHY[Reason.NO_GAP][1]
    problem = days.problem([visit, *([long] if with_long else [])], [caregiver])
    return best_insertions(Running(index_day(problem, days.options())), ["u"])


@pytest.mark.parametrize("reason", WHY)
def test_a_caregiver_without_a_place_has_a_reason(reason: Reason) -> None:
    found = asked(*WHY[reason])
    assert found.places == ()
    assert found.refused == {"c": reason}


def test_the_other_half_of_a_team_is_somebody_else() -> None:
    visits = [days.visit("a", 1, team="t", pin=Pin("c", days.at(9))), days.visit("b", 1, team="t")]
    day = index_day(days.problem(visits, [days.caregiver("c")]), days.options())
    found = best_insertions(Running(day), ["b"])
    assert found.refused == {"c": Reason.SAME_CAREGIVER}


def test_every_reason_has_words() -> None:
    assert set(reasons.WORDS) == set(Reason)
    assert all(zh and en and zh != en for zh, en in reasons.WORDS.values())


def test_a_place_names_who_begins_later() -> None:
    visits = [days.visit("first", 1, (9, 17)), days.visit("second", 1, (9, 17)), days.visit("u", 1, (9, 9.5))]
    day = index_day(days.problem(visits, [days.caregiver("anna")]), days.options())
    running = planned(day, {2})
    [best, *_] = best_insertions(running, ["u"]).places
    assert [entry.starts_at for entry in best.added] == [days.at(9)]
    assert sorted(entry.starts_at for entry in best.delayed) == [days.at(9.5), days.at(10)]
