"""Greedy insertion: each group at its best place, urgent and tight ones first. Needs nothing but Python."""

import time
from collections.abc import Callable

from services.planning.day import NEVER, Day
from services.planning.insertion import insert_best
from services.planning.problem import Assignment
from services.planning.running import Running


def solve(day: Day, stop: Callable[[], bool] = lambda: False, deadline: float | None = None) -> list[Assignment]:
    """The running plan as far as it still holds, and everything else put in one by one."""
    running = Running.of(day, day.problem.running)
    fill(running, stop, deadline)
    return running.assignments()


def fill(running: Running, stop: Callable[[], bool] = lambda: False, deadline: float | None = None) -> None:
    """Put in what is unassigned, as far as the time goes."""
    for members in waiting(running):
        if stop() or (deadline is not None and time.monotonic() > deadline):
            return
        insert_best(running, members)


def waiting(running: Running) -> list[list[int]]:
    """Groups that nobody does: the highest priority first, then the largest, the tightest, the earliest."""
    day = running.day
    found = []
    for group in day.groups:
        members = [visit for visit in group if visit not in day.pinned_lane and running.lane[visit] < 0]
        if members:
            found.append(members)

    def order(members: list[int]) -> tuple[int, int, int, int, int]:
        priority = max(day.visits[visit].priority for visit in members)
        room = min((len(day.able[visit]) for visit in members), default=0)
        width = min((sum(high - low for low, high in day.starts[visit]) for visit in members), default=0)
        first = min((low for visit in members for low, _ in day.starts[visit]), default=NEVER)
        return -priority, -len(members), min(width, NEVER), first, room

    return sorted(found, key=order)
