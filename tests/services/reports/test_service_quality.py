"""Service-quality figures: every share can be counted again by hand."""

from collections.abc import AsyncIterator

import pytest

from services.core.actor import Role
from services.core.crypto import Vault
from services.core.settings import Settings
from services.quality.models import RatingCreate
from services.quality.service import rate
from services.reports.service_quality.models import QualityRow
from services.reports.service_quality.service import quality_figures
from tests.ordering import Ordering, open_ordering


@pytest.fixture
async def ordering(settings: Settings, vault: Vault) -> AsyncIterator[Ordering]:
    """A world of the test's own."""
    opened = await open_ordering(settings, vault)
    yield opened
    await opened.database.close()


def shares(row: QualityRow) -> dict[str, tuple[int, int]]:
    return {one.code: (one.numerator, one.denominator) for one in row.shares}


async def figures(ordering: Ordering, role: Role) -> list[QualityRow]:
    async with ordering.work(ordering.actor(role)) as work:
        return (await quality_figures(work, ordering.clock.now().date())).rows


async def test_a_month_with_three_orders(ordering: Ordering) -> None:
    rated = await ordering.completed("cleaning")
    async with ordering.work(ordering.resident) as work:
        await rate(work, rated.id, RatingCreate(score=4))
    await ordering.completed("meal_delivery")
    await ordering.place("cleaning")

    rows = await figures(ordering, Role.DISPATCHER)
    assert [row.category for row in rows] == [None, "meal", "cleaning"]
    whole = rows[0]
    assert (whole.orders, whole.ratings, whole.satisfaction) == (3, 1, 4.0)
    assert shares(whole) | {"on_time": None, "agreed": None} == {
        "assigned": (2, 3),
        "completed": (2, 3),
        "cancelled": (0, 3),
        "on_time": None,
        "agreed": None,
        "complained": (0, 2),
        "rated": (1, 2),
        "satisfied": (1, 1),
    }
    assert shares(rows[1])["satisfied"] == (0, 0)
    assert next(one for one in rows[1].shares if one.code == "satisfied").share is None


async def test_the_county_sees_every_centre_and_all_together(ordering: Ordering) -> None:
    await ordering.completed("cleaning")
    rows = await figures(ordering, Role.COUNTY_OFFICER)
    by_centre = {row.centre_id: row for row in rows if row.category is None}
    assert by_centre[ordering.world.here.centre.id].orders == 1
    assert by_centre[None].orders == 1
    assert ordering.world.abroad.centre.id not in by_centre
