"""``solve``: a day planned in a process of its own, so that no search holds up the platform.

The process is ended when its time has passed or when nobody waits any more. If it fails, the greedy engine plans
in a thread, and the summary says so.
"""

import asyncio
import contextlib
import os
import sys
import threading
from dataclasses import replace
from pathlib import Path

import msgspec
import structlog

from services.core.settings import get_settings
from services.planning.checker import check
from services.planning.errors import PlannerBusy
from services.planning.kernel.folder import cache_folder, is_compiled
from services.planning.problem import EngineName, Options, Plan, Problem
from services.planning.repair import Repair, RepairJob, repair
from services.planning.service import plan
from services.planning.wire import pack_job, unpack_plan

PROJECT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-m", "services.planning.solver")
READY = b"ready\n"
START_SECONDS = 20.0
COMPILE_SECONDS = 180.0
SLACK_SECONDS = 5.0
"""Beside a tenth of the time: reading the answer on a busy machine."""
GREEDY_SECONDS = 10.0

log = structlog.get_logger()
_running: set[object] = set()


class SolverFailed(Exception):
    """The solver's process gave no plan."""


async def solve(problem: Problem, options: Options, command: tuple[str, ...] = COMMAND) -> Plan:
    """Plan a day. Raises PlannerBusy when too many days are being planned, InvalidProblem, NoPlan.

    Cancelling it ends the process.
    """
    if len(_running) >= get_settings().planner_processes:
        raise PlannerBusy
    seat = object()
    _running.add(seat)
    try:
        return await _solve(problem, options, command)
    finally:
        _running.discard(seat)


async def _solve(problem: Problem, options: Options, command: tuple[str, ...]) -> Plan:
    try:
        job = await asyncio.to_thread(pack_job, problem, options)
        answer = await _ask(command, job, options)
        found = unpack_plan(answer)
        wrong = await asyncio.to_thread(check, problem, found, options)
        if wrong:
            raise SolverFailed("its plan is not allowed")
        return found
    except (SolverFailed, OSError, msgspec.MsgspecError) as failure:
        log.warning("planner.solver_failed", why=str(failure))
        return await _greedy(problem, options, str(failure))


async def _ask(command: tuple[str, ...], job: bytes, options: Options) -> bytes:
    """Give the job to a new process and wait for its answer; the process is gone afterwards."""
    folder = cache_folder(get_settings().data_dir)
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=PROJECT,
        env={**os.environ, "NUMBA_CACHE_DIR": str(folder)},
    )
    try:
        start = START_SECONDS if is_compiled(folder) else COMPILE_SECONDS
        async with asyncio.timeout(start):
            await _hand_over(process, job)
        assert process.stdout is not None  # noqa: S101  a pipe
        # A number of moves takes the time it takes.
        limit = None if options.moves is not None else options.seconds * 1.1 + SLACK_SECONDS
        async with asyncio.timeout(limit):
            answer = await process.stdout.read()
            code = await process.wait()
    except TimeoutError as error:
        raise SolverFailed("it took longer than it was given") from error
    finally:
        await _end(process)
    if code != 0 or not answer:
        raise SolverFailed(f"it ended with {code}")
    return answer


async def _hand_over(process: asyncio.subprocess.Process, job: bytes) -> None:
    """Write the job and wait until the solver has everything loaded."""
    assert process.stdin is not None  # noqa: S101  a pipe
    assert process.stdout is not None  # noqa: S101  a pipe
    try:
        process.stdin.write(job)
        await process.stdin.drain()
        process.stdin.close()
    except (BrokenPipeError, ConnectionResetError) as error:
        raise SolverFailed("it did not listen") from error
    if await process.stdout.readline() != READY:
        raise SolverFailed("it did not start")


async def _end(process: asyncio.subprocess.Process) -> None:
    """Nothing of the process remains, whatever happened, and whoever is being cancelled."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    await asyncio.shield(process.wait())
    # The transport closes its pipes when the process is reaped; a reader that was cut off must not hold one open.
    transport = getattr(process, "_transport", None)
    if transport is not None:
        transport.close()


async def _greedy(problem: Problem, options: Options, failure: str) -> Plan:
    """The fallback, in a thread, with what it replaces in its note."""
    given_up = threading.Event()
    wished = replace(options, engine=EngineName.GREEDY, seconds=max(options.seconds, GREEDY_SECONDS), moves=None)
    try:
        found = await asyncio.to_thread(plan, problem, wished, given_up.is_set)
    finally:
        given_up.set()
    note = f"The solver failed ({failure}); planned by greedy insertion"
    note_zh = "优化进程未能给出结果，已改用贪心插入法排班"
    return replace(found, summary=replace(found.summary, note=note, note_zh=note_zh))


async def repair_soon(job: RepairJob) -> Repair:
    """Repair a running plan in a thread: too short a work for a process of its own."""
    given_up = threading.Event()
    try:
        return await asyncio.to_thread(repair, job, given_up.is_set)
    finally:
        given_up.set()


async def warm(command: tuple[str, ...] = COMMAND) -> bool:
    """Compile the kernel ahead of the first plan, in a process of its own; whether it is there now."""
    folder = cache_folder(get_settings().data_dir)
    if is_compiled(folder):
        return True
    process = await asyncio.create_subprocess_exec(
        *command, "--warm", cwd=PROJECT, env={**os.environ, "NUMBA_CACHE_DIR": str(folder)}
    )
    try:
        await process.wait()
    finally:
        await _end(process)
    return is_compiled(folder)
