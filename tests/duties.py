"""A rota with a replacement and a swap, and a notification, for a case of the tests' world.

The rota is the clinicians': whoever tests the alarm chain finds no rota for its roles, and pages everybody.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID, uuid4

from services.core.actor import Role
from services.core.clock import business_day
from services.core.database import Work
from services.duty.models import DutyOverride, DutyRota, DutySwap, Pattern, ShiftPattern
from services.duty.states import SwapStatus
from services.notifications.models import Channel, Notification
from services.notifications.states import NotificationStatus
from tests.people import Place


@dataclass(frozen=True, slots=True)
class DutyKeys:
    """Their ids."""

    rota_id: UUID
    override_id: UUID
    swap_id: UUID
    notification_id: UUID


def all_day(*turns: list[UUID]) -> list[ShiftPattern]:
    """One shift from eight to eight, every day."""
    return [ShiftPattern(name="班", weekdays=[1, 2, 3, 4, 5, 6, 7], starts="08:00", ends="08:00", turns=[*turns])]


async def add_duty(work: Work, place: Place, alert_id: UUID) -> DutyKeys:
    """Insert them; the notification is to the dispatcher."""
    doctor, dispatcher = place.staff[Role.CLINICIAN].id, place.staff[Role.DISPATCHER].id
    rota = DutyRota(
        centre_id=place.centre.id,
        area_code=place.town,
        role=Role.CLINICIAN,
        name="测试值班",
        pattern=Pattern(shifts=all_day([doctor])).model_dump(mode="json"),
        valid_from=date.fromisoformat(business_day(work.now)),
        created_at=work.now,
    )
    work.session.add(rota)
    await work.session.flush()
    stretch = {"starts_at": work.now + timedelta(days=1), "ends_at": work.now + timedelta(days=2)}
    override = DutyOverride(
        rota_id=rota.id,
        area_code=place.town,
        absent_account_id=doctor,
        reason="测试",
        created_at=work.now,
        **stretch,
    )
    swap = DutySwap(
        rota_id=rota.id,
        area_code=place.town,
        from_account_id=doctor,
        to_account_id=place.staff[Role.TERMINAL].id,
        reason="测试",
        status=SwapStatus.REQUESTED,
        created_at=work.now,
        **stretch,
    )
    notification = Notification(
        key=f"case:{uuid4()}",
        account_id=dispatcher,
        template="alert_page",
        parameters={"kind": "sos"},
        area_code=place.households[0].resident.area_code,
        centre_id=place.centre.id,
        alert_id=alert_id,
        is_life_safety=True,
        channels=[str(Channel.APP)],
        status=NotificationStatus.SENT,
        created_at=work.now,
    )
    work.session.add_all((override, swap, notification))
    return DutyKeys(rota.id, override.id, swap.id, notification.id)
