"""Raising: an alarm becomes an alert, or an occurrence of the live one; and what the resident takes back."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from services.alerts import escalation, repository
from services.alerts.announcing import announce
from services.alerts.history import write_log
from services.alerts.models import Alert, AlertKind
from services.alerts.repository import Became
from services.alerts.resolutions import TAKEN_BACK
from services.alerts.severity import severity_of
from services.alerts.states import ALERT, AlertStatus, Severity
from services.core.database import Work
from services.core.ids import new_id
from services.core.outbox import outbox_row
from services.events import AlertMoved, AlertOpened, AlertRepeated, AlertTakenBack
from services.terminals.repository import Bound

BREACH_PREFIX: Final = "breach:"
"""Begins the alarm ids that a vital-sign rule makes: their terminal pressed nothing, and is told nothing."""

PANIC_PREFIX: Final = "panic:"
"""Begins the alarm ids of a caregiver's own button: there is no terminal to tell."""

NO_TERMINAL: Final = (BREACH_PREFIX, PANIC_PREFIX)
"""Presses that no terminal made."""

_DEFAULTS: Final = [
    (severity, msgspec.json.encode(document.model_dump(mode="json")).decode())
    for severity, _, document in escalation.load_defaults()
]


@dataclass(frozen=True, slots=True)
class AlarmFacts:
    """One press, fall or breach, whoever's it is. ``alarm_id`` is unique per terminal.

    ``severity`` is for who judges it (a vital-sign rule); without it the kind decides.
    """

    bound: Bound
    alarm_id: str
    kind: AlertKind
    pressed_at: datetime
    received_at: datetime
    detail: dict[str, Any] = field(default_factory=dict)
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class RaisedAlarm:
    """What the terminal is told: the alert, and how far it has come."""

    alert_id: UUID
    status: AlertStatus
    is_repeat: bool


async def raise_alarm(work: Work, alarm: AlarmFacts) -> RaisedAlarm:
    """Open an alert, or count the press on the live one; the same alarm twice has one effect.

    Nothing is filtered or delayed here, and nothing is looked up that could be missing or slow. The ladder stands
    in the same transaction, so there is no alert without one; it begins with the default policy, and the worker
    puts the centre's own in its place before the first page.
    """
    raised = await repository.raise_alert(work, _all_of_it(work, alarm))
    if raised.became in (Became.OPENED_IN_VAIN, Became.REPEATED_IN_VAIN):
        await repository.take_back(work, raised)
        return await raise_alarm(work, alarm)
    if raised.became is Became.REPEATED:
        await _show_again(work, alarm, raised)
    return RaisedAlarm(raised.alert_id, AlertStatus(raised.status), is_repeat=raised.became is Became.KNOWN)


async def note_cancel(work: Work, alarm: AlarmFacts, kind: AlertKind) -> None:
    """The resident took an alarm back on the terminal: it is written down and shown, and a person decides.

    A live alert stays as it is; only a human closes what may have been a fall. When there is none, the terminal
    held the alarm back for its window and never sent it: that is kept as an alert that was cancelled from the
    beginning, so that it can be looked at and counted. Should the alarm itself still come, it opens an alert.
    """
    if await repository.seen(work, alarm.bound.terminal_id, alarm.alarm_id) is not None:
        return
    subject = alarm.bound.resident_id or alarm.bound.terminal_id
    alert_id = await repository.live_alert(work, subject, kind)
    try:
        async with work.session.begin_nested():
            if alert_id is None:
                alert_id = await _cancelled_in_time(work, alarm, subject, kind)
            else:
                await _taken_back(work, alarm, alert_id, kind)
            if not await repository.add_occurrence(work, _cancelling(alarm, alert_id)):
                raise _StoredElsewhere
    except _StoredElsewhere:
        return


class _StoredElsewhere(Exception):
    """Another process was storing the same message at the same moment."""


