"""One process of the stack: started in a group of its own, tied to its parent's life, stopped in steps."""

import abc
import contextlib
import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from ops.stack import launch
from ops.stack.privileges import SAME, RunAs

LOG_LIMIT = 5_000_000  # bytes, looked at when a process starts
LOGS_KEPT = 3
POLL_SECONDS = 0.02
CREATED_TOLERANCE_SECONDS = 1.0


class StartFailedError(Exception):
    """A process ended or stayed silent before it was ready; the message carries the last lines of its log."""


def launched(argv: Sequence[str], *, number: int = signal.SIGTERM, run_as: RunAs = SAME) -> list[str]:
    """The command that runs `argv` through ``launch.py``; signal `number` reaches it when this process dies.

    The kernel watches the *thread* that started the process: start processes from a thread that stays.
    """
    return [
        *(sys.executable, "-I", "-S", str(Path(launch.__file__))),
        *(str(int(number)), str(os.getpid()), run_as.mode, str(run_as.uid), str(run_as.gid)),
        *argv,
    ]


def wheel_directory(package: str) -> Path:
    """Where a package that carries programs is installed; it is not imported, only its files are wanted."""
    specification = importlib.util.find_spec(package)
    if specification is None or specification.origin is None:
        raise StartFailedError(f"the package {package} is not installed; run `make run` again")
    return Path(specification.origin).parent


def rotate(log: Path) -> None:
    """Move a large log aside (``name.log.1`` … ``.3``); called before a process starts writing to it."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if not log.exists() or log.stat().st_size < LOG_LIMIT:
        return
    for index in range(LOGS_KEPT - 1, 0, -1):
        older = log.with_name(f"{log.name}.{index}")
        if older.exists():
            older.replace(log.with_name(f"{log.name}.{index + 1}"))
    log.replace(log.with_name(f"{log.name}.1"))


class Part(abc.ABC):
    """A process of the stack. Subclasses say what to run (`argv`) and when it is ready (`ready`)."""

    stop_signal: int = signal.SIGTERM
    orphan_signal: int = signal.SIGTERM  # what it gets when the process that started it is killed
    grace_seconds: float = 15.0

    def __init__(self, name: str, log: Path) -> None:
        self.name = name
        self.log = log
        self.started_at: float | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @abc.abstractmethod
    def argv(self) -> list[str]:
        """The command."""

    def environment(self) -> Mapping[str, str] | None:
        """The environment; None takes over ours."""
        return None

    def run_as(self) -> RunAs:
        """As whom."""
        return SAME

    def prepare(self) -> None:  # noqa: B027 - most need nothing
        """What must exist before each start (directories, configuration files)."""

    def ready(self) -> bool:
        """Whether the process does its work. Asked repeatedly after the start."""
        return True

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def poll(self) -> int | None:
        """The exit code when the process has ended, otherwise None."""
        return None if self._process is None else self._process.poll()

    def spawn(self) -> None:
        """Start the process without waiting for it to be ready."""
        self.prepare()
        rotate(self.log)
        environment = self.environment()
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                launched(self.argv(), number=self.orphan_signal, run_as=self.run_as()),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=None if environment is None else dict(environment),
                process_group=0,
            )
        self.log.chmod(0o600)
        self.started_at = time.time()

    def start(self, timeout_seconds: float = 60.0) -> None:
        """Start the process and wait until it is ready.

        Raises StartFailedError when it ends first or is not ready in time.
        """
        self.spawn()
        self.wait_ready(timeout_seconds)

    def wait_ready(self, timeout_seconds: float = 60.0) -> None:
        """Wait until the started process is ready. Raises StartFailedError."""
        deadline = time.monotonic() + timeout_seconds
        while not self.ready():
            code = self.poll()
            if code is not None:
                raise StartFailedError(f"{self.name} ended with code {code}.\n{self.log_tail()}")
            if time.monotonic() > deadline:
                self.stop()
                raise StartFailedError(f"{self.name} was not ready in {timeout_seconds:.0f} s.\n{self.log_tail()}")
            time.sleep(POLL_SECONDS)

    def request_stop(self) -> None:
        """Ask the process to end; `stop` waits for it."""
        self._signal_group(self.stop_signal)

    def stop(self) -> None:
        """Ask the process to end, wait `grace_seconds`, then kill its whole group."""
        if self._process is None:
            return
        self.request_stop()
        try:
            self._process.wait(self.grace_seconds)
        except subprocess.TimeoutExpired:
            self._signal_group(signal.SIGKILL)
            self._process.wait()

    def kill(self) -> None:
        """``kill -9``, as a fault test does."""
        if self._process is not None:
            self._signal_group(signal.SIGKILL)
            self._process.wait()

    def log_tail(self, lines: int = 15) -> str:
        """The last lines of the log, for a message to a person."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def _signal_group(self, number: int) -> None:
        # Only while it is not yet reaped: afterwards the number may belong to somebody else.
        if self._process is not None and self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)


def end_stranger(
    pid: int, created_at: float, *, number: int = signal.SIGTERM, grace_seconds: float = 10.0
) -> bool:
    """End a process that an earlier, killed run left behind. Returns whether there was one.

    It is only touched when its creation time is the recorded one: process ids are used again.
    """
    try:
        process = psutil.Process(pid)
        if abs(process.create_time() - created_at) > CREATED_TOLERANCE_SECONDS:
            return False
        process.send_signal(number)
        try:
            process.wait(grace_seconds)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(grace_seconds)
    except psutil.NoSuchProcess:
        return False
    return True
