"""Simulated annealing over who does what in which order: the default engine.

The plan is kept as lanes of visits with their times; a move changes a few places and runs only the times down that
change. What belongs together moves together, so nobody waits for ever. ``kernel`` is the compiled part.
"""

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from services.planning.day import NEVER, Day, index_day
from services.planning.kernel import layout as c
from services.planning.kernel.loop import anneal, fill, finish, load, pin_down, restore
from services.planning.kernel.memory import Encoder, World, decode
from services.planning.problem import Assignment, Options, Pin, PlanCaregiver, PlanVisit, Problem, Weights

NEAR = 20
"""So many neighbours of a visit are proposed as places beside it."""
CHUNK = 20_000
"""Moves between two looks at whether to stop, when moves are counted."""
STEP = 0.02
"""Seconds between two looks at the clock."""
HOT, COLD, WARM = 10.0, 0.06, 1.0
"""First and last temperature, and the first where there is little time, in usual ways."""
MOVES_A_SECOND = 1_000_000
LEAST_MOVES = 8_000
"""For each visit: with fewer, there is no time for a hot beginning."""
MARGIN = 0.5
"""How far above the limit a half-done move may be before it is given up, in usual ways."""


def solve(day: Day, stop: Callable[[], bool] = lambda: False, deadline: float | None = None) -> list[Assignment]:
    """The best plan that could be found by the deadline (of ``time.monotonic``) or within the moves."""
    deadline = time.monotonic() + day.options.seconds if deadline is None else deadline
    return search(day, day.problem.running, HOT, stop, deadline)


def improve(
    day: Day, entries: Sequence[Assignment], stop: Callable[[], bool], deadline: float
) -> list[Assignment]:
    """A plan made better by small changes."""
    return search(day, entries, 2 * COLD, stop, deadline)


def search(
    day: Day, entries: Sequence[Assignment], hot: float, stop: Callable[[], bool], deadline: float
) -> list[Assignment]:
    """From a first plan to the best one found; ``hot`` is the first temperature in usual ways."""
    if not day.visits or not day.lanes:
        return []
    world = Encoder(day, NEAR).world
    world.w[c.K_MARGIN] = int(world.usual * MARGIN)
    first_plan(day, world, entries)
    run(world, day.options.moves, deadline, stop, hot)
    restore(world.w, world.t)
    return decode(day, world)


def warm() -> None:
    """Compile everything, or load it, with a day so small that nothing else takes time."""
    visits = [PlanVisit(f"v{k}", 0, 60, ((0, 3600),), pin=Pin("c", 60) if k == 3 else None) for k in range(4)]
    caregiver = PlanCaregiver("c", 0, "p", ((0, 7200),))
    weights = Weights(1000, 1, 1, 1, 1, 1)
    running = (Assignment("v0", "c", 600, 660, 0),)
    problem = Problem(visits, [caregiver], {"p": [[0]]}, running)
    solve(index_day(problem, Options(weights, moves=100)))
    (cache_folder_in_use() / "complete").touch()


def cache_folder_in_use() -> Path:
    """Where the kernel that this process uses is kept."""
    return Path(os.environ["NUMBA_CACHE_DIR"])


def is_warm() -> bool:
    """Whether the kernel can be used at once in this process."""
    return bool(anneal.signatures)  # type: ignore[attr-defined]


def run(world: World, moves: int | None, deadline: float, stop: Callable[[], bool], hottest: float) -> None:
    """Anneal from hot to cold, by the clock or by a number of moves.

    With time, a hot beginning finds out which part of the plans is the best one. With little, the first plan is
    only improved.
    """
    visits = max(1, world.scalar(c.K_VISITS))
    whole = moves if moves is not None else (deadline - time.monotonic()) * MOVES_A_SECOND
    hot = world.usual * (hottest if whole / visits >= LEAST_MOVES else min(hottest, WARM))
    if moves is None:
        cool(world, deadline, hot, stop)
    else:
        count(world, moves, hot, stop)


def cool(world: World, deadline: float, hot: float, stop: Callable[[], bool]) -> None:
    """By the clock, in steps of some hundredths of a second."""
    cold = world.usual * COLD
    began = now = time.monotonic()
    chunk, share = 2_000, 0.0
    while now < deadline and share < 1.0 and not stop():
        following = min(1.0, share + (1.0 - share) * min(1.0, STEP / max(deadline - now, STEP)))
        anneal(world.w, world.t, chunk, hot * (cold / hot) ** share, hot * (cold / hot) ** following)
        before, now = now, time.monotonic()
        chunk = max(256, min(400_000, int(chunk * STEP / max(now - before, 1e-5))))
        share = (now - began) / (deadline - began)


def count(world: World, moves: int, hot: float, stop: Callable[[], bool]) -> None:
    """By a number of moves, so that it can be repeated."""
    cold = world.usual * COLD
    done = 0
    while done < moves and not stop():
        size = min(CHUNK, moves - done)
        share, following = done / moves, (done + size) / moves
        anneal(world.w, world.t, size, hot * (cold / hot) ** share, hot * (cold / hot) ** following)
        done += size


def first_plan(day: Day, world: World, entries: Sequence[Assignment]) -> None:
    """The first plan: what is pinned, what runs, and the rest in the order of its times."""
    w, t = world.w, world.t
    nodes, lanes = world.scalar(c.K_NODES_AT), world.scalar(c.K_LANES_AT)
    pins = sorted(day.pinned_lane, key=day.pin_order)
    rows = [(nodes + v * c.NODE, lanes + day.pinned_lane[v] * c.LANE_SIZE) for v in pins]
    pin_down(w, t, np.array(rows or np.zeros((0, 2)), np.int64))
    told = rows_of(day, entries, nodes, lanes)
    if told:
        load(w, t, np.array(told, np.int64))
    waiting = (int(v) for v in w[world.scalar(c.K_POOL_AT) :][: world.scalar(c.K_POOL)])
    numbers = {v: (v - nodes) // c.NODE for v in waiting}
    order = sorted(numbers, key=lambda v: (-day.visits[numbers[v]].priority, w[v + c.LOW], v))
    fill(w, t, np.array(order, np.int64), 2)
    finish(w)


def rows_of(day: Day, entries: Sequence[Assignment], nodes: int, lanes: int) -> list[tuple[int, int, int, int]]:
    """A plan but its pins: visit, lane, start and group, the groups in the order of their starts."""
    rows = []
    for entry in entries:
        visit, caregiver = day.index.get(entry.visit), day.staff.get(entry.caregiver)
        if visit is None or caregiver is None or visit in day.pinned_lane or not day.lanes_of[caregiver]:
            continue
        lane = day.lane_at(caregiver, entry.starts_at, day.visits[visit].duration)
        rows.append((nodes + visit * c.NODE, lanes + lane * c.LANE_SIZE, entry.starts_at, day.group_of[visit]))
    first: dict[int, int] = {}
    for row in rows:
        first[row[3]] = min(row[2], first.get(row[3], NEVER))
    return sorted(rows, key=lambda row: (first[row[3]], row[3], row[2], row[0]))
