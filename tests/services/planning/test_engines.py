"""Whatever engine plans: every rule holds, in days drawn from seeds and in days made for one rule each."""

import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.planning import service, vroom
from services.planning.checker import check
from services.planning.day import InvalidProblem, index_day
from services.planning.problem import (
    Assignment,
    Break,
    EngineName,
    Follows,
    Options,
    Pin,
    Plan,
    Problem,
)
from tests import planned_days as days

SEEDS = st.integers(0, 10**6)
OURS = (EngineName.GREEDY, EngineName.ANNEALING)
slow = settings(deadline=None, max_examples=120, suppress_health_check=[HealthCheck.too_slow])


def solved(problem: Problem, options: Options) -> Plan:
    """The engine's own plan, with no other one behind it."""
    day = index_day(problem, options)
    entries = service.engine_of(options.engine)(day, lambda: False, None)
    return service.finish(day, entries, options.engine, time.monotonic())


def who(found: Plan) -> dict[str, str]:
    return {entry.visit: entry.caregiver for entry in found.assignments}


def when(found: Plan) -> dict[str, int]:
    return {entry.visit: entry.starts_at for entry in found.assignments}


@pytest.mark.parametrize("engine", OURS)
@slow
@given(seed=SEEDS, overtime=st.booleans(), hold=st.booleans())
def test_every_plan_passes_the_checker(engine: EngineName, seed: int, overtime: bool, hold: bool) -> None:
    problem = days.random_day(seed)
    options = days.options(engine=engine, allow_overtime=overtime, hold=hold, moves=1_500, seed=seed)
    assert check(problem, solved(problem, options), options) == []


@slow
@given(seed=SEEDS)
def test_vroom_plans_days_without_synchronisation(seed: int) -> None:
    problem = days.random_day(seed, synchronised=False, pins=False)
    unlimited = [replace(one, longest_work=None) for one in problem.caregivers]
    problem = replace(problem, caregivers=unlimited)
    options = days.options(engine=EngineName.VROOM, seconds=0.2, moves=None)
    assert vroom.cannot(index_day(problem, options)) is None
    assert check(problem, solved(problem, options), options) == []


def test_vroom_leaves_teams_to_the_default_engine_and_says_so() -> None:
    day = days.problem(
        [days.visit("a", 1, team="t"), days.visit("b", 1, team="t")],
        [days.caregiver("anna"), days.caregiver("berta")],
    )
    found = service.plan(day, days.options(engine=EngineName.VROOM))
    assert found.summary.engine is EngineName.ANNEALING
    assert "two caregivers" in found.summary.note
    assert "多人" in found.summary.note_zh
    assert len(found.assignments) == 2


