"""What a reader gets to see of a resident. Pure.

Basis: PIPL art 6 and 28 (necessity), 51 (role limits). Health is for those who care or answer an alarm; the
county office and the auditor supervise and need none of it.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from services.core.actor import SUPERVISING_ROLES, Role

CARE_MARGIN = timedelta(hours=24)
"""A caregiver sees health data from a day before a visit until a day after it."""

_HEALTH_ROLES = frozenset({Role.CLINICIAN, Role.DISPATCHER, Role.CENTRE_MANAGER, Role.RESIDENT})


class Engagement(Enum):
    """How a caregiver stands to a resident at present."""

    NONE = 0
    PLANNED = 1  # an offer to answer or a visit further ahead: whom and where, nothing of health
    IN_CARE = 2  # a visit within the margin


@dataclass(frozen=True, slots=True)
class Disclosure:
    """What may be shown."""

    record: bool
    personal: bool
    health: bool

    def fields(self) -> list[str]:
        """Names for the access log."""
        shown = ["name", "gender", "age", "address"]
        if self.personal:
            shown += ["birth_date", "phone_masked", "id_number_masked", "location", "categories"]
        if self.health:
            shown += ["conditions", "allergies", "medicines"]
        return shown


def disclosure_for(role: Role, *, family_may_see_health: bool, engagement: Engagement) -> Disclosure:
    """What a role sees of a resident who is already within its area and care-relationship walls."""
    if role is Role.CAREGIVER:
        return Disclosure(
            record=engagement is not Engagement.NONE,
            personal=engagement is Engagement.IN_CARE,
            health=engagement is Engagement.IN_CARE,
        )
    if role is Role.FAMILY:
        return Disclosure(record=True, personal=True, health=family_may_see_health)
    return Disclosure(
        record=role in _HEALTH_ROLES | SUPERVISING_ROLES,
        personal=role in _HEALTH_ROLES,
        health=role in _HEALTH_ROLES,
    )
