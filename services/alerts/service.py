"""The verbs of the alert desk: raise, acknowledge, respond, arrive, resolve, review, climb."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from services.alerts import escalation, repository
from services.alerts.errors import AlertTaken
from services.alerts.models import (
    Alert,
    AlertDetail,
    AlertKind,
    AlertLog,
    AlertPublic,
    Escalation,
    LogLine,
    OccurrencePublic,
)
from services.alerts.repository import Became
from services.alerts.severity import severity_of
from services.alerts.states import ALERT, AlertStatus
from services.audit.service import record_read
from services.core.database import Work
from services.core.errors import NotFound, VersionMismatch
from services.core.ids import new_id
from services.core.outbox import outbox_row
from services.events import AlertEscalated, AlertMoved, AlertOpened, AlertRepeated
from services.terminals.repository import Bound
from services.terminals.service import tell_terminal

BREACH_PREFIX = "breach:"
"""Begins the alarm ids that a vital-sign rule makes: their terminal pressed nothing, and is told nothing."""

_POLICY = escalation.load_policy()
_POLICY_JSON = msgspec.json.encode(_POLICY).decode()


@dataclass(frozen=True, slots=True)
class AlarmFacts:
    """One press, fall or breach, whoever's it is. ``alarm_id`` is unique per terminal."""

    bound: Bound
    alarm_id: str
    kind: AlertKind
    pressed_at: datetime
    received_at: datetime
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RaisedAlarm:
    """What the terminal is told: the alert, and how far it has come."""

    alert_id: UUID
    status: AlertStatus
    is_repeat: bool


async def raise_alarm(work: Work, alarm: AlarmFacts) -> RaisedAlarm:
    """Open an alert, or count the press on the live one; the same alarm twice has one effect.

    Nothing is filtered or delayed here. Escalation starts in the same transaction, so there is no alert
    without a ladder.
    """
    raised = await repository.raise_alert(work, _all_of_it(work, alarm))
    if raised.became in (Became.OPENED_IN_VAIN, Became.REPEATED_IN_VAIN):
        await repository.take_back(work, raised)
        return await raise_alarm(work, alarm)
    if raised.became is Became.REPEATED:
        _page_again(work, alarm, raised)
    return RaisedAlarm(raised.alert_id, AlertStatus(raised.status), is_repeat=raised.became is Became.KNOWN)


async def note_cancel(work: Work, alarm: AlarmFacts, kind: AlertKind) -> None:
    """The resident took an alarm back on the terminal: it is written down and shown, and a person decides.

    The alert stays open; only a human closes what may have been a fall.
    """
    if await repository.seen(work, alarm.bound.terminal_id, alarm.alarm_id) is not None:
        return
    alert_id = await repository.live_alert(work, alarm.bound.resident_id or alarm.bound.terminal_id, kind)
    if alert_id is None:
        return
    values = {
        "id": new_id(),
        "alert_id": alert_id,
        "terminal_id": alarm.bound.terminal_id,
        "alarm_id": alarm.alarm_id,
        "area_code": alarm.bound.area_code,
        "pressed_at": alarm.pressed_at,
        "received_at": alarm.received_at,
        "detail": _json({"cancelled_by": "resident", **alarm.detail}),
    }
    await repository.add_occurrence(work, values)
    write_log(work, alert_id, alarm.bound.area_code, "cancelled_on_terminal", kind=kind.value)


def _all_of_it(work: Work, alarm: AlarmFacts) -> dict[str, Any]:
    """The press; the alert, should it open one; its ladder, the first line of its history and its event."""
    bound = alarm.bound
    event = AlertOpened(
        area_code=bound.area_code,
        centre_id=bound.centre_id,
        alert_id=new_id(),
        resident_id=bound.resident_id,
        terminal_id=bound.terminal_id,
        kind=alarm.kind.value,
        severity=int(severity_of(alarm.kind)),
        pressed_at=alarm.pressed_at,
        received_at=alarm.received_at,
    )
    announced = outbox_row(event, work.now)
    return {
        "alert_id": event.alert_id,
        "subject_id": bound.resident_id or bound.terminal_id,
        "resident_id": bound.resident_id,
        "terminal_id": bound.terminal_id,
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
        "policy": _POLICY_JSON,
        "climbs_at": escalation.first_climb_at(_POLICY, work.now),
        "change_id": new_id(),
        "entity": ALERT.entity,
        "role": str(work.actor.role),
        "event_id": announced.event_id,
        "event": announced.name,
        "payload": _json(announced.payload),
    }