RULES: dict[str, tuple[Problem, dict[str, object], Callable[[Plan], bool]]] = {
    "a team starts together with two": (
        days.problem(
            [days.visit("a", 1, team="t"), days.visit("b", 1, team="t")],
            [days.caregiver("anna", home=0), days.caregiver("berta", home=5)],
        ),
        {},
        lambda found: len(set(who(found).values())) == 2 and len(set(when(found).values())) == 1,
    ),
    "half a team is none": (
        days.problem([days.visit("a", 1, team="t"), days.visit("b", 1, team="t")], [days.caregiver("anna")]),
        {},
        lambda found: found.assignments == () and "no_partner" in found.unassigned[0].reasons,
    ),
    "what follows keeps its distance": (
        days.problem(
            [days.visit("a", 1, (9, 17)), days.visit("b", 1, (8, 17), follows=Follows("a", 7_200, 7_500))],
            [days.caregiver("anna")],
        ),
        {},
        lambda found: 7_200 <= when(found)["b"] - when(found)["a"] <= 7_500,
    ),
    "the first waits for what follows": (
        days.problem(
            [days.visit("a", 1, (9, 17)), days.visit("b", 1, (15, 17), follows=Follows("a", 0, 3_600))],
            [days.caregiver("anna")],
        ),
        {},
        lambda found: when(found)["a"] == days.at(14),
    ),
    "the second window serves when the first is past": (
        days.problem(
            [days.visit("a", 1, (8.5, 9.5), minutes=60), days.visit("b", 1, (8.5, 9.5), (14, 15), minutes=60)],
            [days.caregiver("anna")],
        ),
        {},
        lambda found: sorted(when(found).values()) == [days.at(8.5), days.at(14)],
    ),
    "a break lies between": (
        days.problem(
            [days.visit(f"v{k}", 1, (8, 17), minutes=120) for k in range(4)],
            [days.caregiver("anna", breaks=(Break(days.at(11), days.at(13), 3_600),))],
        ),
        {},
        lambda found: len(found.assignments) == 3,
    ),
    "overtime is not taken unasked": (
        days.problem([days.visit("late", 1, (16.5, 17.5))], [days.caregiver("anna", overtime=3_600)]),
        {},
        lambda found: found.assignments == (),
    ),
    "overtime is taken where it is allowed": (
        days.problem([days.visit("late", 1, (16.5, 17.5))], [days.caregiver("anna", overtime=3_600)]),
        {"allow_overtime": True},
        lambda found: found.summary.overtime == 300,
    ),
    "nobody works longer than allowed": (
        days.problem(
            [days.visit("a", 1), days.visit("b", 1), days.visit("c", 1)],
            [days.caregiver("anna", longest_work=3_600)],
        ),
        {},
        lambda found: len(found.assignments) == 2 and found.unassigned[0].reasons == {"work_limit": 1},
    ),
    "the urgent one goes first": (
        days.problem(
            [days.visit("a", 1, (9, 10), minutes=60), days.visit("b", 1, (9, 10), minutes=60, priority=4)],
            [days.caregiver("anna")],
        ),
        {},
        lambda found: list(who(found)) == ["b"],
    ),
    "work is shared": (
        days.problem(
            [days.visit(f"v{k}", 1, minutes=60) for k in range(4)],
            [days.caregiver("anna"), days.caregiver("berta")],
        ),
        {"weights": replace(days.WEIGHTS, unfairness=5_000)},
        lambda found: found.summary.busiest == found.summary.idlest == 7_200,
    ),
    "the known caregiver comes": (
        days.problem(
            [days.visit("a", 5, affinity={"berta": 3_600})],
            [days.caregiver("anna", home=5), days.caregiver("berta")],
        ),
        {},
        lambda found: who(found) == {"a": "berta"},
    ),
    "who is disliked stays away": (
        days.problem(
            [days.visit("a", 1, affinity={"anna": -9_000})],
            [days.caregiver("anna", home=1), days.caregiver("berta", home=5)],
        ),
        {},
        lambda found: who(found) == {"a": "berta"},
    ),
    "a pin holds and the rest goes round it": (
        days.problem(
            [days.visit("a", 1, pin=Pin("anna", days.at(10))), days.visit("b", 1, (9.75, 10.75), minutes=20)],
            [days.caregiver("anna")],
        ),
        {},
        lambda found: when(found) == {"a": days.at(10), "b": days.at(10.5)} or found.summary.unassigned == 1,
    ),
    "a pin may break rules that bind the planner": (
        days.problem(
            [days.visit("a", 1, (9, 10), tags=frozenset({"nurse"}), pin=Pin("anna", days.at(20)))],
            [days.caregiver("anna")],
        ),
        {},
        lambda found: when(found) == {"a": days.at(20)},
    ),
    "somebody who is gone keeps what is pinned and gets no more": (
        days.problem(
            [days.visit("a", 1, pin=Pin("anna", days.at(9))), days.visit("b", 1)],
            [replace(days.caregiver("anna"), shifts=())],
        ),
        {},
        lambda found: who(found) == {"a": "anna"},
    ),
    "the running plan stays where a change is dear": (
        replace(
            days.problem([days.visit("a", 5, (9, 10))], [days.caregiver("anna"), days.caregiver("berta", home=5)]),
            running=(Assignment("a", "anna", days.at(9), days.at(9.5), 1_500),),
        ),
        {"weights": replace(days.WEIGHTS, change=20_000)},
        lambda found: who(found) == {"a": "anna"} and found.summary.changed == 0,
    ),
    "the running plan gives way where a change is cheap": (
        replace(
            days.problem([days.visit("a", 5, (9, 10))], [days.caregiver("anna"), days.caregiver("berta", home=5)]),
            running=(Assignment("a", "anna", days.at(9), days.at(9.5), 1_500),),
        ),
        {"weights": replace(days.WEIGHTS, change=10), "engine": EngineName.ANNEALING},
        lambda found: who(found) == {"a": "berta"} and found.summary.changed == 1,
    ),
    "nobody comes before what was told": (
        replace(
            days.problem([days.visit("a", 1, (8, 17))], [days.caregiver("anna")]),
            running=(Assignment("a", "anna", days.at(11), days.at(11.5), 300),),
        ),
        {"hold": True},
        lambda found: when(found) == {"a": days.at(11)},
    ),
    "nothing to do": (days.problem([], [days.caregiver("anna")]), {}, lambda found: found.assignments == ()),
    "nobody to do it": (
        days.problem([days.visit("a", 1)], []),
        {},
        lambda found: found.summary.unassigned == 1,
    ),
}


