"""Writing down who did what to a caregiver's file."""

from collections.abc import Sequence
from uuid import UUID

from services.caregivers.models import Caregiver, CaregiverLog
from services.core.database import Work


def note(
    work: Work,
    caregiver: Caregiver,
    act: str,
    fields: Sequence[str] = (),
    reason: str = "",
    subject_id: UUID | None = None,
) -> None:
    """One line in the file's log: names of fields, never values. ``subject_id`` is what was acted on."""
    work.session.add(
        CaregiverLog(
            caregiver_id=caregiver.id,
            area_code=caregiver.area_code,
            act=act,
            subject_id=subject_id,
            fields=list(fields),
            reason=reason,
            account_id=work.actor.account_id,
            role=str(work.actor.role),
            actor_name=work.actor.display_name,
            at=work.now,
        )
    )
