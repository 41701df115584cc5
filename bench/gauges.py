"""What is looked at while a benchmark runs: processors and memory of each process, what waits in the tables."""

import asyncio
import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

import asyncpg
import psutil

from bench.house import House

LOOK_SECONDS: Final = 1.0
MEGABYTE: Final = 2**20
DATABASE_GONE: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
_QUEUES: Final = {
    "events not relayed": "SELECT count(*) FROM outbox WHERE position IS NULL OR relayed_at IS NULL",
    "deliveries waiting": "SELECT count(*) FROM outbox_delivery WHERE done_at IS NULL AND failed_at IS NULL",
    "messages down waiting": "SELECT count(*) FROM downlink WHERE sent_at IS NULL AND expires_at > now()",
}
_FAULTS: Final = {
    "dead letters": "SELECT count(*) FROM dead_letter",
    "handlers failed": "SELECT count(*) FROM outbox_delivery WHERE failed_at IS NOT NULL",
}


@dataclass(slots=True)
class Use:
    """One process with its children: seconds of processor, and the most memory seen (its own, bytes)."""

    pid: int
    began: float
    processor: float = 0.0
    memory: int = 0


@dataclass(slots=True)
class Gauges:
    """Looks every second; used as ``async with``."""

    house: House
    pids: Mapping[str, int]
    uses: dict[str, Use] = field(default_factory=dict)
    queues: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_QUEUES, 0))
    """The most that waited."""
    faults: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    _began: float = 0.0
    _task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._began = time.perf_counter()
        self.uses = {name: Use(pid, _processor(pid)) for name, pid in self.pids.items()}
        self._task = asyncio.create_task(self._look_forever())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None  # noqa: S101  entered
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        self.seconds = time.perf_counter() - self._began
        connection = await self.house.connect()
        try:
            await self._look(connection)
            for name, statement in _FAULTS.items():
                self.faults[name] = await connection.fetchval(statement)
        finally:
            await connection.close()

    def share(self, name: str) -> float:
        """Of one processor, in per cent, over the whole time."""
        return 100 * self.uses[name].processor / self.seconds

    async def _look_forever(self) -> None:
        """A database that is killed in the middle is looked at again when it is back."""
        while True:
            with contextlib.suppress(OSError, *DATABASE_GONE):
                connection = await self.house.connect()
                try:
                    while True:
                        await self._look(connection)
                        await asyncio.sleep(LOOK_SECONDS)
                finally:
                    connection.terminate()
            await asyncio.sleep(LOOK_SECONDS)

    async def _look(self, connection: asyncpg.Connection) -> None:
        for use in self.uses.values():
            with contextlib.suppress(psutil.NoSuchProcess):
                use.processor = max(use.processor, _processor(use.pid) - use.began)
                use.memory = max(use.memory, _memory(use.pid))
        for name, statement in _QUEUES.items():
            self.queues[name] = max(self.queues[name], await connection.fetchval(statement))


def _family(pid: int) -> list[psutil.Process]:
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


def _processor(pid: int) -> float:
    total = 0.0
    for process in _family(pid):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system
    return total


def _memory(pid: int) -> int:
    total = 0
    for process in _family(pid):
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            # Unique set size: what PostgreSQL's backends share would be counted once for each of them.
            total += process.memory_full_info().uss
    return total
