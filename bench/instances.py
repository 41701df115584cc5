"""Days to plan: the public instances of Mankowska, Meisel and Bierwirth (2014), and invented townships.

The public ones are read from a folder in the JSON of the University of Udine's repository ``iolab-uniud/hhcrsp``
(MIT); they are not part of this project.
"""

import csv
import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.planning.problem import Follows, Plan, PlanCaregiver, PlanVisit, Problem, Weights

SCALE = 1000
"""The instances have times and ways with three decimals."""
EVER = 10_000_000
PUBLIC = Weights(
    unassigned=1_000_000_000, travel=1, lateness=1, overtime=0, unfairness=0, change=0, worst_lateness=1
)


@dataclass(frozen=True, slots=True)
class Instance:
    """A public instance and the best value its publishers give, in thousandths; None where there is none."""

    name: str
    size: int
    problem: Problem
    best: float | None


def units(value: float) -> int:
    """Thousandths."""
    return round(value * SCALE)


def read(folder: Path) -> list[Instance]:
    """All of a folder, small ones first."""
    best = {}
    if (folder / "best_known.csv").exists():
        with (folder / "best_known.csv").open(encoding="utf-8") as lines:
            for row in csv.DictReader(lines):
                best[f"mankowska_{row['size']}_{row['instance']}"] = float(row["total_cost"])
    found = []
    for path in sorted([*folder.glob("*.json.gz"), *folder.glob("*.json")]):
        data = path.read_bytes()
        content = json.loads(gzip.decompress(data) if path.suffix == ".gz" else data)
        name = path.name.split(".")[0]
        found.append(Instance(name, len(content["patients"]), problem_of(content), best.get(name)))
    return sorted(found, key=lambda instance: (instance.size, instance.name))


def problem_of(content: dict[str, Any]) -> Problem:
    """An instance as a problem: no window ends, but a late start costs; two services of one patient want two."""
    visits = []
    for number, patient in enumerate(content["patients"], 1):
        low, high = (units(value) for value in patient["time_window"])
        kind = patient.get("synchronization")
        for position, wanted in enumerate(patient["required_caregivers"]):
            follows = None
            if kind is not None and kind["type"] == "sequential" and position == 1:
                least, most = (units(value) for value in kind["distance"])
                follows = Follows(f"{patient['id']}/0", least, most, other_caregiver=True)
            visits.append(
                PlanVisit(
                    f"{patient['id']}/{position}",
                    number,
                    units(wanted["duration"]),
                    ((low, EVER),),
                    frozenset({wanted["service"]}),
                    team=patient["id"] if kind is not None and kind["type"] == "simultaneous" else None,
                    follows=follows,
                    latest_soft_start=high,
                )
            )
    caregivers = [
        PlanCaregiver(caregiver["id"], 0, "any", ((0, EVER),), frozenset(caregiver["abilities"]))
        for caregiver in content["caregivers"]
    ]
    ways = [[units(value) for value in row] for row in content["distances"]]
    return Problem(visits, caregivers, {"any": ways})


def objective(problem: Problem, plan: Plan) -> float:
    """(Distance + total tardiness + worst tardiness) / 3, counted from the assignments alone."""
    visits = {visit.key: visit for visit in problem.visits}
    ways = problem.travel["any"]
    distance, late = 0, []
    for caregiver in problem.caregivers:
        at = caregiver.home
        mine = [entry for entry in plan.assignments if entry.caregiver == caregiver.key]
        for entry in sorted(mine, key=lambda entry: entry.starts_at):
            visit = visits[entry.visit]
            distance += ways[at][visit.place]
            at = visit.place
            late.append(max(0, entry.starts_at - (visit.latest_soft_start or 0)))
        distance += ways[at][caregiver.home]
    return (distance + sum(late) + max(late, default=0)) / 3 / SCALE
