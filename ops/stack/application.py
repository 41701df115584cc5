"""The platform's own processes (`guoyuan api`, `ingest`, `worker`, …) as parts of the stack."""

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ops.stack.process import Part
from ops.stack.runtime import child_environment
from services.core.settings import Settings


def guoyuan(*arguments: str) -> list[str]:
    """The command line of ``guoyuan …`` in this very Python environment."""
    return [sys.executable, "-m", "ops.cli", *arguments]


class Application(Part):
    """``guoyuan <arguments>`` with the stack's settings in its environment."""

    def __init__(
        self,
        name: str,
        log: Path,
        arguments: Sequence[str],
        settings: Settings,
        is_ready: Callable[[], bool] | None = None,
    ) -> None:
        super().__init__(name, log)
        self._arguments = tuple(arguments)
        self._settings = settings
        self._is_ready = is_ready

    def argv(self) -> list[str]:
        """The command."""
        return guoyuan(*self._arguments)

    def environment(self) -> Mapping[str, str]:
        """Ours, with every setting spelled out: a ``.env`` file cannot change a child behind our back."""
        return child_environment(self._settings)

    def ready(self) -> bool:
        """As the caller said; without a check, at once."""
        return self._is_ready is None or self._is_ready()


def run_once(
    arguments: Sequence[str], settings: Settings, timeout_seconds: float
) -> subprocess.CompletedProcess[str]:
    """Run ``guoyuan <arguments>`` to its end and return what it said."""
    return subprocess.run(
        guoyuan(*arguments),
        env=child_environment(settings),
        capture_output=True,
        text=True,
        timeout=timeout_seconds,
        check=False,
    )
