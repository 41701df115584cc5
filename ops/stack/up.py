"""Everything that ``guoyuan up`` does, told to whoever shows it: start, watch over, stop."""

import json
import os
import signal
import time
from pathlib import Path
from types import FrameType
from typing import Protocol

import httpx

from ops.stack import ports, runtime
from ops.stack.application import Application
from ops.stack.embedded import EmbeddedStack, StackPorts
from ops.stack.lock import held
from ops.stack.process import Part, StartFailedError, end_stranger
from ops.stack.runtime import Runtime, environment_of
from ops.stack.supervisor import Supervisor, stop_in_order
from services.core.settings import Settings

PORTS_FILE = "ports.json"
TICK_SECONDS = 0.2
API_READY_SECONDS = 60.0
ONCE_SECONDS = 600.0
SIMULATED_TERMINALS = 200
SIMULATED_INTERVAL_SECONDS = 10


class Show(Protocol):
    """What a person sees of it."""

    def doing(self, what: str) -> None:
        """A step begins; it lasts until the next call."""

    def done(self, what: str) -> None:
        """A step is finished."""

    def note(self, what: str) -> None:
        """Something to know."""

    def running(self, settings: Settings) -> None:
        """All runs: where to go now."""


class StopRequested(BaseException):
    """SIGINT or SIGTERM while starting; not an Exception, so that nothing on the way swallows it."""


