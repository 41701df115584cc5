"""A centre at work."""

from collections.abc import AsyncIterator

import pytest

from services.core.crypto import Vault
from services.core.settings import Settings
from tests.ordering import Ordering, open_ordering


@pytest.fixture
async def ordering(settings: Settings, vault: Vault) -> AsyncIterator[Ordering]:
    """A world of the test's own."""
    opened = await open_ordering(settings, vault)
    yield opened
    await opened.database.close()
