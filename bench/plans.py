"""Planning a day: public instances and the best known, townships and VROOM, urgent visits, repair."""

import gc
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from random import Random

from bench.figures import milliseconds, percentile
from bench.instances import PUBLIC, Instance, objective, read
from bench.report import Section, progress
from bench.townships import HOUR, township
from services.planning import annealing
from services.planning.checker import check
from services.planning.day import index_day
from services.planning.insertion import best_insertions
from services.planning.problem import EngineName, Options, Plan, PlanVisit, Problem
from services.planning.repair import Added, Away, Cancelled, Event, Overrun, RepairJob, repair
from services.planning.running import Running
from services.planning.service import default_weights, plan

SECONDS = (10.0, 60.0)
LARGE = 100
TOWNSHIPS = ((100, 20), (300, 40), (1_000, 100), (370, 40), (1_200, 100))
AGAINST = (1.0, 30.0)
PLACES = (100, 20), (300, 40), (1_000, 100)
REPAIRED = (600, 70)


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured; ``QUICK`` runs through in seconds and says nothing."""

    public: tuple[float, ...] = SECONDS
    largest: int = 10_000
    townships: tuple[tuple[int, int], ...] = TOWNSHIPS
    seeds: int = 3
    against: tuple[float, ...] = AGAINST
    places: tuple[tuple[int, int], ...] = PLACES
    urgent: int = 1_000
    repaired: tuple[int, int] = REPAIRED
    repairs: int = 40


FULL = Sizes()
QUICK = Sizes((0.5,), 10, ((30, 6),), 1, (0.3,), ((30, 6),), 20, (40, 8), 4)


class Part(StrEnum):
    """What can be measured alone."""

    PUBLIC = "public"
    TOWNSHIPS = "townships"
    URGENT = "urgent"
    REPAIR = "repair"


def measure(folder: Path, sizes: Sizes = FULL, only: Part | None = None) -> Iterator[Section]:
    """Each part as a section; the public instances are those of a folder."""
    annealing.warm()
    plan(township(10, 3, 1), Options(default_weights(), EngineName.VROOM, 0.1))  # loads it
    parts: dict[Part, Callable[[], Section]] = {
        Part.PUBLIC: lambda: public(read(folder), sizes),
        Part.TOWNSHIPS: lambda: townships(sizes),
        Part.URGENT: lambda: urgent(sizes),
        Part.REPAIR: lambda: mended(sizes),
    }
    for part, measured in parts.items():
        if only in (None, part):
            yield measured()


def solved(problem: Problem, options: Options) -> Plan:
    """A plan, checked again here."""
    found = plan(problem, options)
    wrong = check(problem, found, options)
    if wrong:
        raise RuntimeError(f"a plan is not allowed: {wrong[:3]}")
    return found


def public(instances: Sequence[Instance], sizes: Sizes) -> Section:
    """Gap to the best known value by size and time."""
    known = [one for one in instances if one.best is not None and one.size <= sizes.largest]
    gaps: dict[tuple[int, float], list[float]] = defaultdict(list)
    slowest = 0.0
    for instance in known:
        for seconds in sizes.public:
            options = Options(PUBLIC, EngineName.ANNEALING, seconds)
            began = time.monotonic()
            found = solved(instance.problem, options)
            slowest = max(slowest, (time.monotonic() - began) / seconds)
            if found.unassigned:
                raise RuntimeError(f"{instance.name}: a visit was left out")
            gap = objective(instance.problem, found) / (instance.best or 1.0) - 1
            gaps[instance.size, seconds].append(gap)
            progress(f"{instance.name} {seconds:.0f} s: {gap:+.2%}")
    numbers = sorted({size for size, _ in gaps})
    rows = [
        [f"{size} patients ({len(gaps[size, sizes.public[0]])})", *(_gap(gaps[size, s]) for s in sizes.public)]
        for size in numbers
    ]
    for title, least in (("all", 0), (f"from {LARGE} patients up", LARGE)):
        chosen = [
            [gap for (size, time), found in gaps.items() if time == seconds and size >= least for gap in found]
            for seconds in sizes.public
        ]
        if all(chosen):
            rows.append([title, *map(_gap, chosen)])
    return Section(
        "plans-public",
        "Planning: public instances against the best known values",
        "Instances of Mankowska, Meisel and Bierwirth (2014) with services for two caregivers, simultaneous or one"
        " after the other: (distance + total tardiness + worst tardiness) / 3, gap to the best values that the"
        " University of Udine publishes (`iolab-uniud/hhcrsp`); below zero is better than the best known. Mean,"
        " and in brackets lowest to highest. One core, one seed, every plan checked independently.",
        ["instances", *(f"{seconds:g} s" for seconds in sizes.public)],
        rows,
        [f"No invalid plan. The time given was kept to within {max(0.0, slowest - 1):.1%}."],
    )


def _gap(gaps: Sequence[float]) -> str:
    return f"{statistics.mean(gaps):+.2%} ({min(gaps):+.2%} – {max(gaps):+.2%})"


def townships(sizes: Sizes) -> Section:
    """Unassigned visits and hours of travel beside VROOM; preferences count in the cost alone."""
    rows, worse = [], 0
    for visits, caregivers in sizes.townships:
        found: dict[tuple[EngineName, float], list[Plan]] = defaultdict(list)
        for seed in range(1, sizes.seeds + 1):
            problem = township(visits, caregivers, seed)
            for seconds in sizes.against:
                for engine in (EngineName.ANNEALING, EngineName.VROOM):
                    options = Options(default_weights(), engine, seconds)
                    found[engine, seconds].append(solved(problem, options))
                    progress(f"{visits}/{caregivers} seed {seed} {engine} {seconds:g} s")
            ours = found[EngineName.ANNEALING, sizes.against[0]][-1].summary
            theirs = found[EngineName.VROOM, sizes.against[-1]][-1].summary
            worse += (ours.unassigned, ours.cost) > (theirs.unassigned, theirs.cost)
        rows.append([f"{visits} / {caregivers}", *(_figures(plans) for plans in found.values())])
    heads = [f"{name}, {seconds:g} s" for seconds in sizes.against for name in ("annealing", "VROOM")]
    return Section(
        "plans-townships",
        "Planning: invented township days beside VROOM",
        f"{sizes.seeds} seeds each; windows, skills, shifts, a noon break, known caregivers and dialects."
        " Unassigned visits / hours of travel / cost in thousand seconds (travel, unassigned, preferences,"
        " fairness), mean of the seeds, and the longest time taken. VROOM cannot express preferences and fairness;"
        " the cost counts them for both. One core.",
        ["visits / caregivers", *heads],
        rows,
        [
            (
                f"The annealing's {sizes.against[0]:g} s was beaten by VROOM's {sizes.against[-1]:g} s on {worse}"
                f" of {len(sizes.townships) * sizes.seeds} days."
            )
        ],
    )


def _figures(plans: Sequence[Plan]) -> str:
    summaries = [one.summary for one in plans]
    unassigned = statistics.mean(one.unassigned for one in summaries)
    travel = statistics.mean(one.travel for one in summaries) / HOUR
    cost = statistics.mean(one.cost for one in summaries) / 1_000
    return f"{unassigned:.1f} / {travel:.1f} / {cost:,.0f} ({max(one.seconds for one in summaries):.1f} s)"


def urgent(sizes: Sizes) -> Section:
    """Time to say who can take one urgent visit, with reasons for everybody else."""
    rows = []
    for visits, caregivers in sizes.places:
        problem = township(visits, caregivers, 1)
        # The last visits are asked for, the others are planned.
        new = problem.visits[-max(1, visits // 20) :]
        planned = replace(problem, visits=problem.visits[: len(problem.visits) - len(new)])
        running = solved(planned, Options(default_weights(), seconds=2.0)).assignments
        day = index_day(problem, Options(default_weights()))
        state = Running.of(day, running)
        # As a service does that serves for long: what was read at the start is not looked at again and again.
        gc.collect()
        gc.freeze()
        times, placed = [], 0
        for number in range(sizes.urgent):
            began = time.perf_counter()
            found = best_insertions(state, [new[number % len(new)].key])
            times.append(time.perf_counter() - began)
            placed += bool(found.places)
        gc.unfreeze()
        rows.append(
            [
                f"{visits} / {caregivers}",
                milliseconds(percentile(times, 0.5)),
                milliseconds(percentile(times, 0.99)),
                f"{placed / sizes.urgent:.0%}",
            ]
        )
    return Section(
        "plans-urgent",
        "Planning: one urgent visit into a full day",
        f"{sizes.urgent} questions to a running plan: the five best places, each tried in earnest, and for every"
        " other caregiver the reason. Pure Python, inside the process.",
        ["visits / caregivers", "p50", "p99", "found a place"],
        rows,
        ["Aim: p99 at most 5 ms at 1 000 visits and 100 caregivers."],
    )


def mended(sizes: Sizes) -> Section:
    """Time and changes of live repair, by what happened."""
    visits, caregivers = sizes.repaired
    problem = township(visits, caregivers, 2)
    weights = replace(default_weights(), change=14_400, unfairness=0)
    options = Options(weights, seconds=3.0)
    problem = replace(problem, running=solved(problem, options).assignments)
    rng = Random(7)
    times: dict[str, list[float]] = defaultdict(list)
    changes: dict[str, list[int]] = defaultdict(list)
    for number in range(sizes.repairs):
        now = rng.choice([8, 9, 10, 11, 13]) * HOUR
        for name, event in _events(problem, now, number, rng).items():
            began = time.perf_counter()
            found = repair(RepairJob(problem, options, now, (event,)))
            times[name].append(time.perf_counter() - began)
            changes[name].append(len(found.changes))
    rows = [
        [
            name,
            milliseconds(percentile(taken, 0.5)),
            milliseconds(max(taken)),
            f"{statistics.mean(changes[name]):.1f} ({max(changes[name])})",
        ]
        for name, taken in times.items()
    ]
    return Section(
        "plans-repair",
        "Planning: live repair",
        f"{visits} visits, {caregivers} caregivers; {sizes.repairs} times each. What has begun is pinned."
        " Insertion, making room, a short annealing in which every change costs; checked.",
        ["what happened", "p50", "longest", "changes told, mean (most)"],
        rows,
        ["Aim: at most 250 ms at 600 visits, no pin broken, fewest changes."],
    )


def _events(problem: Problem, now: int, number: int, rng: Random) -> dict[str, Event]:
    later = [entry for entry in problem.running if entry.starts_at > now]
    begun = [entry for entry in problem.running if entry.starts_at <= now < entry.ends_at]
    span = (now, now + 3 * HOUR)
    new = tuple(
        PlanVisit(f"new{number}-{k}", rng.randrange(len(problem.visits)), 1_800, (span,), priority=4)
        for k in range(5)
    )
    events: dict[str, Event] = {
        "a caregiver falls ill": Away(rng.choice(later).caregiver, now),
        "five urgent visits": Added(new),
        "three visits are cancelled": Cancelled(frozenset(entry.visit for entry in rng.sample(later, 3))),
    }
    if begun:
        late = rng.choice(begun)
        events["a visit overruns by 40 minutes"] = Overrun(late.visit, late.ends_at + 2_400)
    return events
