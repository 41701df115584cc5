"""Live repair: something happened, and the running plan is mended with as few changes as can be.

First what no longer holds is put in elsewhere, if need be in place of another visit that finds a place; then a
short annealing looks for something cheaper, where every change costs. What is pinned stays, and nobody comes
earlier than was told.
"""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from services.planning.checker import check
from services.planning.day import Day, index_day
from services.planning.evaluation import is_changed
from services.planning.greedy import waiting
from services.planning.insertion import insert_best, put_all, slots_of
from services.planning.problem import Assignment, EngineName, Follows, Options, Pin, Plan, PlanVisit, Problem
from services.planning.running import Running
from services.planning.service import finish, plan

SEARCH_SECONDS = 0.08
"""Of the annealing that follows the insertions, where the compiled kernel is loaded already."""
TRIED = 60
"""So many visits are asked to make room for one."""
LOADED = "services.planning.annealing"


@dataclass(frozen=True, slots=True)
class Away:
    """A caregiver cannot work from a moment on, or until another."""

    caregiver: str
    since: int
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Overrun:
    """A visit that has begun lasts until a moment."""

    visit: str
    until: int


@dataclass(frozen=True, slots=True)
class Added:
    """Urgent visits; the problem's travel tables know their places."""

    visits: tuple[PlanVisit, ...]


@dataclass(frozen=True, slots=True)
class Cancelled:
    """Visits that will not be."""

    visits: frozenset[str]


Event = Away | Overrun | Added | Cancelled


class ChangeKind(StrEnum):
    """What a change is to those whom it concerns."""

    ADDED = "added"
    CAREGIVER = "caregiver"
    TIME = "time"
    DROPPED = "dropped"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Change:
    """One visit before and after."""

    visit: str
    kind: ChangeKind
    before: Assignment | None
    after: Assignment | None


@dataclass(frozen=True, slots=True)
class RepairJob:
    """What to repair: the problem as it was planned, its ``running`` plan, what happened, and the moment.

    A running visit that begins before ``now`` has begun: it is pinned.
    """

    problem: Problem
    options: Options
    now: int
    events: Sequence[Event] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Repair:
    """The mended plan, what changes in it, and pinned visits that cannot be kept any more (a person decides)."""

    problem: Problem
    plan: Plan
    changes: tuple[Change, ...]
    doubtful: tuple[str, ...]


def repair(job: RepairJob, stop: Callable[[], bool] = lambda: False) -> Repair:
    """Mend a plan. Raises InvalidProblem, NoPlan."""
    began = time.monotonic()
    problem, doubtful = happened(job)
    options = replace(job.options, hold=True)
    day = index_day(problem, options)
    running = Running.of(day, problem.running)
    for members in waiting(running):
        if not insert_best(running, members):
            make_room(running, members)
    found = finish(day, running.assignments(), EngineName.GREEDY, began)
    if check(problem, found, options):
        found = plan(problem, replace(options, engine=EngineName.GREEDY), stop)
    better = _anneal(day, found, stop, began)
    if better is not None:
        found = better
    return Repair(problem, found, changes(job, problem, found, options), doubtful)


def happened(job: RepairJob) -> tuple[Problem, tuple[str, ...]]:
    """The problem after the events, and the pinned visits that they contradict."""
    visits = {visit.key: visit for visit in job.problem.visits}
    staff = {caregiver.key: caregiver for caregiver in job.problem.caregivers}
    told = {entry.visit: entry for entry in job.problem.running}
    for key, entry in told.items():
        if key in visits and visits[key].pin is None and entry.starts_at < job.now:
            visits[key] = replace(visits[key], pin=Pin(entry.caregiver, entry.starts_at))
    doubtful: list[str] = []
    for event in job.events:
        match event:
            case Cancelled(keys):
                visits = {key: visit for key, visit in visits.items() if key not in keys}
            case Added(more):
                visits |= {visit.key: visit for visit in more}
            case Overrun(key, until):
                visits[key] = _prolonged(visits[key], told.get(key), until)
            case Away(key, since, until):
                cut = _cut(staff[key].shifts, since, until)
                staff[key] = replace(staff[key], shifts=cut)
                doubtful += [
                    visit.key
                    for visit in visits.values()
                    if visit.pin is not None
                    and visit.pin.caregiver == key
                    and visit.pin.starts_at >= max(since, job.now)
                    and (until is None or visit.pin.starts_at < until)
                ]
    for key, visit in visits.items():
        windows = visit.windows
        if visit.pin is None:
            windows = tuple((max(low, job.now), high) for low, high in windows)
        visits[key] = replace(visit, windows=windows, follows=_kept(visit, visits))
    kept = tuple(entry for entry in job.problem.running if entry.visit in visits)
    problem = replace(job.problem, visits=tuple(visits.values()), caregivers=tuple(staff.values()), running=kept)
    return problem, tuple(doubtful)


