"""Where the running stack is: ``<data_dir>/runtime.json`` (mode 0600), written by ``guoyuan up``.

Every command reads its settings through `load_settings`: the environment first, then the running stack.
"""

import json
import os
import signal
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil
from pydantic import SecretStr, ValidationError
from pydantic_core import ErrorDetails

from ops.stack.process import CREATED_TOLERANCE_SECONDS
from ops.stack.secrets import write_private
from services.core.settings import Settings

FILE_NAME = "runtime.json"
PROJECT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class ProcessRecord:
    """One process as `guoyuan status` shows it. `created_at` is the kernel's start time, which identifies it."""

    name: str
    pid: int
    created_at: float
    restarts: int
    log: str
    stop_signal: int = signal.SIGTERM
    state: str = "running"


@dataclass(frozen=True, slots=True)
class Runtime:
    """A stack that runs, or ran until it was killed."""

    pid: int
    created_at: float
    environment: dict[str, str]
    processes: list[ProcessRecord] = field(default_factory=list)

    @property
    def alive(self) -> bool:
        """Whether the process that wrote it still runs."""
        return same_process(self.pid, self.created_at)


def same_process(pid: int, created_at: float) -> bool:
    """Whether this very process runs; a later one with the same id does not count."""
    try:
        process = psutil.Process(pid)
        return (
            abs(process.create_time() - created_at) <= CREATED_TOLERANCE_SECONDS
            and process.status() != psutil.STATUS_ZOMBIE
        )
    except psutil.NoSuchProcess:
        return False


def write(directory: Path, runtime: Runtime) -> None:
    """Store it for the other commands."""
    write_private(directory / FILE_NAME, json.dumps(asdict(runtime), indent=2))


def read(directory: Path) -> Runtime | None:
    """What was stored; None without a file or with one that cannot be read."""
    try:
        stored = json.loads((directory / FILE_NAME).read_text())
        processes = [ProcessRecord(**record) for record in stored.pop("processes")]
        return Runtime(**stored, processes=processes)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def clear(directory: Path) -> None:
    """Forget it, after everything has stopped."""
    (directory / FILE_NAME).unlink(missing_ok=True)


def own_created_at() -> float:
    """The start time of this process."""
    return psutil.Process(os.getpid()).create_time()


def environment_of(settings: Settings) -> dict[str, str]:
    """The settings as the variables a child process reads them from."""
    values: dict[str, str] = {}
    for name in type(settings).model_fields:
        value: Any = getattr(settings, name)
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        if value is not None:
            values[f"GUOYUAN_{name.upper()}"] = str(value).lower() if isinstance(value, bool) else str(value)
    return values


def child_environment(settings: Settings, base: Mapping[str, str] | None = None) -> dict[str, str]:
    """The whole environment for a process of the application."""
    inherited = os.environ if base is None else base
    return {**inherited, **environment_of(settings), "PYTHONUNBUFFERED": "1"}


def own_settings() -> Settings:
    """The settings of the environment and ``.env`` alone; ends the command with a message when they are wrong."""
    try:
        return Settings()
    except ValidationError as error:
        raise SystemExit("\n".join(_explain(problem) for problem in error.errors())) from None


def _explain(problem: ErrorDetails) -> str:
    place = "_".join(str(part) for part in problem["loc"]).upper()
    return f"GUOYUAN_{place}: {problem['msg']}" if place else problem["msg"]


def load_settings() -> Settings:
    """The settings of a command: environment (and ``.env``) first, then those of the running stack.

    The data directory is the one set, else ``.guoyuan`` here, else the one beside the source code. Settings
    that contradict each other end the command with a message.
    """
    given = own_settings()
    runtime = read(given.data_dir)
    if runtime is None and "data_dir" not in given.model_fields_set:
        runtime = read(PROJECT / given.data_dir)
    if runtime is None or not runtime.alive:
        return given
    known = {name.removeprefix("GUOYUAN_").lower(): value for name, value in runtime.environment.items()}
    chosen = {name: getattr(given, name) for name in given.model_fields_set}
    return Settings(**{**known, **chosen})
