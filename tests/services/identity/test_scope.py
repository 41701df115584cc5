"""How far an account sees."""

from uuid import UUID, uuid4

import pytest

from services.core.actor import Actor, Role
from services.identity.scope import actor_of, common_area

ANNE, BEA = UUID(int=1), UUID(int=2)


@pytest.mark.parametrize(
    ("codes", "area"),
    [
        ([], ""),
        (["430121107"], "430121107"),
        (["430121107201"], "430121107"),
        (["430121107201", "430121107202"], "430121107"),
        (["430121107201", "430121111"], "430121"),
        (["430121107", "430122107"], "4301"),
        (["430121107", "431121107"], "43"),
        (["430121107", "110101001"], ""),
        (["430121", "430121107"], "430121"),
    ],
)
def test_common_area(codes: list[str], area: str) -> None:
    assert common_area(codes) == area


def actor(role: Role, residents: list[tuple[UUID, str]], area_code: str = "430121107") -> Actor:
    """An actor of a role with its residents."""
    return actor_of(
        account_id=uuid4(),
        person_id=None,
        role=role,
        area_code=area_code,
        centre_id=None,
        session_id=uuid4(),
        display_name="x",
        residents=residents,
    )


def test_a_family_in_two_towns_reaches_both_residents_and_nobody_else() -> None:
    made = actor(Role.FAMILY, [(ANNE, "430121107201"), (BEA, "430121111")])
    assert (made.area_code, made.resident_ids) == ("430121", frozenset({ANNE, BEA}))


def test_a_resident_who_moved_is_found_where_she_lives_now() -> None:
    assert actor(Role.RESIDENT, [(ANNE, "430121111202")]).area_code == "430121111"


@pytest.mark.parametrize("role", [Role.RESIDENT, Role.FAMILY])
def test_without_relationships_the_wall_is_empty_not_absent(role: Role) -> None:
    made = actor(role, [])
    assert made.resident_ids == frozenset()
    assert made.area_code == "430121107"


@pytest.mark.parametrize("role", [Role.DISPATCHER, Role.COUNTY_OFFICER, Role.CAREGIVER])
def test_staff_have_no_resident_wall(role: Role) -> None:
    made = actor(role, [])
    assert made.resident_ids is None
    assert made.area_code == "430121107"
