"""A platform of its own for the tests that kill parts of it."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.faults.platform import LivingPlatform


@pytest.fixture(scope="module")
def fault_directory() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="guoyuan-faults-"))
    yield directory
    shutil.copytree(directory / "logs", "/tmp/faultlogs", dirs_exist_ok=True)  # DEBUG
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="module")
async def platform(fault_directory: Path) -> AsyncIterator[LivingPlatform]:
    """All processes, running."""
    async with LivingPlatform(fault_directory) as running:
        yield running
