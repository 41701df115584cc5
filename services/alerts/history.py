"""The alert's log: what was done about it besides its status."""

from typing import Any
from uuid import UUID

from services.alerts.models import AlertLog
from services.core.database import Work


def write_log(work: Work, alert_id: UUID, area_code: str, what: str, **detail: Any) -> None:
    """Add a line to the alert's log, in the name of who acts."""
    work.session.add(
        AlertLog(
            alert_id=alert_id,
            area_code=area_code,
            at=work.now,
            what=what,
            detail=detail,
            account_id=work.actor.account_id,
        )
    )
