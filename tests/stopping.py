"""Ending what a test has started, within a bound: a cancellation that a library swallowed is told again."""

import asyncio
from collections.abc import Collection
from typing import Any

import structlog

ROUND_SECONDS = 10
ROUNDS = 6

log = structlog.get_logger("tests")


async def end(started: Collection["asyncio.Task[Any]"], before: Collection["asyncio.Task[Any]"]) -> None:
    """Cancel the tasks and wait for them; how they end is not asked. What did not hear is written down and told
    once more, task by task: a group that waits for one deaf child passes nothing on. ``AssertionError`` when
    something still runs after that.
    """
    for task in started:
        task.cancel()
    for _ in range(ROUNDS):
        _, deaf = await asyncio.wait(started, timeout=ROUND_SECONDS)
        if not deaf:
            await asyncio.gather(*started, return_exceptions=True)
            return
        for task in asyncio.all_tasks() - set(before) - {asyncio.current_task()}:
            log.warning("not_ended", task=repr(task.get_coro()), where=_where(task))
            task.cancel()
    raise AssertionError("something that the test started does not end")


def _where(task: "asyncio.Task[Any]") -> list[str]:
    return [f"{frame.f_code.co_filename}:{frame.f_lineno}" for frame in task.get_stack()]
