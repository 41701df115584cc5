"""Area codes and what an actor covers."""

from uuid import UUID

import pytest

from services.core.actor import SYSTEM, Actor, Role
from services.core.areas import AreaLevel, county_of, level_of, town_of

ANNE, BEA = UUID(int=1), UUID(int=2)


@pytest.mark.parametrize(
    ("code", "level"),
    [
        ("43", AreaLevel.PROVINCE),
        ("4301", AreaLevel.CITY),
        ("430121", AreaLevel.COUNTY),
        ("430121107", AreaLevel.TOWN),
        ("430121107201", AreaLevel.VILLAGE),
    ],
)
def test_level_by_length(code: str, level: AreaLevel) -> None:
    assert level_of(code) is level


@pytest.mark.parametrize("code", ["", "4", "43012", "43012110", "4301211072010", "43012x", "430121 07", "-30121"])
def test_other_codes_are_refused(code: str) -> None:
    with pytest.raises(ValueError, match="area code"):
        level_of(code)


def test_town_and_county_of() -> None:
    assert town_of("430121107201") == town_of("430121107") == "430121107"
    assert county_of("430121107201") == county_of("430121") == "430121"
    with pytest.raises(ValueError, match="town"):
        town_of("430121")
    with pytest.raises(ValueError, match="county"):
        county_of("4301")


@pytest.mark.parametrize(
    ("own", "asked", "covers"),
    [
        ("430121", "430121107201", True),
        ("430121107", "430121107", True),
        ("430121107", "430121111", False),
        ("430121107", "430121", False),
        ("", "430121107", False),
    ],
)
def test_an_actor_covers_its_area_and_below(own: str, asked: str, covers: bool) -> None:
    actor = Actor(account_id=None, person_id=None, role=Role.DISPATCHER, area_code=own)
    assert actor.covers_area(asked) is covers


def test_the_system_covers_everything() -> None:
    assert SYSTEM.covers_area("430121107")
    assert SYSTEM.covers_resident(ANNE)


def test_the_resident_wall() -> None:
    def actor(wall: frozenset[UUID] | None) -> Actor:
        return Actor(None, None, Role.FAMILY, "430121107", resident_ids=wall)

    assert actor(frozenset({ANNE})).covers_resident(ANNE)
    assert not actor(frozenset({ANNE})).covers_resident(BEA)
    assert not actor(frozenset()).covers_resident(ANNE)
    assert actor(None).covers_resident(ANNE)
