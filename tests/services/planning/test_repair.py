"""Something happens to a running plan: it holds again, pins stay, and no more changes than must."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.planning.checker import check
from services.planning.problem import EngineName, Pin, PlanVisit, Problem
from services.planning.repair import (
    Added,
    Away,
    Cancelled,
    Change,
    ChangeKind,
    Event,
    Overrun,
    Repair,
    RepairJob,
    repair,
)
from services.planning.service import plan
from tests import planned_days as days

OPTIONS = days.options(engine=EngineName.GREEDY, weights=replace(days.WEIGHTS, change=3_600))


def running(problem: Problem) -> Problem:
    """The problem with a plan in force."""
    return replace(problem, running=plan(problem, OPTIONS).assignments)


def mended(problem: Problem, now: float, *events: Event) -> Repair:
    job = RepairJob(problem, OPTIONS, days.at(now), events)
    found = repair(job)
    assert check(found.problem, found.plan, replace(OPTIONS, hold=True)) == []
    return found


def kinds(found: Repair) -> dict[str, ChangeKind]:
    return {change.visit: change.kind for change in found.changes}


ROUND = running(
    days.problem(
        [days.visit(f"v{k}", 1 + k % 3, (8 + k, 12 + k)) for k in range(5)],
        [days.caregiver("anna"), days.caregiver("berta", home=3), days.caregiver("clara", home=5)],
    )
)


def test_nothing_happened_nothing_changes() -> None:
    assert mended(ROUND, 7).changes == ()


def test_who_falls_ill_is_replaced_and_the_rest_stays() -> None:
    ill = next(entry.caregiver for entry in ROUND.running if entry.visit == "v4")
    hers = {entry.visit for entry in ROUND.running if entry.caregiver == ill and entry.starts_at >= days.at(9)}
    found = mended(ROUND, 9, Away(ill, days.at(9)))
    assert set(kinds(found)) == hers
    assert found.plan.summary.unassigned == 0
    assert all(entry.caregiver != ill or entry.starts_at < days.at(9) for entry in found.plan.assignments)


def test_a_visit_that_has_begun_stays() -> None:
    first = min(ROUND.running, key=lambda entry: entry.starts_at)
    now = (first.starts_at + 60) / days.HOUR
    found = mended(ROUND, now, Away(first.caregiver, first.starts_at + 60))
    assert first in [replace(entry, travel=first.travel) for entry in found.plan.assignments]


def test_an_overrun_delays_no_more_than_it_must() -> None:
    problem = running(
        days.problem([days.visit("a", 1, (8, 9)), days.visit("b", 1, (9, 12))], [days.caregiver("anna")])
    )
    began = problem.running[0].starts_at / days.HOUR
    found = mended(problem, began + 0.4, Overrun("a", days.at(9.5)))
    assert {entry.visit: entry.starts_at for entry in found.plan.assignments}["b"] == days.at(9.5)
    assert kinds(found) == {"b": ChangeKind.TIME}


def test_an_urgent_visit_comes_in_and_nobody_else_is_moved() -> None:
    urgent = days.visit("urgent", 2, (10, 12), priority=8)
    found = mended(ROUND, 9, Added((urgent,)))
    assert kinds(found) == {"urgent": ChangeKind.ADDED}
    assert found.changes[0].after is not None


def test_one_visit_makes_room_for_an_urgent_one() -> None:
    problem = running(
        days.problem(
            [days.visit("easy", 1, (9, 9.75))],
            [days.caregiver("nurse", tags=frozenset({"nurse"}), home=1), days.caregiver("berta", home=5)],
        )
    )
    assert problem.running[0].caregiver == "nurse"
    urgent = days.visit("urgent", 1, (9, 9.75), tags=frozenset({"nurse"}), priority=8)
    found = mended(problem, 8, Added((urgent,)))
    assert kinds(found) == {"easy": ChangeKind.CAREGIVER, "urgent": ChangeKind.ADDED}
    assert found.plan.summary.unassigned == 0


def test_a_cancelled_visit_goes_and_nobody_comes_earlier() -> None:
    found = mended(ROUND, 7, Cancelled(frozenset({"v1"})))
    assert [(change.visit, change.kind) for change in found.changes] == [("v1", ChangeKind.CANCELLED)]
    told = {entry.visit: entry.starts_at for entry in ROUND.running}
    assert all(entry.starts_at >= told[entry.visit] for entry in found.plan.assignments)


def test_a_pin_that_an_absence_contradicts_is_named_and_kept() -> None:
    pinned = replace(ROUND.visits[4], pin=Pin("anna", days.at(13)))
    problem = running(replace(ROUND, visits=(*ROUND.visits[:4], pinned), running=()))
    found = mended(problem, 8, Away("anna", days.at(12)))
    assert found.doubtful == ("v4",)
    [entry] = [one for one in found.plan.assignments if one.visit == "v4"]
    assert (entry.caregiver, entry.starts_at) == ("anna", days.at(13))


def test_what_finds_nobody_is_dropped_with_a_reason() -> None:
    problem = running(days.problem([days.visit("a", 1, (9, 10))], [days.caregiver("anna")]))
    found = mended(problem, 8, Away("anna", days.at(8)))
    assert found.changes == (Change("a", ChangeKind.DROPPED, problem.running[0], None),)
    assert found.plan.unassigned[0].reasons == {"not_on_shift": 1}


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 10**6), now=st.integers(7, 15), what=st.integers(0, 3))
def test_whatever_happens_the_plan_holds_and_pins_stay(seed: int, now: int, what: int) -> None:
    problem = running(replace(days.random_day(seed), running=()))
    if not problem.running:
        return
    entry = problem.running[seed % len(problem.running)]
    more = PlanVisit("new", 1, 1_800, ((days.at(now), days.at(now + 4)),), priority=8)
    events: list[Event] = [
        Away(entry.caregiver, days.at(now)),
        Overrun(entry.visit, entry.ends_at + 1_800),
        Added((more,)),
        Cancelled(frozenset({entry.visit})),
    ]
    found = mended(problem, now, events[what])
    given = {one.visit: one for one in found.plan.assignments}
    for visit in problem.visits:
        if visit.pin is not None and visit.key in {one.key for one in found.problem.visits}:
            assert (given[visit.key].caregiver, given[visit.key].starts_at) == (
                visit.pin.caregiver,
                visit.pin.starts_at,
            )


@pytest.mark.parametrize("seed", range(3))
def test_the_annealing_never_makes_a_repair_dearer(seed: int) -> None:
    from services.planning import annealing  # noqa: PLC0415  it loads a compiler

    annealing.warm()
    problem = running(replace(days.random_day(seed), running=()))
    job = RepairJob(problem, OPTIONS, days.at(9), (Away("c0", days.at(9)),))
    plain = repair(job)
    searched = repair(replace(job, options=replace(OPTIONS, engine=EngineName.AUTO, moves=5_000)))
    assert searched.plan.summary.cost <= plain.plan.summary.cost
    assert check(searched.problem, searched.plan, replace(OPTIONS, hold=True)) == []
