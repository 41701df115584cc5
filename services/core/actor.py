"""Who acts, in what role, and how far the actor may see."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

WHOLE_COUNTRY = ""
"""The area prefix that covers everything; only system processes hold it."""


class Role(StrEnum):
    """The roles of the house. An account has exactly one."""

    RESIDENT = "resident"
    FAMILY = "family"
    CAREGIVER = "caregiver"
    DISPATCHER = "dispatcher"
    CENTRE_MANAGER = "centre_manager"
    CLINICIAN = "clinician"
    COUNTY_OFFICER = "county_officer"
    AUDITOR = "auditor"
    TERMINAL = "terminal"
    SYSTEM = "system"


STAFF_ROLES = frozenset(
    {
        Role.CAREGIVER,
        Role.DISPATCHER,
        Role.CENTRE_MANAGER,
        Role.CLINICIAN,
        Role.COUNTY_OFFICER,
        Role.AUDITOR,
    }
)
"""Who signs in with a password."""

SUPERVISING_ROLES = frozenset({Role.COUNTY_OFFICER, Role.AUDITOR})
"""Who looks at the work and needs nothing of anybody's health: notes and readings are not for them."""


@dataclass(frozen=True, slots=True)
class Actor:
    """One signed-in person (or the system) and the walls around what it may touch.

    ``area_code`` is a prefix of national division codes. ``resident_ids`` narrows further to certain
    residents (the resident, or those a family member acts for); ``None`` means no such wall.
    ``person_id`` is the resident, caregiver or staff row behind the account. ``aided_alerts`` lie outside the
    area: another centre's alerts that the actor's own centre was asked to help with, while that lasts; of
    ``aided_residents``, theirs, only the emergency card is open. ``aided_orders``: another centre's orders that
    the actor's own was asked to help with (or, for a caregiver, that she was asked to take);
    ``visited_residents``: whom a caregiver visits for another centre; ``lent_caregivers``: other centres' people
    who come to the actor's own.
    """

    account_id: UUID | None
    person_id: UUID | None
    role: Role
    area_code: str
    resident_ids: frozenset[UUID] | None = None
    centre_id: UUID | None = None
    session_id: UUID | None = None
    display_name: str = ""
    aided_alerts: frozenset[UUID] = frozenset()
    aided_residents: frozenset[UUID] = frozenset()
    aided_orders: frozenset[UUID] = frozenset()
    visited_residents: frozenset[UUID] = frozenset()
    lent_caregivers: frozenset[UUID] = frozenset()

    @property
    def is_system(self) -> bool:
        """Whether this is a process of the house and not a person."""
        return self.role is Role.SYSTEM

    def covers_area(self, area_code: str) -> bool:
        """Whether the area lies within the actor's own."""
        return area_code.startswith(self.area_code) and (self.is_system or self.area_code != "")

    def covers_resident(self, resident_id: UUID) -> bool:
        """Whether the care-relationship wall lets this resident through."""
        return self.resident_ids is None or resident_id in self.resident_ids


SYSTEM = Actor(account_id=None, person_id=None, role=Role.SYSTEM, area_code=WHOLE_COUNTRY, display_name="system")
