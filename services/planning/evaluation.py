"""What a plan costs and how it looks in figures, counted from its assignments."""

from collections.abc import Mapping, Sequence

from services.planning.day import Day
from services.planning.problem import Assignment, EngineName, Summary


def tours(day: Day, assignments: Sequence[Assignment]) -> dict[int, list[tuple[int, int]]]:
    """For each lane its visits and starts, in order."""
    found: dict[int, list[tuple[int, int]]] = {}
    for entry in sorted(assignments, key=lambda entry: (entry.starts_at, entry.ends_at, entry.visit)):
        visit = day.index[entry.visit]
        lane = day.pinned_lane.get(visit)
        if lane is None:
            lane = day.lane_at(day.staff[entry.caregiver], entry.starts_at, entry.ends_at - entry.starts_at)
        found.setdefault(lane, []).append((visit, entry.starts_at))
    return found


def summarise(
    day: Day,
    assignments: Sequence[Assignment],
    engine: EngineName,
    seconds: float = 0.0,
    notes: tuple[str, str] = ("", ""),
) -> Summary:
    """The plan in figures."""
    travel = waiting = overtime = 0
    for number, tour in tours(day, assignments).items():
        lane = day.lanes[number]
        place, clock = lane.home, None
        for visit, start in tour:
            way = lane.travel[place][day.visits[visit].place]
            travel += way
            if clock is not None:
                waiting += max(0, start - clock - way)
            place, clock = day.visits[visit].place, start + day.visits[visit].duration
        way = lane.travel[place][lane.home]
        travel += way
        overtime += max(0, (clock or 0) + way - lane.end)
    late = {entry.visit: _late(day, entry) for entry in assignments}
    loads = loads_of(day, assignments)
    given = {day.index[entry.visit]: entry for entry in assignments}
    weights = day.options.weights
    unfair = sum(
        weights.unfairness * over // 3600
        for load, share in zip(loads, day.shares, strict=True)
        if (over := load - int(share)) > 0
    )
    disliked = sum(-day.visits[visit].affinity.get(entry.caregiver, 0) for visit, entry in given.items())
    changed = sum(is_changed(day, visit, given) for visit in day.running)
    left = [visit for visit in range(len(day.visits)) if visit not in given]
    cost = (
        weights.travel * travel
        + weights.lateness * sum(late.values())
        + weights.worst_lateness * max(late.values(), default=0)
        + weights.overtime * overtime
        + weights.change * changed
        + weights.unassigned * sum(max(1, day.visits[visit].priority) for visit in left)
        + unfair
        + disliked
    )
    return Summary(
        engine,
        seconds,
        len(day.visits),
        len(left),
        travel,
        waiting,
        sum(late.values()),
        overtime,
        changed,
        max(loads, default=0),
        min(loads, default=0),
        cost,
        *notes,
    )


def loads_of(day: Day, assignments: Sequence[Assignment]) -> list[int]:
    """Service seconds of each caregiver."""
    loads = [0] * len(day.caregivers)
    for entry in assignments:
        loads[day.staff[entry.caregiver]] += day.visits[day.index[entry.visit]].duration
    return loads


def is_changed(day: Day, visit: int, given: Mapping[int, Assignment]) -> bool:
    """Whether a running visit is done by somebody else, by nobody, or at another time."""
    caregiver, start = day.running[visit]
    entry = given.get(visit)
    if entry is None or day.staff[entry.caregiver] != caregiver:
        return True
    return abs(entry.starts_at - start) > day.options.tolerance


def _late(day: Day, entry: Assignment) -> int:
    latest = day.visits[day.index[entry.visit]].latest_soft_start
    return 0 if latest is None else max(0, entry.starts_at - latest)
