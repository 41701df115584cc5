"""SQL of caregivers' own alarms."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select, update

from services.alerts.models import Alert
from services.alerts.panic.models import CaregiverPanic
from services.alerts.states import AlertStatus
from services.core.database import Work


async def add_press(work: Work, panic: CaregiverPanic) -> bool:
    """Store a press; ``False`` when it stands already. A second one at the same moment waits for the first."""
    statement = (
        insert(CaregiverPanic)
        .values(**panic.model_dump())
        .on_conflict_do_nothing(constraint="caregiver_panic_once")
        .returning(col(CaregiverPanic.id))
    )
    return (await work.sql(statement)).one_or_none() is not None


async def set_alert(work: Work, panic_id: UUID, alert_id: UUID) -> None:
    """Which alert a press has become."""
    await work.sql(update(CaregiverPanic).where(col(CaregiverPanic.id) == panic_id).values(alert_id=alert_id))


async def press_of(work: Work, caregiver_id: UUID, client_id: UUID) -> CaregiverPanic:
    """A press that is known to stand."""
    statement = select(CaregiverPanic).where(
        CaregiverPanic.caregiver_id == caregiver_id, CaregiverPanic.client_id == client_id
    )
    return (await work.session.exec(statement)).one()


async def status_of(work: Work, panic: CaregiverPanic) -> AlertStatus:
    """How the alert of a press stands now."""
    found = (await work.session.exec(select(Alert).where(Alert.id == panic.alert_id))).one()
    return found.status


async def presses_of(work: Work, alert_id: UUID) -> Sequence[CaregiverPanic]:
    """Every press of an alert, in the order in which we heard of them."""
    statement = select(CaregiverPanic).where(CaregiverPanic.alert_id == alert_id).order_by(col(CaregiverPanic.id))
    return (await work.session.exec(statement)).all()


async def newest_of(work: Work, caregiver_id: UUID) -> tuple[CaregiverPanic, Alert] | None:
    """A caregiver's newest press with its alert."""
    statement: Any = (
        select(CaregiverPanic, Alert)
        .join(Alert, col(Alert.id) == col(CaregiverPanic.alert_id))
        .where(CaregiverPanic.caregiver_id == caregiver_id)
        .order_by(col(CaregiverPanic.id).desc())
        .limit(1)
    )
    row = (await work.session.exec(statement)).first()
    return None if row is None else (row[0], row[1])
