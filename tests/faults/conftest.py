"""Directories for platforms of their own."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def fault_directory() -> Iterator[Path]:
    """A directory whose path other users may enter: PostgreSQL does not run as root."""
    directory = Path(tempfile.mkdtemp(prefix="guoyuan-faults-"))
    yield directory
    shutil.rmtree(directory, ignore_errors=True)