def _json(value: dict[str, Any]) -> str:
    return msgspec.json.encode(value).decode()


def _page_again(work: Work, alarm: AlarmFacts, raised: repository.Raised) -> None:
    """A press on a live alert is shown and sounded again, acknowledged or not. The ladder keeps its pace."""
    write_log(work, raised.alert_id, alarm.bound.area_code, "pressed_again", count=raised.occurrences)
    work.record(
        AlertRepeated(
            area_code=alarm.bound.area_code,
            centre_id=alarm.bound.centre_id,
            alert_id=raised.alert_id,
            kind=alarm.kind.value,
            severity=raised.severity,
            occurrences=raised.occurrences,
        )
    )


def write_log(work: Work, alert_id: UUID, area_code: str, what: str, **detail: Any) -> None:
    """Add a line to the alert's log."""
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


async def _locked(work: Work, alert_id: UUID, if_match: int | None) -> Alert:
    alert = await repository.lock_alert(work, alert_id)
    if alert is None:
        raise NotFound
    if if_match is not None and if_match != alert.version:
        raise VersionMismatch(current=alert.version)
    return alert


async def _moved(work: Work, alert: Alert, target: AlertStatus, reason: str | None, told: str | None) -> Alert:
    """Change the status, reset the ladder's next look to the lease, tell the centre and the terminal."""
    ALERT.move(work, alert, target, reason)
    ladder = await repository.ladder(work, alert.id)
    if ladder is not None:
        lease = escalation.lease(ladder.policy, target.value)
        ladder.next_at = None if lease is None else work.now + lease
        alert.lease_until = ladder.next_at
    work.record(
        AlertMoved(
            area_code=alert.area_code,
            centre_id=alert.centre_id,
            alert_id=alert.id,
            terminal_id=alert.terminal_id,
            status=target.value,
            account_id=work.actor.account_id,
        )
    )
    if told is not None:
        await _tell(work, alert, told)
    return alert


async def _tell(work: Work, alert: Alert, state: str) -> None:
    """The latest press of every terminal in the alert is told how far it has come."""
    presses = await repository.occurrences(work, alert.id)
    latest = {p.terminal_id: p.alarm_id for p in presses if not p.alarm_id.startswith(BREACH_PREFIX)}
    for terminal_id, alarm_id in latest.items():
        payload = {
            "type": "alarm",
            "id": alarm_id,
            "state": state,
            "alert_id": str(alert.id),
            "at": work.now.isoformat(),
        }
        tell_terminal(work, terminal_id, alert.area_code, payload)


async def acknowledge(work: Work, alert_id: UUID, if_match: int | None = None) -> Alert:
    """Take an alert: the taker is its responder until the lease ends. ``AlertTaken`` when somebody has it."""
    alert = await _locked(work, alert_id, if_match)
    if alert.status is not AlertStatus.OPEN:
        if alert.responder_account_id == work.actor.account_id and alert.status is AlertStatus.ACKNOWLEDGED:
            return alert
        raise AlertTaken(status=str(alert.status))
    alert.acknowledged_at = alert.acknowledged_at or work.now
    alert.responder_account_id = work.actor.account_id
    return await _moved(work, alert, AlertStatus.ACKNOWLEDGED, None, "acknowledged")


async def respond(work: Work, alert_id: UUID, note: str, if_match: int | None = None) -> Alert:
    """Somebody is on the way; the terminal is told so."""
    alert = await _locked(work, alert_id, if_match)
    alert.acknowledged_at = alert.acknowledged_at or work.now
    alert.responding_at = alert.responding_at or work.now
    alert.responder_account_id = work.actor.account_id
    return await _moved(work, alert, AlertStatus.RESPONDING, note, "on_the_way")