@pytest.mark.parametrize("engine", OURS)
@pytest.mark.parametrize("name", RULES)
def test_the_rule_holds(name: str, engine: EngineName) -> None:
    problem, more, holds = RULES[name]
    options = days.options(**{"engine": engine, **more})
    found = solved(problem, options)
    assert check(problem, found, options) == []
    assert holds(found), found


def test_equal_seeds_and_moves_give_equal_plans() -> None:
    problem = days.random_day(41)
    one, again = (service.plan(problem, days.options(seed=7)) for _ in range(2))
    assert one.assignments == again.assignments
    assert one.summary.engine is EngineName.ANNEALING


def test_the_time_is_kept() -> None:
    problem = days.random_day(3)
    service.plan(problem, days.options(moves=100))  # loads the kernel
    began = time.monotonic()
    found = service.plan(problem, days.options(moves=None, seconds=0.8))
    assert 0.6 < time.monotonic() - began < 0.88
    assert found.summary.seconds < 0.88


def test_a_search_can_be_ended() -> None:
    problem = days.random_day(3)
    began = time.monotonic()
    found = service.plan(
        problem, days.options(moves=None, seconds=60), stop=lambda: time.monotonic() > began + 0.1
    )
    assert check(problem, found) == []
    assert time.monotonic() - began < 30  # the kernel may have to be compiled


def test_a_plan_that_is_not_allowed_is_never_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = days.problem([days.visit("a", 1, (9, 10))], [days.caregiver("anna")])
    bad = [Assignment("a", "anna", days.at(8), days.at(8.5), 300)]
    honest = service.engine_of
    monkeypatch.setattr(
        service,
        "engine_of",
        lambda name: (lambda *_: bad) if name is EngineName.ANNEALING else honest(name),
    )
    found = service.plan(problem, days.options())
    assert found.summary.engine is EngineName.GREEDY
    assert "not allowed" in found.summary.note
    assert check(problem, found) == []


def test_no_plan_is_better_than_a_wrong_one(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = days.problem([days.visit("a", 1, (9, 10))], [days.caregiver("anna")])
    bad = [Assignment("a", "anna", days.at(8), days.at(8.5), 300)]
    monkeypatch.setattr(service, "engine_of", lambda _: lambda *_: bad)
    with pytest.raises(service.NoPlan, match="none of its windows"):
        service.plan(problem, days.options())


def test_without_a_compiler_the_greedy_engine_plans(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "find_spec", lambda _: None)
    found = service.plan(days.random_day(5), days.options())
    assert found.summary.engine is EngineName.GREEDY
    assert found.summary.note == "Numba is not installed"


CONTRADICTIONS = {
    "a key twice": days.problem([days.visit("a", 1), days.visit("a", 2)], [days.caregiver("anna")]),
    "follows nobody": days.problem([days.visit("a", 1, follows=Follows("z", 0, 1))], [days.caregiver("anna")]),
    "pinned to nobody": days.problem([days.visit("a", 1, pin=Pin("zoe", 0))], [days.caregiver("anna")]),
    "takes no time": days.problem([days.visit("a", 1, minutes=0)], [days.caregiver("anna")]),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_a_contradiction_is_refused(name: str) -> None:
    with pytest.raises(InvalidProblem):
        service.plan(CONTRADICTIONS[name], days.options())


def test_the_annealing_is_better_than_greedy_insertion() -> None:
    better = 0
    for seed in range(20):
        problem = days.random_day(seed)
        greedy, annealed = (solved(problem, days.options(engine=engine, moves=20_000)) for engine in OURS)
        assert annealed.summary.unassigned <= greedy.summary.unassigned, seed
        better += annealed.summary.cost < greedy.summary.cost
    assert better >= 5
