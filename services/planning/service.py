"""``plan``: one day in, one checked plan out, whatever engine had to make it.

Blocking and pure. Whoever serves people calls ``services.planning.runner.solve``: a process of its own.
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from services.planning import greedy, vroom
from services.planning.checker import check
from services.planning.day import Day, index_day
from services.planning.evaluation import summarise
from services.planning.insertion import slots_of
from services.planning.problem import Assignment, EngineName, Options, Plan, Problem, Unassigned, Weights
from services.planning.reasons import Reason
from services.planning.running import Running

Stop = Callable[[], bool]
Engine = Callable[[Day, Stop, float | None], list[Assignment]]
WEIGHTS = Path(__file__).parent / "data" / "weights.json"
INVALID = ("{} made a plan that is not allowed", "{} 的结果未通过校验")


class NoPlan(RuntimeError):
    """Not even the greedy engine's plan passes the checker: the pins contradict each other, or a defect."""


@lru_cache(maxsize=1)
def default_weights() -> Weights:
    """The project's weights (``data/weights.json``)."""
    return Weights(**json.loads(WEIGHTS.read_text("utf-8"))["weights"])


def plan(problem: Problem, options: Options, stop: Stop = lambda: False) -> Plan:
    """Plan a day. ``stop`` is asked now and then whether to end early with the best so far.

    Raises InvalidProblem for a problem that contradicts itself, NoPlan when no engine makes a valid plan.
    """
    began = time.monotonic()
    day = index_day(problem, options)
    engines, notes = line_up(day, options.engine)
    # What remains to be done after the search: fill, check, count, say why.
    deadline = began + max(0.5 * options.seconds, 0.98 * options.seconds - 2e-4 * len(day.visits))
    wrong: list[str] = []
    for name in engines:
        entries = engine_of(name)(day, stop, deadline if options.moves is None else None)
        found = finish(day, entries, name, began, join(notes))
        wrong = check(problem, found, options)
        if not wrong:
            return found
        notes.append((INVALID[0].format(name), INVALID[1].format(name)))
    raise NoPlan("; ".join(wrong[:5]))


def line_up(day: Day, wished: EngineName) -> tuple[list[EngineName], list[tuple[str, str]]]:
    """The engines to try, in turn, and why the wished one is not the first."""
    notes: list[tuple[str, str]] = []
    chosen: list[EngineName] = []
    if wished is EngineName.VROOM:
        reason = vroom.cannot(day)
        if reason is None:
            chosen.append(EngineName.VROOM)
        else:
            notes.append(reason)
    if wished is not EngineName.GREEDY:
        if find_spec("numba") is not None:
            chosen.append(EngineName.ANNEALING)
        else:
            notes.append(("Numba is not installed", "未安装 Numba"))
    chosen.append(EngineName.GREEDY)
    return chosen, notes


def engine_of(name: EngineName) -> Engine:
    """The engine behind a name. The annealing is imported when it is wanted: it loads a compiler."""
    if name is EngineName.ANNEALING:
        from services.planning import annealing  # noqa: PLC0415

        return annealing.solve
    return vroom.solve if name is EngineName.VROOM else greedy.solve


def join(notes: Sequence[tuple[str, str]]) -> tuple[str, str]:
    """Notes in both languages, one after the other."""
    return "; ".join(english for english, _ in notes), "；".join(chinese for _, chinese in notes)


def finish(
    day: Day, entries: Sequence[Assignment], engine: EngineName, began: float, notes: tuple[str, str] = ("", "")
) -> Plan:
    """A plan of assignments: what is left is tried once more, and explained."""
    left: list[Unassigned] = []
    if len(entries) < len(day.visits):
        running = Running.of(day, entries)
        if len(running.assignments()) == len(entries):
            room = began + day.options.seconds if day.options.moves is None else None
            greedy.fill(running, deadline=room)
            more = running.assignments()
            entries = more if len(more) > len(entries) else entries
        given = {entry.visit for entry in entries}
        left = [
            Unassigned(visit.key, reasons(running, number))
            for number, visit in enumerate(day.visits)
            if visit.key not in given
        ]
    summary = summarise(day, entries, engine, 0.0, notes)
    summary = replace(summary, seconds=round(time.monotonic() - began, 3))
    return Plan(tuple(entries), tuple(left), summary)


def reasons(running: Running, visit: int) -> dict[str, int]:
    """What rules caregivers out, and how many each."""
    refused: dict[str, Reason] = {}
    slots = slots_of(running, visit, refused)
    group = running.day.groups[running.day.group_of[visit]]
    open_to = {running.day.caregivers[running.day.lanes[slot.lane].caregiver].key for slot in slots}
    counts = Counter(str(reason) for reason in refused.values())
    if open_to:
        counts[str(Reason.NO_PARTNER if len(group) > 1 else Reason.NO_GAP)] += len(open_to)
    return dict(counts)
