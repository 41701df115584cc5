"""An alert's events reach the screens of its own centre and of every centre that helps at that moment."""

from services.alerts import queries
from services.core.database import Work
from services.events import (
    AlertClassified,
    AlertEscalated,
    AlertHandoverMoved,
    AlertMoved,
    AlertRepeated,
    AlertTakenBack,
    AlertUnattended,
    EmergencyCalled,
)

AlertEvent = (
    AlertRepeated
    | AlertMoved
    | AlertEscalated
    | AlertTakenBack
    | AlertClassified
    | AlertUnattended
    | AlertHandoverMoved
    | EmergencyCalled
)
"""Every event of an alert that stands already; nobody can help yet with one that is just being opened."""


async def announce(work: Work, event: AlertEvent) -> None:
    """Record one event for all who are concerned: one row, so what follows from it happens once.

    Aid is granted and ended under the alert's lock, which whoever changes the alert holds: no event falls between.
    """
    work.record(event, also=await queries.helping(work, event.alert_id))
