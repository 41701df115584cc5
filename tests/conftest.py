"""The tests' own stack: real PostgreSQL, Redis and MQTT broker on free ports, in a temporary directory."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ops.migrate import migrate
from ops.stack.embedded import EmbeddedStack
from ops.stack.ports import free_port as any_free_port
from services.core.settings import Settings

# A developer's shell may point at a real database: no test may ever see it.
for _name in [name for name in os.environ if name.startswith("GUOYUAN_")]:
    del os.environ[_name]


@pytest.fixture(scope="session")
def stack_directory() -> Iterator[Path]:
    """A directory that lives as long as the test session."""
    directory = Path(tempfile.mkdtemp(prefix="guoyuan-test-"))
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def stack(stack_directory: Path) -> Iterator[EmbeddedStack]:
    """The servers, running, with a migrated database. Started when the first test asks."""
    with EmbeddedStack(stack_directory, durable=False) as running:
        migrate(running.postgres.url)
        yield running


@pytest.fixture(scope="session")
def settings(stack: EmbeddedStack) -> Settings:
    """The settings of every process on the tests' stack."""
    return stack.settings


@pytest.fixture
def free_port() -> Callable[[], int]:
    """Asks for a port that is free now."""
    return any_free_port
