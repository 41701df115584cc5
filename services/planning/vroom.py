"""VROOM for days without synchronisation: the baseline, and what plans when the default engine cannot.

It knows skills, windows, shifts, breaks and priorities; not affinities, fairness, soft starts or a limit of work.
It holds the interpreter while it works and may overshoot its time: run it in a process of its own.
"""

import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any

from services.planning.day import NEVER, Day
from services.planning.problem import Assignment

EXPLORATION = 5
LATEST = 2_000_000_000
HIGHEST_PRIORITY = 100


def cannot(day: Day) -> tuple[str, str] | None:
    """Why VROOM cannot express this day, in English and Chinese; None when it can."""
    if any(len(group) > 1 for group in day.groups):
        return "VROOM knows no visits for two caregivers", "VROOM 不支持多人同时服务"
    if any(low < 0 for starts in day.starts for low, _ in starts if low > -NEVER):
        return "VROOM knows no times before the origin", "VROOM 不支持起点之前的时间"
    try:
        import vroom  # noqa: F401, PLC0415  it need not be installed
    except ImportError:
        return "VROOM is not installed", "未安装 VROOM"
    return None


def solve(day: Day, stop: Callable[[], bool] = lambda: False, deadline: float | None = None) -> list[Assignment]:
    """VROOM's plan. It cannot be stopped on the way."""
    import vroom  # noqa: PLC0415  it need not be installed

    seconds = day.options.seconds if deadline is None else max(0.05, deadline - time.monotonic())
    if stop() or not day.visits or not day.lanes:
        return []
    problem = vroom.Input()
    for number, profile in enumerate(day.profiles):
        problem.set_durations_matrix(profile=str(number), matrix_input=_matrix(day, profile))
    skills = _skills(day)
    for number in range(len(day.lanes)):
        problem.add_vehicle(_vehicle(vroom, day, number, skills[number]))
    for number in range(len(day.visits)):
        problem.add_job(_job(vroom, day, number))
    solution = problem.solve(exploration_level=EXPLORATION, nb_threads=1, timeout=timedelta(seconds=seconds))
    return _read(day, solution.routes)


def _matrix(day: Day, profile: str) -> Any:
    import numpy as np  # noqa: PLC0415  comes with VROOM

    return np.array(day.problem.travel[profile], dtype=np.uint32)


def _skills(day: Day) -> list[set[int]]:
    """For each lane the visits its caregiver may do: a skill of its own for every visit."""
    found: list[set[int]] = [set() for _ in day.lanes]
    for visit, able in enumerate(day.able):
        pinned = day.pinned_lane.get(visit)
        for number, lane in enumerate(day.lanes):
            if number == pinned or (pinned is None and lane.caregiver in able):
                found[number].add(visit + 1)
    return found


def _vehicle(vroom: Any, day: Day, number: int, skills: set[int]) -> Any:
    lane = day.lanes[number]
    breaks = [
        vroom.Break(
            (number + 1) * 100 + position,
            time_windows=[vroom.TimeWindow(max(0, pause.earliest, lane.start), max(0, pause.latest))],
            service=pause.duration,
        )
        for position, pause in enumerate(lane.breaks)
    ]
    begin, end = (min(max(0, moment), LATEST) for moment in (lane.start, lane.hard_end))
    return vroom.Vehicle(
        number + 1,
        start=lane.home,
        end=lane.home,
        profile=str(lane.profile),
        skills=skills,
        time_window=vroom.TimeWindow(begin, end),
        breaks=breaks,
    )


def _job(vroom: Any, day: Day, number: int) -> Any:
    visit = day.visits[number]
    if visit.pin is not None:
        windows, priority = [(visit.pin.starts_at, visit.pin.starts_at)], HIGHEST_PRIORITY
    else:
        windows = [(max(0, low), min(high, LATEST)) for low, high in day.starts[number]] or [(LATEST, LATEST)]
        priority = min(HIGHEST_PRIORITY - 1, 10 * max(1, visit.priority))
    return vroom.Job(
        number + 1,
        visit.place,
        default_service=visit.duration,
        skills={number + 1},
        priority=priority,
        time_windows=[vroom.TimeWindow(low, high) for low, high in _apart(windows)],
    )


def _apart(windows: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Windows that touch or overlap, joined: VROOM wants them apart."""
    joined: list[tuple[int, int]] = []
    for low, high in sorted(windows):
        if joined and low <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return joined


def _read(day: Day, routes: Any) -> list[Assignment]:
    rows: dict[int, list[tuple[int, int]]] = {}
    for _, row in routes[routes["type"] == "job"].iterrows():
        start = int(row["arrival"]) + int(row["waiting_time"])
        rows.setdefault(int(row["vehicle_id"]) - 1, []).append((start, int(row["id"]) - 1))
    found = []
    for number, stops in rows.items():
        lane = day.lanes[number]
        key = day.caregivers[lane.caregiver].key
        places = [lane.home] + [day.visits[visit].place for _, visit in sorted(stops)]
        for (start, visit), (before, at) in zip(sorted(stops), pairwise(places), strict=True):
            facts = day.visits[visit]
            found.append(Assignment(facts.key, key, start, start + facts.duration, lane.travel[before][at]))
    return sorted(found, key=lambda entry: (entry.starts_at, entry.visit))
