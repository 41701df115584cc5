"""Runs a process's main coroutine until SIGTERM or SIGINT asks it to end."""

import asyncio
import contextlib
import gc
import signal
from collections.abc import Coroutine

import uvloop


def keep_what_is_imported() -> None:
    """Spare the garbage collector what lives as long as the process.

    Looking through it all takes some 50 ms, in which the process does nothing else: an alarm would wait.
    """
    gc.collect()
    gc.freeze()


def run_until_signal(main: Coroutine[None, None, None]) -> None:
    """Run it; a signal cancels it, so that it gives back its connections and ends with code 0."""
    keep_what_is_imported()
    uvloop.run(_cancelled_by_signal(main))


async def _cancelled_by_signal(main: Coroutine[None, None, None]) -> None:
    task = asyncio.ensure_future(main)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task
