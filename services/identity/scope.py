"""How far an account may see. Pure."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from services.core.actor import Actor, Role

_LEVELS = (12, 9, 6, 4, 2)

HOUSEHOLD_ROLES = frozenset({Role.RESIDENT, Role.FAMILY})
"""Who sees certain residents only, and signs in with a one-time code."""


def common_area(codes: Iterable[str]) -> str:
    """The narrowest area that contains all the given ones, a town at the narrowest; empty for none.

    A household never needs a village's wall: its care-relationship wall is narrower already, and the
    centre it orders from stands at the town.
    """
    towns = {code[:9] for code in codes}
    if not towns:
        return ""
    first, last = min(towns), max(towns)
    shared = 0
    while shared < min(len(first), len(last)) and first[shared] == last[shared]:
        shared += 1
    return next((first[:level] for level in _LEVELS if level <= shared), "")


def actor_of(
    *,
    account_id: UUID,
    person_id: UUID | None,
    role: Role,
    area_code: str,
    centre_id: UUID | None,
    session_id: UUID,
    display_name: str,
    residents: Sequence[tuple[UUID, str]],
) -> Actor:
    """The actor behind an account. ``residents`` are (id, area) of those it may act for at present.

    A family member whose last relationship has ended sees nobody: an empty wall, not an absent one.
    """
    wall: frozenset[UUID] | None = None
    if role in HOUSEHOLD_ROLES:
        wall = frozenset(resident_id for resident_id, _ in residents)
        area_code = common_area(code for _, code in residents) or area_code
    return Actor(
        account_id=account_id,
        person_id=person_id,
        role=role,
        area_code=area_code,
        resident_ids=wall,
        centre_id=centre_id,
        session_id=session_id,
        display_name=display_name,
    )
