"""The verbs of the alert desk. Each locks the alert, then its ladder, and leaves its line in the history."""

from collections.abc import Mapping
from uuid import UUID

from services.alerts import aid, checklist, escalation, handover, queries, repository
from services.alerts.announcing import announce
from services.alerts.errors import AlertOver, AlertTaken, NotTakenBack
from services.alerts.history import write_log
from services.alerts.models import Alert, AlertHandover
from services.alerts.paging import seen, withdraw_pages
from services.alerts.policies import freeze
from services.alerts.raising import NO_TERMINAL
from services.alerts.resolutions import TAKEN_BACK, CancelConfirmed, Classification, Resolution
from services.alerts.states import ALERT, LIVE, AlertStatus, Severity
from services.core.database import Work
from services.core.errors import NotFound, VersionMismatch
from services.events import AlertClassified, AlertMoved
from services.terminals.service import tell_terminal
from services.terminals.test_calls.service import note_test


async def locked(work: Work, alert_id: UUID, if_match: int | None = None) -> Alert:
    """One alert in scope, locked. ``NotFound``, ``VersionMismatch``."""
    alert = await repository.lock_alert(work, alert_id)
    if alert is None:
        raise NotFound
    if if_match is not None and if_match != alert.version:
        raise VersionMismatch(current=alert.version)
    return alert


async def _moved(work: Work, alert: Alert, target: AlertStatus, reason: str | None, told: str | None) -> Alert:
    """Change the status, set the ladder's next look to the lease, withdraw pages, tell centre and terminal."""
    ALERT.move(work, alert, target, reason)
    await _set_ladder(work, alert, target)
    if target not in LIVE:
        await handover.lapse(work, alert)
        await aid.end(work, alert)
    await withdraw_pages(work, alert)
    await announce(
        work,
        AlertMoved(
            area_code=alert.area_code,
            centre_id=alert.centre_id,
            alert_id=alert.id,
            terminal_id=alert.terminal_id,
            status=target.value,
            account_id=work.actor.account_id,
        ),
    )
    if told is not None:
        await _tell(work, alert, told)
    return alert


async def _set_ladder(work: Work, alert: Alert, target: AlertStatus) -> None:
    ladder = await queries.ladder(work, alert.id)
    if target not in LIVE:
        alert.lease_until = None
        if ladder is not None:
            ladder.next_at = ladder.repage_at = ladder.called_at = ladder.nobody_since = None
            ladder.failed_at = ladder.failed_with = ladder.hold_until = None
        return
    if ladder is None:
        return
    lease = escalation.lease(await freeze(work, alert, ladder), target.value)
    ladder.next_at = alert.lease_until = None if lease is None else work.now + lease
    ladder.nobody_since = None


async def _tell(work: Work, alert: Alert, state: str) -> None:
    """The latest press of every terminal in the alert is told how far it has come."""
    presses = await repository.occurrences(work, alert.id)
    latest = {p.terminal_id: p.alarm_id for p in presses if not p.alarm_id.startswith(NO_TERMINAL)}
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
    alert = await locked(work, alert_id, if_match)
    if alert.status is not AlertStatus.OPEN:
        if alert.responder_account_id == work.actor.account_id and alert.status is AlertStatus.ACKNOWLEDGED:
            return alert
        raise AlertTaken(alert_status=str(alert.status))
    alert.acknowledged_at = alert.acknowledged_at or work.now
    alert.responder_account_id = work.actor.account_id
    await seen(work, alert)
    return await _moved(work, alert, AlertStatus.ACKNOWLEDGED, None, "acknowledged")


async def acknowledge_page(work: Work, alert_id: UUID) -> Alert:
    """I have seen the page: of a step whose people must all acknowledge, this one need not be paged again.

    Takes nothing over; an alert that somebody else holds stays with them.
    """
    alert = await locked(work, alert_id)
    if await seen(work, alert):
        write_log(work, alert.id, alert.area_code, "page_seen")
    return alert


async def classify(
    work: Work, alert_id: UUID, classification: Classification, note: str, if_match: int | None = None
) -> Alert:
    """The first judgement (t3), which may be changed until the alert is over; closes nothing."""
    alert = await locked(work, alert_id, if_match)
    if alert.status not in LIVE:
        raise AlertOver
    alert.classified_at = alert.classified_at or work.now
    alert.classification = classification
    alert.version += 1
    write_log(work, alert.id, alert.area_code, "classified", as_what=str(classification), note=note)
    await _tell_judged(work, alert)
    return alert


async def set_severity(
    work: Work, alert_id: UUID, severity: Severity, reason: str, if_match: int | None = None
) -> Alert:
    """A person says how grave it is, up or down, with the reason. A graver one gets the policy for that at once;
    one that was made lighter keeps its ladder, and the next press may raise it again."""
    alert = await locked(work, alert_id, if_match)
    if alert.status not in LIVE:
        raise AlertOver
    ladder = await queries.ladder(work, alert.id)
    write_log(
        work, alert.id, alert.area_code, "severity_set", was=alert.severity, now=int(severity), reason=reason
    )
    if severity > alert.severity and ladder is not None:
        ladder.called_at = work.now
    alert.severity = int(severity)
    alert.version += 1
    await _tell_judged(work, alert)
    return alert


