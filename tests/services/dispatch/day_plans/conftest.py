"""A centre with a day to plan."""

import pytest

from tests.ordering import Ordering
from tests.township import Township


@pytest.fixture
async def town(ordering: Ordering) -> Township:
    """Tomorrow morning, with caregivers and homes apart."""
    return await Township.build(ordering)
