"""A caregiver presses her own alarm: the same way as any other, at the highest severity, never held back."""

from typing import Any, Final
from uuid import UUID

from services.alerts.models import Alert, AlertKind
from services.alerts.panic import repository
from services.alerts.panic.models import CaregiverPanic, PanicCaller
from services.alerts.raising import PANIC_PREFIX, AlarmFacts, RaisedAlarm, raise_alarm
from services.alerts.states import AlertStatus
from services.core.crypto import Vault
from services.core.database import Work
from services.terminals.repository import Bound

_HAND: Final = 0


async def press(work: Work, panic: CaregiverPanic) -> tuple[CaregiverPanic, AlertStatus, bool]:
    """Store a press and raise its alarm; gives the press, how its alert stands, and whether it had come before.

    The same ``client_id`` is one press. Another one while the alert is live is an occurrence of it, which pages
    again: she presses once more because nobody has come.
    """
    if not await repository.add_press(work, panic):
        stored = await repository.press_of(work, panic.caregiver_id, panic.client_id)
        return stored, await repository.status_of(work, stored), True
    raised = await _raise(work, panic)
    await repository.set_alert(work, panic.id, raised.alert_id)
    panic.alert_id = raised.alert_id
    return panic, raised.status, False


async def _raise(work: Work, panic: CaregiverPanic) -> RaisedAlarm:
    """The caregiver stands where a terminal stands otherwise; the alert has neither resident nor terminal."""
    source = Bound(
        terminal_id=panic.caregiver_id,
        resident_id=None,
        centre_id=panic.centre_id,
        area_code=panic.area_code,
        version=_HAND,
        by_hand=True,
    )
    detail: dict[str, Any] = {"visit_id": None if panic.visit_id is None else str(panic.visit_id)}
    if panic.latitude is not None:
        detail |= {
            "latitude": panic.latitude,
            "longitude": panic.longitude,
            "accuracy_m": panic.accuracy_m,
        }
    return await raise_alarm(
        work,
        AlarmFacts(
            bound=source,
            alarm_id=f"{PANIC_PREFIX}{panic.client_id}",
            kind=AlertKind.CAREGIVER_PANIC,
            pressed_at=panic.pressed_at,
            received_at=panic.received_at,
            detail=detail,
        ),
    )


async def caller_of(work: Work, vault: Vault, alert: Alert) -> PanicCaller | None:
    """Who calls, her number, her last position and where she was to be; ``None`` for any other alert."""
    if alert.kind is not AlertKind.CAREGIVER_PANIC:
        return None
    presses = await repository.presses_of(work, alert.id)
    if not presses:
        return None
    newest = presses[-1]
    # An old press that comes late from a dead spot must not take the place of where she is now.
    placed = [one for one in presses if one.latitude is not None]
    last = max(placed, key=lambda one: one.pressed_at) if placed else None
    sealed, purpose = newest.phone_encrypted, newest.phone_purpose
    return PanicCaller(
        caregiver_id=newest.caregiver_id,
        name=newest.name,
        phone=vault.decrypt(sealed, purpose) if sealed and purpose else None,
        presses=len(presses),
        latitude=None if last is None else last.latitude,
        longitude=None if last is None else last.longitude,
        accuracy_m=None if last is None else last.accuracy_m,
        position_at=None if last is None else last.pressed_at,
        visit_id=newest.visit_id,
        visit_address=newest.visit_address,
        visit_latitude=newest.visit_latitude,
        visit_longitude=newest.visit_longitude,
    )


async def live_alert_of(work: Work, caregiver_id: UUID) -> tuple[CaregiverPanic, Alert] | None:
    """Her newest press and its alert, live or not."""
    return await repository.newest_of(work, caregiver_id)
