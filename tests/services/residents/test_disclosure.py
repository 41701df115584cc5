"""Who sees what of a resident."""

import pytest

from services.core.actor import Role
from services.residents.disclosure import Engagement, disclosure_for

NONE, PLANNED, IN_CARE = Engagement.NONE, Engagement.PLANNED, Engagement.IN_CARE


@pytest.mark.parametrize(
    ("role", "family_consent", "engagement", "record", "personal", "health"),
    [
        (Role.RESIDENT, False, NONE, True, True, True),
        (Role.FAMILY, False, NONE, True, True, False),
        (Role.FAMILY, True, NONE, True, True, True),
        (Role.CLINICIAN, False, NONE, True, True, True),
        (Role.DISPATCHER, False, NONE, True, True, True),
        (Role.CENTRE_MANAGER, False, NONE, True, True, True),
        (Role.COUNTY_OFFICER, False, NONE, True, False, False),
        (Role.AUDITOR, False, NONE, True, False, False),
        (Role.CAREGIVER, False, NONE, False, False, False),
        (Role.CAREGIVER, False, PLANNED, True, False, False),
        (Role.CAREGIVER, False, IN_CARE, True, True, True),
        (Role.TERMINAL, False, NONE, False, False, False),
    ],
)
def test_disclosure(
    role: Role, family_consent: bool, engagement: Engagement, record: bool, personal: bool, health: bool
) -> None:
    shown = disclosure_for(role, family_may_see_health=family_consent, engagement=engagement)
    assert (shown.record, shown.personal, shown.health) == (record, personal, health)
    assert ("conditions" in shown.fields()) is health
    assert ("phone_masked" in shown.fields()) is personal
