"""Kills parts of the platform in the middle of a benchmark; the supervisor of ``guoyuan up`` starts them again."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Self, TypeVar

from ops.stack.process import Part
from ops.stack.supervisor import Supervisor

TICK_SECONDS: Final = 0.1
BACK_SECONDS: Final = 60.0

T = TypeVar("T")


class Keeper:
    """Watches over running parts; used as ``async with``."""

    def __init__(self, parts: Mapping[str, Part]) -> None:
        self.parts = parts
        self.said: list[str] = []
        self._supervisor = Supervisor(self.said.append)
        # What it starts ends with the *thread* that started it: one thread, which stays as long as the keeper.
        self._thread = ThreadPoolExecutor(1, "keeper")
        self._ticking: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        for part in self.parts.values():
            self._supervisor.watch(part)
        self._ticking = asyncio.create_task(self._tick_forever())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._ticking is not None  # noqa: S101  entered
        self._ticking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._ticking
        await self._in_thread(self._supervisor.stop)
        self._thread.shutdown()

    async def kill(self, name: str) -> float:
        """``kill -9``; returns the seconds until it was ready again. Raises ``TimeoutError``."""
        part = self.parts[name]
        began, pid = time.perf_counter(), part.pid
        await self._in_thread(part.kill)
        deadline = began + BACK_SECONDS
        while part.pid in (None, pid) or not await asyncio.to_thread(part.ready):
            if time.perf_counter() > deadline:
                raise TimeoutError(f"{name} did not come back: {self.said[-3:]} {part.log_tail(5)}")
            await asyncio.sleep(TICK_SECONDS)
        return time.perf_counter() - began

    async def _tick_forever(self) -> None:
        while True:
            await self._in_thread(self._supervisor.tick)
            await asyncio.sleep(TICK_SECONDS)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
