"""What tests of alerts share: a checklist that is filled in, and a policy that is for no alert."""

from datetime import time

from services.alerts.escalation import load_defaults
from services.alerts.policy_models import EscalationPolicy
from services.centres.models import Centre
from services.core.database import Work
from services.core.ids import new_id

CHECKLIST = {
    "spoke_with_resident": "yes",
    "condition": "well",
    "contacts_told": "yes",
    "terminal_ready": "yes",
}
"""Of a call for help; other kinds ask more."""


def idle_policy(work: Work, centre: Centre) -> EscalationPolicy:
    """A centre's policy for one minute a week: it is there to be read, and no alert gets it."""
    return EscalationPolicy(
        policy_id=new_id(),
        centre_id=centre.id,
        area_code=centre.area_code,
        name="测试策略",
        min_severity=4,
        weekdays=[1],
        from_time=time(3),
        until_time=time(3, 1),
        document=load_defaults()[0][2].model_dump(mode="json"),
        saved_at=work.now,
    )
