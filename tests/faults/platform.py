"""A whole platform as processes of their own, under the supervisor of ``guoyuan up``. Tests kill its parts."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Literal, Self, TypeVar

from ops.migrate import migrate
from ops.stack.embedded import EmbeddedStack
from ops.stack.ports import free_port
from ops.stack.process import Part
from ops.stack.supervisor import Supervisor
from ops.stack.up import answers
from services.core.settings import Settings
from tests.faults.waiting import until

TICK_SECONDS = 0.1
BACK_SECONDS = 30.0
START_SECONDS = 60.0

T = TypeVar("T")


class LivingPlatform:
    """Servers, API, both lanes of ingest and the worker; whoever dies is started again by the supervisor."""

    def __init__(
        self, directory: Path, broker: Literal["builtin", "mosquitto"] = "builtin", *, in_pairs: bool = False
    ) -> None:
        """``in_pairs`` runs each lane of ingest in two processes; their vitals share, which needs Mosquitto."""
        self._in_pairs = in_pairs
        settings = Settings(
            _env_file=None,
            data_dir=directory,
            api_port=free_port(),
            embedded_broker=broker,
            ingest_share=2 if in_pairs else 1,
        )
        # Without fsync, to be quick: a killed server loses nothing by that, only a crashed machine would.
        self.stack = EmbeddedStack(directory, settings, durable=False)
        self.said: list[str] = []
        self.parts: dict[str, Part] = {part.name: part for part in self.stack.parts}
        self._supervisor = Supervisor(self.said.append)
        # The kernel ends a process when the *thread* that started it ends: one thread starts all, and stays.
        self._thread = ThreadPoolExecutor(1, "supervisor")
        self._ticking: asyncio.Task[None] | None = None

    @property
    def settings(self) -> Settings:
        """The settings of every process."""
        return self.stack.settings

    async def __aenter__(self) -> Self:
        try:
            await self._in_thread(self._start)
        except BaseException:
            await self._stop()
            raise
        self._ticking = asyncio.create_task(self._tick_forever())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._ticking is not None:
            self._ticking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._ticking
        await self._stop()

    async def kill(self, name: str) -> None:
        """``kill -9``."""
        code = await self._in_thread(partial(_kill, self.parts[name]))
        last = self.parts[name].log_tail(60)
        assert code == -signal.SIGKILL, f"{name} was not there to be killed: {code}\n{last}"

    def suspend(self, name: str) -> None:
        """Let it hang (SIGSTOP): it is there, its connections are open, and it does nothing."""
        self._signal(name, signal.SIGSTOP)

    def wake(self, name: str) -> None:
        """Let it go on."""
        self._signal(name, signal.SIGCONT)

    def _signal(self, name: str, number: signal.Signals) -> None:
        pid = self.parts[name].pid
        assert pid is not None, f"{name} does not run"
        os.killpg(pid, number)

    async def back(self, name: str) -> None:
        """Wait until the supervisor has started it again and it is ready."""
        part = self.parts[name]
        await until(lambda: part.pid is not None and part.ready(), BACK_SECONDS, lambda: self._story(name))

    def _story(self, name: str) -> str:
        said = "\n".join(self.said[-5:])
        return f"{name} did not come back.\n{said}\n{self.parts[name].log_tail()}"

    def logs(self, lines: int = 5) -> str:
        """The last words of every process, for a failure's message."""
        return "\n".join(f"--- {name}\n{part.log_tail(lines)}" for name, part in self.parts.items())

    def _start(self) -> None:
        for part in self.stack.parts:
            part.start()
            self._supervisor.watch(part)
        migrate(self.stack.postgres.url)
        started = {
            "api": ("api",),
            "ingest-alarms": ("ingest", "--lane", "alarms"),
            "ingest-vitals": ("ingest", "--lane", "vitals"),
            "worker": ("worker", "--part", "alarms"),
            "chores": ("worker", "--part", "chores"),
        }
        if self._in_pairs:
            started |= {f"{name}-2": started[name] for name in ("ingest-alarms", "ingest-vitals")}
        for name, arguments in started.items():
            ready = partial(answers, self.settings) if name == "api" else None
            part = self.stack.application(arguments, name=name, is_ready=ready)
            self.parts[name] = part
            part.spawn()
            self._supervisor.watch(part)
        self.parts["api"].wait_ready(START_SECONDS)

    async def _tick_forever(self) -> None:
        while True:
            await self._in_thread(self._supervisor.tick)
            await asyncio.sleep(TICK_SECONDS)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def _stop(self) -> None:
        await self._in_thread(self._supervisor.stop)
        self._thread.shutdown()


def _kill(part: Part) -> int | None:
    part.kill()
    return part.poll()
