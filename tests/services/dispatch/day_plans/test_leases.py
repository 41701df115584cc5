"""Plans survive whoever makes them: engines and workers are killed for real, and nothing half-made is stored."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from services.core.settings import Settings
from services.dispatch.day_plans import computing
from services.dispatch.day_plans.computing import make_next
from services.dispatch.day_plans.rules import planning_rules
from services.dispatch.day_plans.states import PlanStatus
from services.planning.errors import PlannerBusy
from services.planning.problem import EngineName, Options, Plan, Problem
from services.planning.service import plan as plan_here
from tests.township import Township

ROOT = Path(__file__).parents[4]
WORKER = """
import asyncio, sys
from services.core.database import Database
from services.dispatch.day_plans import computing
from services.dispatch.day_plans.computing import make_next

async def never(problem, options, now):
    print("thinking", flush=True)
    await asyncio.Event().wait()

async def main():
    await make_next(Database(sys.argv[1]), never)

asyncio.run(main())
"""


def children() -> set[int]:
    """The processes that this one has started and that still run."""
    return {
        int(child)
        for task in Path(f"/proc/{os.getpid()}/task").iterdir()
        for child in (task / "children").read_text().split()
    }


def is_solver(process: int) -> bool:
    """Whether it is the engine's."""
    return b"services.planning.solver" in Path(f"/proc/{process}/cmdline").read_bytes()


async def solver_of(before: set[int]) -> int:
    """The engine's process, once it is there."""
    while True:
        for child in filter(is_solver, children() - before):
            return child
        await asyncio.sleep(0.02)


async def test_a_killed_engine_does_not_cost_the_plan(town: Township) -> None:
    await town.ordinary_day()
    plan_id = await town.request(seconds=30)
    before = children()
    making = asyncio.create_task(make_next(town.ordering.database))
    os.kill(await asyncio.wait_for(solver_of(before), 30), signal.SIGKILL)
    assert await asyncio.wait_for(making, 60)
    await town.compute()
    plan = await town.read(plan_id)
    assert (plan.status, plan.engine) == (PlanStatus.READY, EngineName.GREEDY)
    assert "fail" in " ".join(said.en for said in plan.words), "the preview says what happened"
    assert (await town.commit(plan_id)).left_out == []


async def test_a_killed_worker_lets_its_plan_lapse(town: Township, settings: Settings) -> None:
    """Its lease runs out by itself; until then nobody else touches the plan."""
    await town.ordinary_day()
    plan_id = await town.request()
    assert settings.database_url is not None
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WORKER, settings.database_url, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert worker.stdout is not None
    assert await asyncio.wait_for(worker.stdout.readline(), 60) == b"thinking\n"
    worker.kill()
    await worker.wait()
    rows = await town.rows("SELECT status, attempts, leased_until FROM day_plan WHERE id = :id", id=plan_id)
    assert rows[0][:2] == ("computing", 1)
    # The dead worker had the machine's clock; ours stands tomorrow morning, when its lease is long over.
    assert rows[0][2] < town.ordering.clock.now()
    await town.compute()
    assert (await town.read(plan_id)).status is PlanStatus.READY
    rows = await town.rows("SELECT attempts, lease FROM day_plan WHERE id = :id", id=plan_id)
    assert rows[0] == (2, None)


async def test_a_lease_keeps_others_away_until_it_lapses(town: Township) -> None:
    plan_id = await town.request()
    began, go = asyncio.Event(), asyncio.Event()

    async def slow(problem: Problem, options: Options, now: int) -> Plan:
        began.set()
        await go.wait()
        return plan_here(problem, options)

    first = asyncio.create_task(make_next(town.ordering.database, slow))
    await began.wait()
    assert not await took(town, plan_id)
    town.ordering.clock.forward(seconds=planning_rules().lease.total_seconds() + 1)
    assert await took(town, plan_id)
    assert (await town.read(plan_id)).status is PlanStatus.READY
    version = (await town.read(plan_id)).version
    go.set()
    await first
    assert (await town.read(plan_id)).version == version, "the late answer of the first changes nothing"


