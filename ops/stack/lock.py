"""One ``guoyuan up`` a data directory."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FILE_NAME = "lock"


class AlreadyRunningError(Exception):
    """Another ``guoyuan up`` uses the data directory."""


@contextmanager
def held(directory: Path) -> Iterator[None]:
    """Hold the data directory's lock; the kernel gives it back however this process ends.

    Raises AlreadyRunningError.
    """
    path = directory / FILE_NAME
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "?"
            raise AlreadyRunningError(
                f"另一个 guoyuan up（进程 {holder}）正在使用 {directory}。 Another `guoyuan up` (process {holder})"
                f" uses {directory}. See `guoyuan status`, or choose another directory with GUOYUAN_DATA_DIR."
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)