async def _tell_judged(work: Work, alert: Alert) -> None:
    await announce(
        work,
        AlertClassified(
            area_code=alert.area_code, centre_id=alert.centre_id, alert_id=alert.id, severity=alert.severity
        ),
    )


async def respond(work: Work, alert_id: UUID, note: str, if_match: int | None = None) -> Alert:
    """Somebody is on the way; the terminal is told so. Whoever says so of an open alert takes it; what another
    holds goes over by a handover only (``AlertTaken``)."""
    alert = await locked(work, alert_id, if_match)
    _take_or_hold(work, alert)
    alert.acknowledged_at = alert.acknowledged_at or work.now
    alert.responding_at = alert.responding_at or work.now
    await seen(work, alert)
    return await _moved(work, alert, AlertStatus.RESPONDING, note, "on_the_way")


async def arrive(work: Work, alert_id: UUID, if_match: int | None = None) -> Alert:
    """Somebody is with the resident. Any of the desk may write it down; who holds the alert goes on holding it."""
    alert = await locked(work, alert_id, if_match)
    if alert.responder_account_id is None:
        alert.responder_account_id = work.actor.account_id
    alert.acknowledged_at = alert.acknowledged_at or work.now
    alert.on_scene_at = work.now
    return await _moved(work, alert, AlertStatus.ON_SCENE, None, None)


def _take_or_hold(work: Work, alert: Alert) -> None:
    holder = alert.responder_account_id
    if holder is not None and holder != work.actor.account_id:
        raise AlertTaken(alert_status=str(alert.status))
    alert.responder_account_id = work.actor.account_id


async def resolve(
    work: Work,
    alert_id: UUID,
    resolution: Resolution,
    answers: Mapping[str, str],
    note: str,
    if_match: int | None = None,
) -> Alert:
    """Close with a reason code and the whole checklist (``ChecklistIncomplete``); the ladder ends, and with it
    what other centres were shown."""
    alert = await locked(work, alert_id, if_match)
    checked = checklist.check(alert.kind, answers, note)
    alert.acknowledged_at = alert.acknowledged_at or work.now
    alert.classified_at = alert.classified_at or work.now
    alert.resolved_at = work.now
    alert.resolution, alert.note, alert.checklist = resolution.value, note, checked
    if resolution is Resolution.TEST:
        await _note_tests(work, alert)
    return await _moved(work, alert, AlertStatus.RESOLVED, resolution.value, "resolved")


async def _note_tests(work: Work, alert: Alert) -> None:
    """What was a test counts as the test call of every terminal that was pressed."""
    for press in await repository.occurrences(work, alert.id):
        if not press.alarm_id.startswith(NO_TERMINAL):
            await note_test(work, press.terminal_id, press.pressed_at, "press")


async def cancel(
    work: Work, alert_id: UUID, confirmed: CancelConfirmed, reason: str, if_match: int | None = None
) -> Alert:
    """Confirm that the resident's own taking back on the terminal was meant, and how that was made sure.

    ``NotTakenBack`` when the resident has not taken it back, or has pressed again since.
    """
    alert = await locked(work, alert_id, if_match)
    if alert.status in LIVE and (alert.taken_back_at is None or alert.last_occurrence_at > alert.taken_back_at):
        raise NotTakenBack
    alert.acknowledged_at = alert.acknowledged_at or work.now
    alert.classified_at = alert.classified_at or work.now
    alert.cancelled_at = work.now
    alert.resolution, alert.note = TAKEN_BACK, reason
    moved = await _moved(work, alert, AlertStatus.CANCELLED, f"{confirmed}: {reason}", "resolved")
    write_log(work, alert.id, alert.area_code, "cancelled", confirmed=str(confirmed))
    return moved


async def review(work: Work, alert_id: UUID, note: str, if_match: int | None = None) -> Alert:
    """A manager has looked at how it went."""
    alert = await locked(work, alert_id, if_match)
    alert.reviewed_at = work.now
    write_log(work, alert.id, alert.area_code, "reviewed", note=note)
    return await _moved(work, alert, AlertStatus.REVIEWED, None, None)


async def request_handover(
    work: Work, alert_id: UUID, to_account_id: UUID, note: str, if_match: int | None = None
) -> AlertHandover:
    """Ask somebody to take over; see ``services.alerts.handover``."""
    return await handover.request(work, await locked(work, alert_id, if_match), to_account_id, note)


async def answer_handover(
    work: Work, alert_id: UUID, accept: bool, note: str, if_match: int | None = None
) -> AlertHandover:
    """Take it over, or decline."""
    return await handover.answer(work, await locked(work, alert_id, if_match), accept, note)