async def arrive(work: Work, alert_id: UUID, if_match: int | None = None) -> Alert:
    """Somebody is with the resident."""
    alert = await _locked(work, alert_id, if_match)
    alert.acknowledged_at = alert.acknowledged_at or work.now
    alert.on_scene_at = work.now
    return await _moved(work, alert, AlertStatus.ON_SCENE, None, None)


async def resolve(work: Work, alert_id: UUID, resolution: str, note: str, if_match: int | None = None) -> Alert:
    """Close with a reason code; the ladder ends."""
    alert = await _locked(work, alert_id, if_match)
    alert.acknowledged_at = alert.acknowledged_at or work.now
    alert.classified_at = alert.classified_at or work.now
    alert.resolved_at = work.now
    alert.resolution, alert.note = resolution, note
    return await _moved(work, alert, AlertStatus.RESOLVED, resolution, "resolved")


async def review(work: Work, alert_id: UUID, note: str, if_match: int | None = None) -> Alert:
    """A manager has looked at how it went."""
    alert = await _locked(work, alert_id, if_match)
    write_log(work, alert.id, alert.area_code, "reviewed", note=note)
    return await _moved(work, alert, AlertStatus.REVIEWED, None, None)


async def read_alert(work: Work, alert_id: UUID) -> Alert:
    """One alert in the actor's scope; ``NotFound`` otherwise."""
    alert = await repository.find_alert(work, alert_id)
    if alert is None:
        raise NotFound
    return alert


async def climb_due(work: Work, limit: int = 50) -> int:
    """Let every due ladder climb one step; expired leases open their alert again. Returns how many."""
    ladders = await repository.due_ladders(work, limit)
    for ladder, alert in ladders:
        if alert.status in (AlertStatus.ACKNOWLEDGED, AlertStatus.RESPONDING):
            write_log(work, alert.id, alert.area_code, "lease_expired", held_by=str(alert.responder_account_id))
            alert.responder_account_id = alert.lease_until = None
            ALERT.move(work, alert, AlertStatus.OPEN, "lease_expired")
        if alert.status is AlertStatus.OPEN:
            await _climb(work, alert, ladder)
        else:
            ladder.next_at = None
    return len(ladders)


async def _climb(work: Work, alert: Alert, ladder: Escalation) -> None:
    """Page the next step. A step with nobody on it is written down and skipped at once."""
    steps = len(ladder.policy["steps"])
    for _ in range(steps):
        move = escalation.climb(ladder.policy, ladder.step, ladder.loops, work.now)
        ladder.step, ladder.loops, ladder.next_at, ladder.last_at = (
            move.step,
            move.loops,
            move.next_at,
            work.now,
        )
        people = await repository.recipients(work, move.role, alert.centre_id, alert.area_code)
        if people:
            break
        write_log(work, alert.id, alert.area_code, "nobody_on_duty", step=move.step, role=str(move.role))
        if move.step == steps - 1:
            break
    write_log(work, alert.id, alert.area_code, "paged", step=ladder.step, people=[str(p) for p in people])
    work.record(
        AlertEscalated(
            area_code=alert.area_code,
            centre_id=alert.centre_id,
            alert_id=alert.id,
            step=ladder.step,
            recipients=tuple(str(p) for p in people),
        )
    )


async def list_alerts(
    work: Work, statuses: Sequence[AlertStatus], centre_id: UUID | None, limit: int, cursor: UUID | None
) -> Sequence[Alert]:
    """Alerts in the actor's scope, newest first; each resident shown leaves an access row."""
    alerts = await repository.list_alerts(work, statuses, centre_id, limit, cursor)
    await record_read(work, {a.resident_id for a in alerts if a.resident_id}, "alerts", ["kind", "status"])
    return alerts


async def alert_detail(work: Work, alert_id: UUID) -> AlertDetail:
    """One alert with its presses and its log; leaves an access row."""
    alert = await read_alert(work, alert_id)
    if alert.resident_id is not None:
        await record_read(work, [alert.resident_id], "alert", ["kind", "status", "occurrences", "log"])
    presses = await repository.occurrences(work, alert_id)
    lines = await repository.log_of(work, alert_id)
    return AlertDetail(
        **AlertPublic.model_validate(alert).model_dump(),
        pressed=[OccurrencePublic.model_validate(press) for press in presses],
        log=[LogLine.model_validate(line) for line in lines],
    )
