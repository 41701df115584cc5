"""A solver's process: it gives the plan, and whatever happens to it there is one, and nothing of it remains."""

import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest

from services.planning import runner
from services.planning.checker import check
from services.planning.errors import PlannerBusy
from services.planning.problem import EngineName, Options
from services.planning.wire import pack_job, unpack_job
from tests import planned_days as days

DAY = days.random_day(11)


def quick(**more: object) -> Options:
    return days.options(**{"moves": None, "seconds": 0.3, "engine": EngineName.GREEDY, **more})


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


SLEEPS = python("import sys, time; print('ready', flush=True); time.sleep(600)")
CRASHES = python("import os; os.abort()")
BABBLES = python("import sys; sys.stdin.buffer.read(); print('ready', flush=True); print('nonsense')")


def children(code: str) -> list[psutil.Process]:
    mine = psutil.Process().children(recursive=True)
    return [one for one in mine if one.status() != psutil.STATUS_ZOMBIE and code in " ".join(one.cmdline())]


def test_a_job_survives_the_wire() -> None:
    options = days.options(allow_overtime=True, tolerance=7)
    problem, again = unpack_job(pack_job(DAY, options))
    assert again == options
    assert list(problem.visits) == list(DAY.visits)
    assert list(problem.caregivers) == list(DAY.caregivers)
    assert problem.travel == DAY.travel
    assert list(problem.running) == list(DAY.running)


@pytest.mark.parametrize("engine", [EngineName.GREEDY, EngineName.AUTO])
async def test_a_process_gives_the_plan(engine: EngineName) -> None:
    options = quick(engine=engine)
    found = await runner.solve(DAY, options)
    assert check(DAY, found, options) == []
    assert found.summary.note == ""
    assert found.summary.engine is (EngineName.GREEDY if engine is EngineName.GREEDY else EngineName.ANNEALING)
    assert children("planning.solver") == []


@pytest.mark.parametrize("command", [SLEEPS, CRASHES, BABBLES], ids=["sleeps", "crashes", "babbles"])
async def test_a_solver_that_fails_is_replaced_by_the_greedy_engine(
    command: Sequence[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "SLACK_SECONDS", 0.3)
    began = time.monotonic()
    found = await runner.solve(DAY, quick(), tuple(command))
    assert time.monotonic() - began < 20
    assert found.summary.engine is EngineName.GREEDY
    assert "The solver failed" in found.summary.note
    assert "贪心" in found.summary.note_zh
    assert check(DAY, found) == []
    assert children(command[-1]) == []


async def test_a_cancelled_solve_ends_its_process() -> None:
    task = asyncio.create_task(runner.solve(DAY, quick(seconds=60), SLEEPS))
    while not children(SLEEPS[-1]):  # noqa: ASYNC110  a process starts, nobody tells
        await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert children(SLEEPS[-1]) == []


async def test_more_days_than_may_be_planned_at_once_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = runner.get_settings().model_copy(update={"planner_processes": 1})
    monkeypatch.setattr(runner, "get_settings", lambda: settings)
    monkeypatch.setattr(runner, "SLACK_SECONDS", 0.3)
    first = asyncio.create_task(runner.solve(DAY, quick(), SLEEPS))
    await asyncio.sleep(0)
    with pytest.raises(PlannerBusy):
        await runner.solve(DAY, quick())
    await first
    assert (await runner.solve(DAY, quick())).summary.note == "", "the seat is free again"


async def test_the_loop_goes_on_while_a_day_is_planned() -> None:
    task = asyncio.create_task(runner.solve(DAY, quick(seconds=0.5)))
    longest, before = 0.0, time.monotonic()
    while not task.done():
        await asyncio.sleep(0.005)
        longest, before = max(longest, time.monotonic() - before), time.monotonic()
    assert longest < 0.25
    await task


def test_the_kernel_is_kept_in_a_folder_of_its_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from services.planning.kernel import folder  # noqa: PLC0415

    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    found = folder.cache_folder()
    assert found.is_relative_to(tmp_path)
    assert not folder.is_compiled(found)
    (found / "complete").touch()
    assert folder.is_compiled(found)