def _prolonged(visit: PlanVisit, entry: Assignment | None, until: int) -> PlanVisit:
    """A visit that lasts longer where it is; one that has not begun only gets longer."""
    if visit.pin is not None:
        return replace(visit, duration=max(visit.duration, until - visit.pin.starts_at))
    if entry is None:
        return visit
    return replace(
        visit, duration=max(visit.duration, until - entry.starts_at), pin=Pin(entry.caregiver, entry.starts_at)
    )


def _kept(visit: PlanVisit, visits: dict[str, PlanVisit]) -> Follows | None:
    """What a visit follows, unless that will not be."""
    return visit.follows if visit.follows is not None and visit.follows.visit in visits else None


def _cut(shifts: Sequence[tuple[int, int]], since: int, until: int | None) -> tuple[tuple[int, int], ...]:
    """Shifts without an absence."""
    left = []
    for start, end in shifts:
        left.append((start, min(end, since)))
        if until is not None:
            left.append((max(start, until), end))
    return tuple(shift for shift in left if shift[0] < shift[1])


def make_room(running: Running, members: Sequence[int]) -> bool:
    """Put one visit in place of another that then finds a place; False, and nothing changed, if none does."""
    day = running.day
    if len(members) > 1:
        return False
    visit = members[0]
    place = day.visits[visit].place
    candidates = []
    for other, lane in enumerate(running.lane):
        if lane < 0 or other in day.pinned_lane or len(day.groups[day.group_of[other]]) > 1:
            continue
        if (
            day.lanes[lane].caregiver not in day.able[visit]
            or day.visits[other].priority > day.visits[visit].priority
        ):
            continue
        wait = min((abs(running.start[other] - low) for low, _ in day.starts[visit]), default=0)
        candidates.append((day.lanes[lane].travel[place][day.visits[other].place] + wait, other))
    for _, other in sorted(candidates)[:TRIED]:
        lane, mark = running.lane[other], running.mark()
        running.take(other)
        if running.settle():
            slots = sorted(slot for slot in slots_of(running, visit, None) if slot.lane == lane)
            if slots and put_all(running, [visit], slots[0]) and insert_best(running, [other]):
                return True
        running.back(mark)
    return False


def _anneal(day: Day, found: Plan, stop: Callable[[], bool], began: float) -> Plan | None:
    """A cheaper plan from the compiled kernel, if that is loaded and finds one."""
    if LOADED not in sys.modules or day.options.engine is EngineName.GREEDY:
        return None
    annealing = sys.modules[LOADED]
    if not annealing.is_warm():
        return None
    deadline = time.monotonic() + SEARCH_SECONDS
    entries = annealing.improve(day, found.assignments, stop, deadline)
    better = finish(day, entries, EngineName.ANNEALING, began)
    if check(day.problem, better, day.options) or better.summary.cost >= found.summary.cost:
        return None
    return better


def changes(job: RepairJob, problem: Problem, found: Plan, options: Options) -> tuple[Change, ...]:
    """What is different for somebody, in the order of the new times."""
    day = index_day(problem, options)
    told = {entry.visit: entry for entry in job.problem.running}
    given = {entry.visit: entry for entry in found.assignments}
    numbers = {day.index[key]: entry for key, entry in given.items()}
    listed = []
    for key, entry in given.items():
        if key not in told:
            listed.append(Change(key, ChangeKind.ADDED, None, entry))
        elif is_changed(day, day.index[key], numbers):
            kind = ChangeKind.TIME if entry.caregiver == told[key].caregiver else ChangeKind.CAREGIVER
            listed.append(Change(key, kind, told[key], entry))
    for key, entry in told.items():
        if key not in given:
            kind = ChangeKind.DROPPED if key in day.index else ChangeKind.CANCELLED
            listed.append(Change(key, kind, entry, None))

    def moment(change: Change) -> tuple[int, str]:
        entry = change.after or change.before
        return (entry.starts_at if entry is not None else 0), change.visit

    return tuple(sorted(listed, key=moment))
