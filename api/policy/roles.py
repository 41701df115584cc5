"""Sets of roles that the policy names again and again."""

from typing import Final

from services.core.actor import Role

Rows = dict[str, frozenset[Role]]
"""Operation → who may knock."""

EVERYBODY: Final = frozenset(
    {
        Role.RESIDENT,
        Role.FAMILY,
        Role.CAREGIVER,
        Role.DISPATCHER,
        Role.CENTRE_MANAGER,
        Role.CLINICIAN,
        Role.COUNTY_OFFICER,
        Role.AUDITOR,
    }
)
HOUSEHOLD: Final = frozenset({Role.RESIDENT, Role.FAMILY})
DESK: Final = frozenset({Role.DISPATCHER, Role.CENTRE_MANAGER})
WATCH: Final = DESK | {Role.COUNTY_OFFICER}
STORES: Final = frozenset({Role.CENTRE_MANAGER, Role.COUNTY_OFFICER})
