"""Watches over processes: starts again what died, with a back-off, and gives up on what keeps dying."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import psutil

from ops.stack.process import Part
from ops.stack.runtime import ProcessRecord

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 10.0
STABLE_SECONDS = 30.0
DEATHS_BEFORE_GIVING_UP = 5  # within STABLE_SECONDS

Say = Callable[[str], None]


@dataclass(slots=True)
class Watched:
    """One process and how it has fared."""

    part: Part
    may_finish: bool  # ending with code 0 is its right
    restarts: int = 0
    state: str = "running"  # running, restarting, finished, failed
    again_at: float = 0.0
    deaths: deque[float] = field(default_factory=lambda: deque(maxlen=DEATHS_BEFORE_GIVING_UP))


class Supervisor:
    """Call `tick` a few times a second; it never blocks for long. `say` tells a person what happened."""

    def __init__(self, say: Say, clock: Callable[[], float] = time.monotonic) -> None:
        self._say = say
        self._clock = clock
        self._watched: list[Watched] = []

    def watch(self, part: Part, *, may_finish: bool = False) -> None:
        """Look after a process that was started."""
        self._watched.append(Watched(part, may_finish))

    @property
    def failed(self) -> bool:
        """Whether a process was given up."""
        return any(watched.state == "failed" for watched in self._watched)

    def tick(self) -> bool:
        """Notice deaths and start again what is due; returns whether anything changed."""
        changed = False
        for watched in self._watched:
            if watched.state == "running" and watched.part.poll() is not None:
                self._died(watched)
                changed = True
            elif watched.state == "restarting" and self._clock() >= watched.again_at:
                self._start_again(watched)
                changed = True
        return changed

    def stop(self) -> None:
        """Ask all to end at once, then wait for each, last started first; whoever stays too long is killed."""
        parts = [watched.part for watched in reversed(self._watched)]
        for part in parts:
            part.request_stop()
        for part in parts:
            part.stop()

    def records(self) -> list[ProcessRecord]:
        """How the processes fare, for ``runtime.json``."""
        return [record(watched.part, watched.restarts, watched.state) for watched in self._watched]

    def _died(self, watched: Watched) -> None:
        part, now = watched.part, self._clock()
        code = part.poll()
        if code == 0 and watched.may_finish:
            watched.state = "finished"
            return
        recent = [moment for moment in watched.deaths if now - moment < STABLE_SECONDS]
        watched.deaths.append(now)
        if len(recent) + 1 >= DEATHS_BEFORE_GIVING_UP:
            watched.state = "failed"
            self._say(
                f"{part.name} 在 {STABLE_SECONDS:.0f} 秒内退出了 {DEATHS_BEFORE_GIVING_UP} 次，不再重启。"
                f" {part.name} ended {DEATHS_BEFORE_GIVING_UP} times within {STABLE_SECONDS:.0f} s and is not"
                f" started again; the rest keeps running. Log: {part.log}\n{part.log_tail(5)}"
            )
            return
        pause = min(FIRST_PAUSE_SECONDS * 2 ** len(recent), LONGEST_PAUSE_SECONDS)
        watched.state = "restarting"
        watched.again_at = now + pause
        self._say(
            f"{part.name} 已退出（{_how(code)}），{pause:.1f} 秒后重启。"
            f" {part.name} ended ({_how(code)}); starting it again in {pause:.1f} s."
        )

    def _start_again(self, watched: Watched) -> None:
        watched.restarts += 1
        try:
            watched.part.spawn()
        except Exception as error:  # noqa: BLE001 - whatever a start trips over counts as one more death
            self._say(f"{watched.part.name}: {error}")
            self._died(watched)
        else:
            watched.state = "running"


def record(part: Part, restarts: int = 0, state: str = "running") -> ProcessRecord:
    """A process as ``runtime.json`` keeps it."""
    pid = part.pid
    created_at = 0.0
    if pid is not None:
        try:
            created_at = psutil.Process(pid).create_time()
        except psutil.NoSuchProcess:
            pid = None
    return ProcessRecord(part.name, pid or 0, created_at, restarts, str(part.log), int(part.stop_signal), state)


def stop_in_order(groups: Sequence[Sequence[Part]], say: Say) -> None:
    """Stop groups of processes one after another, the members of a group together."""
    for group in groups:
        running = [part for part in group if part.pid is not None]
        if running:
            say(", ".join(part.name for part in running))
        for part in running:
            part.request_stop()
        for part in running:
            part.stop()


def _how(code: int | None) -> str:
    return f"signal {-code}" if code is not None and code < 0 else f"code {code}"
