"""Pure rules of consents: who may record which, which scope a purpose takes, when one is in force."""

from collections.abc import Collection
from datetime import date
from typing import Protocol
from uuid import UUID

from services.catalogue.models import Category
from services.consents.models import ConsentMethod, ConsentPurpose
from services.core.actor import Role

HOUSEHOLD = frozenset({Role.RESIDENT, Role.FAMILY})

_EXPECTED = {
    ConsentPurpose.HOME_NURSING: "item_or_category",
    ConsentPurpose.VISIT_PHOTOS: "none",
    ConsentPurpose.FAMILY_FEED: "account",
    ConsentPurpose.DATA_SHARING: "recipient",
}


class HasTerm(Protocol):
    """What decides whether a consent is in force."""

    @property
    def ended_at(self) -> object: ...

    @property
    def valid_until(self) -> date | None: ...


def in_force(consent: HasTerm, day: date) -> bool:
    """Not ended, and not past its last day."""
    return consent.ended_at is None and (consent.valid_until is None or day <= consent.valid_until)


def may_record(role: Role, how: ConsentMethod) -> bool:
    """In the app for households; what was signed or said is recorded by the staff member who took it."""
    return (how is ConsentMethod.IN_APP) == (role in HOUSEHOLD)


def scope_problem(purpose: ConsentPurpose, scope: str, item_codes: Collection[str]) -> str | None:
    """What scope a purpose expects, when this is none of it; ``None`` when it is right."""
    expected = _EXPECTED[purpose]
    if expected == "none":
        right = not scope
    elif expected == "recipient":
        right = bool(scope.strip())
    elif expected == "account":
        right = _is_key(scope)
    else:
        right = not scope or scope in item_codes or scope in set(Category)
    return None if right else expected


def _is_key(scope: str) -> bool:
    try:
        return str(UUID(scope)) == scope
    except ValueError:
        return False