def _cancelling(alarm: AlarmFacts, alert_id: UUID) -> dict[str, Any]:
    return {
        "id": new_id(),
        "alert_id": alert_id,
        "terminal_id": alarm.bound.terminal_id,
        "alarm_id": alarm.alarm_id,
        "area_code": alarm.bound.area_code,
        "pressed_at": alarm.pressed_at,
        "received_at": alarm.received_at,
        "detail": _json({"cancelled_by": "resident", **alarm.detail}),
    }


async def _taken_back(work: Work, alarm: AlarmFacts, alert_id: UUID, kind: AlertKind) -> None:
    await repository.take_alarm_back(work, alert_id, work.now)
    write_log(work, alert_id, alarm.bound.area_code, "cancelled_on_terminal", kind=kind.value)
    await announce(
        work,
        AlertTakenBack(
            area_code=alarm.bound.area_code,
            centre_id=alarm.bound.centre_id,
            alert_id=alert_id,
            kind=kind.value,
        ),
    )


async def _cancelled_in_time(work: Work, alarm: AlarmFacts, subject_id: UUID, kind: AlertKind) -> UUID:
    bound = alarm.bound
    alert = Alert(
        subject_id=subject_id,
        resident_id=bound.resident_id,
        terminal_id=bound.terminal_id,
        centre_id=bound.centre_id,
        area_code=bound.area_code,
        kind=kind,
        severity=int(severity_of(kind)),
        status=AlertStatus.CANCELLED,
        last_occurrence_at=alarm.received_at,
        pressed_at=alarm.pressed_at,
        received_at=alarm.received_at,
        taken_back_at=work.now,
        cancelled_at=work.now,
        resolution=TAKEN_BACK,
    )
    work.session.add(alert)
    await work.session.flush()
    ALERT.begin(work, alert)
    work.record(
        AlertMoved(
            area_code=alert.area_code,
            centre_id=alert.centre_id,
            alert_id=alert.id,
            terminal_id=alert.terminal_id,
            status=str(alert.status),
            account_id=None,
        )
    )
    return alert.id


def _all_of_it(work: Work, alarm: AlarmFacts) -> dict[str, Any]:
    """The press; the alert, should it open one; its ladder, the first line of its history and its event."""
    bound = alarm.bound
    event = AlertOpened(
        area_code=bound.area_code,
        centre_id=bound.centre_id,
        alert_id=new_id(),
        resident_id=bound.resident_id,
        terminal_id=None if bound.by_hand else bound.terminal_id,
        kind=alarm.kind.value,
        severity=int(severity_of(alarm.kind) if alarm.severity is None else alarm.severity),
        pressed_at=alarm.pressed_at,
        received_at=alarm.received_at,
    )
    announced = outbox_row(event, work.now)
    return {
        "alert_id": event.alert_id,
        "subject_id": bound.resident_id or bound.terminal_id,
        "resident_id": bound.resident_id,
        "terminal_id": event.terminal_id,
        "source_id": bound.terminal_id,
        "centre_id": bound.centre_id,
        "area_code": bound.area_code,
        "kind": event.kind,
        "severity": event.severity,
        "pressed_at": alarm.pressed_at,
        "received_at": alarm.received_at,
        "now": work.now,
        "press_id": new_id(),
        "alarm_id": alarm.alarm_id,
        "detail": _json(alarm.detail),
        "policy": next(text for severity, text in _DEFAULTS if event.severity >= severity),
        "change_id": new_id(),
        "entity": ALERT.entity,
        "role": str(work.actor.role),
        "event_id": announced.event_id,
        "event": announced.name,
        "payload": _json(announced.payload),
    }


def _json(value: dict[str, Any]) -> str:
    return msgspec.json.encode(value).decode()


async def _show_again(work: Work, alarm: AlarmFacts, raised: repository.Raised) -> None:
    """A press on a live alert is shown and sounded again, acknowledged or not; the worker pages for it."""
    write_log(work, raised.alert_id, alarm.bound.area_code, "pressed_again", count=raised.occurrences)
    await announce(
        work,
        AlertRepeated(
            area_code=alarm.bound.area_code,
            centre_id=alarm.bound.centre_id,
            alert_id=raised.alert_id,
            kind=alarm.kind.value,
            severity=raised.severity,
            occurrences=raised.occurrences,
        ),
    )
