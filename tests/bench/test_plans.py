"""The planning benchmark runs through, and its public instances are read as they are meant."""

import json
from pathlib import Path

import pytest

from bench import plans
from bench.instances import objective, problem_of, read
from bench.townships import township
from services.planning.problem import Assignment, Plan, Summary
from services.planning.service import default_weights

# Two patients at 3 and 5 from the office; the second wants two, one 10 to 20 after the other.
INSTANCE = {
    "patients": [
        {"id": "p1", "time_window": [0.0, 2.0], "required_caregivers": [{"service": "s1", "duration": 1.5}]},
        {
            "id": "p2",
            "time_window": [10.0, 15.0],
            "required_caregivers": [{"service": "s1", "duration": 2.0}, {"service": "s2", "duration": 2.0}],
            "synchronization": {"type": "sequential", "distance": [10, 20]},
        },
    ],
    "caregivers": [{"id": "c1", "abilities": ["s1"]}, {"id": "c2", "abilities": ["s1", "s2"]}],
    "distances": [[0.0, 3.0, 5.0], [3.0, 0.0, 4.0], [5.0, 4.0, 0.0]],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mankowska_2_1.json").write_text(json.dumps(INSTANCE))
    (tmp_path / "best_known.csv").write_text("size,instance,total_cost\n2,1,10.333\n")
    return tmp_path


def test_an_instance_is_read_as_it_is_meant(folder: Path) -> None:
    [instance] = read(folder)
    assert (instance.size, instance.best) == (2, 10.333)
    first, second, third = instance.problem.visits
    assert (first.duration, first.latest_soft_start) == (1_500, 2_000)
    assert second.team is None
    assert third.follows is not None
    assert (third.follows.visit, third.follows.at_least, third.follows.at_most) == (second.key, 10_000, 20_000)


def test_the_objective_is_a_third_of_distance_and_both_tardinesses() -> None:
    problem = problem_of(INSTANCE)
    one, two, three = (visit.key for visit in problem.visits)
    rows = ((one, "c1", 3_000), (two, "c1", 10_000), (three, "c2", 20_000))
    entries = tuple(Assignment(key, who, start, start + 1, 0) for key, who, start in rows)
    plan = Plan(entries, (), Summary("greedy", 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0))  # type: ignore[arg-type]
    # 3 + 4 + 5 and 5 + 5 of way; 1 and 5 too late.
    assert objective(problem, plan) == pytest.approx((22 + 6 + 5) / 3)


def test_a_township_is_the_same_for_the_same_seed() -> None:
    assert township(20, 4, 1) == township(20, 4, 1)
    assert township(20, 4, 1) != township(20, 4, 2)


def test_the_benchmark_runs_through(folder: Path) -> None:
    sections = {section.key: section for section in plans.measure(folder, plans.QUICK)}
    assert list(sections) == ["plans-public", "plans-townships", "plans-urgent", "plans-repair"]
    assert all(section.rows for section in sections.values())
    assert default_weights().travel == 1