class Up:
    """One run of the whole system in one data directory."""

    def __init__(self, settings: Settings, show: Show, *, simulate: bool = True) -> None:
        self._given = settings
        self._show = show
        self._simulate = simulate and settings.mode == "demo"
        self._directory = settings.data_dir
        self._supervisor = Supervisor(show.note)
        self._applications: list[Part] = []
        self._servers: list[Part] = []
        self._started: list[Part] = []
        self._stop = False
        self._starting = True
        self._settings = settings

    def run(self) -> int:
        """Start, watch, stop; the exit code: 1 when a process had to be given up.

        Raises AlreadyRunningError, PortTakenError, StartFailedError, DamagedDataError, each with a message
        for the person at the keyboard.
        """
        self._directory.mkdir(parents=True, exist_ok=True)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        with held(self._directory):
            try:
                self._recover()
                self._start()
                self._starting = False
                self._show.running(self._settings)
                self._watch()
            except StopRequested:
                self._show.note("已中断启动。 Start interrupted.")
            finally:
                self._starting = False
                self._end()
        return 1 if self._supervisor.failed else 0

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._stop = True
        if self._starting:
            raise StopRequested

    def _recover(self) -> None:
        """End what a killed run left behind."""
        earlier = runtime.read(self._directory)
        if earlier is None:
            return
        ended = [
            process.name
            for process in reversed(earlier.processes)
            if process.pid and end_stranger(process.pid, process.created_at, number=process.stop_signal)
        ]
        if ended:
            names = ", ".join(ended)
            self._show.note(f"已结束上次遗留的进程：{names}。 Ended what the last run left behind: {names}.")
        runtime.clear(self._directory)

    def _start(self) -> None:
        settings, given = self._given, self._given.model_fields_set
        api_port = ports.choose(
            settings.api_port, "GUOYUAN_API_PORT", chosen_by_user="api_port" in given, host=settings.api_host
        )
        if settings.api_port and api_port != settings.api_port:
            self._moved("API", settings.api_port, api_port, "GUOYUAN_API_PORT")
        stack = EmbeddedStack(
            self._directory, settings.model_copy(update={"api_port": api_port}), self._choose_ports()
        )
        self._settings = stack.settings
        for part in stack.parts:
            self._start_part(part, self._servers)
            for note in stack.postgres.notes if part is stack.postgres else []:
                self._show.note(note)
        self._once("数据库结构 database schema", stack, "migrate")
        if settings.mode == "demo":
            self._once("示例县 demo county", stack, "demo", "load")
        self._start_applications(stack)

    def _start_applications(self, stack: EmbeddedStack) -> None:
        """Start the platform's processes together; they need each other no more than the servers."""
        api = stack.application(["api"], is_ready=lambda: answers(stack.settings))
        together = [
            api,
            stack.application(["ingest", "--lane", "alarms"], name="ingest-alarms"),
            *(
                stack.application(["ingest", "--lane", "vitals"], name=name)
                for name in vitals_processes(stack.settings)
            ),
            stack.application(["worker", "--part", "alarms"], name="worker"),
            stack.application(["worker", "--part", "chores"], name="chores"),
        ]
        self._show.doing("API, ingest, worker")
        for part in together:
            part.spawn()
            self._adopt(part, self._applications)
        api.wait_ready(API_READY_SECONDS)
        self._show.done("API, ingest, worker")
        if self._simulate:
            simulator = stack.application(
                [
                    "simulate",
                    "--terminals",
                    str(SIMULATED_TERMINALS),
                    "--interval",
                    str(SIMULATED_INTERVAL_SECONDS),
                ],
                name="simulate",
            )
            simulator.spawn()
            self._adopt(simulator, self._applications, may_finish=True)
            self._show.done(f"{SIMULATED_TERMINALS} 台模拟终端 simulated terminals")

    def _start_part(self, part: Part, group: list[Part]) -> None:
        self._show.doing(part.name)
        began = time.monotonic()
        # Known before it is ready, so that an interruption meanwhile stops it too.
        self._started.append(part)
        part.start()
        self._adopt(part, group)
        self._show.done(f"{part.name} · {time.monotonic() - began:.1f} s")

    def _adopt(self, part: Part, group: list[Part], *, may_finish: bool = False) -> None:
        group.append(part)
        self._supervisor.watch(part, may_finish=may_finish)
        self._write_runtime()

    def _once(self, title: str, stack: EmbeddedStack, *arguments: str) -> None:
        """Run one command of ours to its end. Raises StartFailedError with what it said."""
        self._show.doing(title)
        part: Application = stack.application(arguments)
        self._started.append(part)
        part.spawn()
        deadline = time.monotonic() + ONCE_SECONDS
        while (code := part.poll()) is None:
            if time.monotonic() > deadline:
                part.stop()
                raise StartFailedError(f"{title}: not done in {ONCE_SECONDS:.0f} s. Log: {part.log}")
            time.sleep(TICK_SECONDS / 4)
        if code != 0:
            raise StartFailedError(f"{title}: ended with code {code}. Log: {part.log}\n{part.log_tail()}")
        self._show.done(title)

    def _watch(self) -> None:
        while not self._stop:
            if self._supervisor.tick():
                self._write_runtime()
            time.sleep(TICK_SECONDS)

    def _end(self) -> None:
        """Applications first, then the servers, each group from the last started to the first."""
        interrupted = [part for part in self._started if part not in self._servers]
        groups = [
            [*reversed(interrupted)],
            [*reversed(self._applications)],
            *([part] for part in reversed(self._servers)),
        ]
        stop_in_order(groups, lambda names: self._show.doing(f"停止 stopping {names}"))
        if self._servers or self._applications:
            self._show.done("已全部停止。 Everything has stopped.")
        runtime.clear(self._directory)

    def _choose_ports(self) -> StackPorts:
        """The embedded servers' ports: those of the last run where they are free, so that addresses stay."""
        path = self._directory / PORTS_FILE
        known = _read_ports(path)
        wanted = self._given.mqtt_port
        mqtt = wanted
        if self._given.mqtt_url is None:
            chosen_by_user = "mqtt_port" in self._given.model_fields_set
            mqtt = ports.choose(wanted, "GUOYUAN_MQTT_PORT", chosen_by_user=chosen_by_user)
            if wanted and mqtt != wanted:
                self._moved("MQTT", wanted, mqtt, "GUOYUAN_MQTT_PORT")
        inner = {
            name: known[name] if name in known and ports.is_free(known[name]) else ports.free_port()
            for name in ("postgres", "redis", "mqtt_service")
        }
        path.write_text(json.dumps(inner))
        return StackPorts(mqtt=mqtt, **inner)

    def _moved(self, what: str, wanted: int, taken: int, setting: str) -> None:
        self._show.note(
            f"端口 {wanted} 已被占用，{what} 改用 {taken}（可用 {setting} 指定）。"
            f" Port {wanted} is in use: {what} takes {taken} (set {setting} to choose)."
        )

    def _write_runtime(self) -> None:
        here = Runtime(
            os.getpid(), runtime.own_created_at(), environment_of(self._settings), self._supervisor.records()
        )
        runtime.write(self._directory, here)


def vitals_processes(settings: Settings) -> list[str]:
    """The names of the ingest processes for vitals: as many as share the load."""
    return ["ingest-vitals", *(f"ingest-vitals-{number}" for number in range(2, settings.ingest_share + 1))]


def answers(settings: Settings) -> bool:
    """Whether the API says it is alive."""
    try:
        return httpx.get(f"{api_url(settings)}/healthz", timeout=1, trust_env=False).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def api_url(settings: Settings) -> str:
    """Where the API is reached from this machine."""
    host = "127.0.0.1" if settings.api_host in ("0.0.0.0", "::", "") else settings.api_host  # noqa: S104 - compared only
    return f"http://{host}:{settings.api_port}"


def _read_ports(path: Path) -> dict[str, int]:
    try:
        stored = json.loads(path.read_text())
        return {name: port for name, port in stored.items() if isinstance(port, int)}
    except (OSError, ValueError, AttributeError):
        return {}