async def took(town: Township, plan_id: object) -> bool:
    """Whether another worker makes the plan now; other worlds' plans are none of ours."""
    statement = "SELECT attempts FROM day_plan WHERE id = :id"
    before = (await town.rows(statement, id=plan_id))[0][0]
    await town.compute()
    return bool((await town.rows(statement, id=plan_id))[0][0] > before)


async def test_an_engine_that_always_fails_is_given_up_after_three(town: Township) -> None:
    plan_id = await town.request()
    tried = 0

    async def broken(problem: Problem, options: Options, now: int) -> Plan:
        nonlocal tried
        tried += 1
        raise RuntimeError("no")

    while (await town.read(plan_id)).status is PlanStatus.COMPUTING:
        assert await make_next(town.ordering.database, broken)
    plan = await town.read(plan_id)
    assert (plan.status, plan.failure, tried) == (
        PlanStatus.FAILED,
        "engine_failed",
        planning_rules().most_attempts,
    )
    assert plan.words[0].zh
    assert (await town.request()) != plan_id, "another one may be asked for"


async def test_an_unchecked_plan_is_never_stored(town: Township) -> None:
    """An engine that gives everything to one caregiver at one moment."""
    await town.ordinary_day()
    plan_id = await town.request()

    async def liar(problem: Problem, options: Options, now: int) -> Plan:
        found = plan_here(problem, options)
        first = found.assignments[0]
        lies = tuple(
            type(first)(one.visit, first.caregiver, first.starts_at, first.starts_at + 60, 0)
            for one in found.assignments
        )
        return Plan(lies, found.unassigned, found.summary)

    while (await town.read(plan_id)).status is PlanStatus.COMPUTING:
        assert await make_next(town.ordering.database, liar)
    plan = await town.read(plan_id)
    assert (plan.status, plan.failure, plan.caregivers) == (PlanStatus.FAILED, "invalid_plan", [])


async def test_a_plan_that_was_superseded_stops_the_thinking(
    town: Township, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan_id = await town.request()
    began, ended = asyncio.Event(), asyncio.Event()

    async def endless(problem: Problem, options: Options, now: int) -> Plan:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        raise AssertionError("it is cancelled")

    monkeypatch.setattr(computing, "KEEP_SECONDS", 0.05)
    making = asyncio.create_task(make_next(town.ordering.database, endless))
    await began.wait()
    newer = await town.request()
    assert await asyncio.wait_for(making, 10)
    assert ended.is_set()
    assert (await town.read(plan_id)).status is PlanStatus.SUPERSEDED
    await town.compute()
    assert (await town.read(newer)).status is PlanStatus.READY


async def test_a_busy_planner_is_no_failed_attempt(town: Township) -> None:
    plan_id = await town.request()

    async def busy(problem: Problem, options: Options, now: int) -> Plan:
        raise PlannerBusy

    for _ in range(5):
        assert not await make_next(town.ordering.database, busy)
    await town.compute()
    assert (await town.read(plan_id)).status is PlanStatus.READY


async def test_the_worker_is_rung_and_stops_when_told(town: Township, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop of the worker itself: the database rings it; it does not wait for its next look."""
    monkeypatch.setattr(computing, "LOOK_SECONDS", 600.0)
    made = asyncio.Event()

    async def told(problem: Problem, options: Options, now: int) -> Plan:
        made.set()
        return plan_here(problem, options)

    monkeypatch.setattr(computing, "solve_day", told)
    database = town.ordering.database
    working = asyncio.create_task(computing.plan_forever(database, database.url))
    try:
        plan_id = await town.request()
        await asyncio.wait_for(made.wait(), 30)
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
    await town.compute()
    assert (await town.read(plan_id)).status in (PlanStatus.READY, PlanStatus.COMPUTING)
