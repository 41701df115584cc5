"""The ladder at work: what is due is climbed, one alert a transaction, until somebody comes."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import structlog

from services.alerts import escalation, handover, queries
from services.alerts.announcing import announce
from services.alerts.escalation import Rung
from services.alerts.history import write_log
from services.alerts.models import Alert, Escalation
from services.alerts.paging import OnDuty, Person, desk_of, page, people_of
from services.alerts.policies import freeze
from services.alerts.policy_models import PolicyDocument, Step, Who
from services.alerts.states import ALERT, LIVE, AlertStatus, Severity
from services.core.actor import SYSTEM, Role
from services.core.database import Database, Work
from services.core.doorbell import Doorbell
from services.events import AlertEscalated, AlertMoved, AlertUnattended

log = structlog.get_logger("alerts")

LOOK_SECONDS: Final = 0.5
AT_ONCE: Final = 5
_HOLD: Final = timedelta(seconds=15)
"""For so long a ladder that failed is left alone; the auditor raises it meanwhile."""


async def climb_forever(database: Database, bell: Doorbell) -> None:
    """Climb whatever is due, then wait for the next event or for a moment. Runs until cancelled.

    The bell rings when anything has happened, so that the first page of an alert leaves within milliseconds; the
    look now and then is for what falls due by time alone, and for a ring that was lost.
    """
    while True:
        try:
            while await _climb_some(database):
                pass
        except Exception as error:
            log.error("climbing_failed", error=type(error).__name__, exc_info=error)
        await bell.wait(LOOK_SECONDS)


async def _climb_some(database: Database) -> int:
    async with database.unit_of_work(SYSTEM) as work:
        return await climb_due(work)


async def climb_due(work: Work, limit: int = AT_ONCE) -> int:
    """Do what is due on the gravest ladders; gives how many there were.

    Few at a time, because a press on an alert waits for the transaction that climbs it. A ladder that cannot be
    climbed is marked and left to the auditor: it must not stop the others.
    """
    due = await queries.due_ladders(work, limit)
    duty = OnDuty()
    for alert_id, ladder, alert in [(alert.id, ladder, alert) for ladder, alert in due]:
        try:
            async with work.session.begin_nested():
                await _climb_one(work, alert, ladder, duty)
                await work.session.flush()
        except Exception as error:
            log.error("ladder_broken", alert_id=str(alert_id), error=type(error).__name__, exc_info=error)
            await queries.hold(work, alert_id, type(error).__name__, _HOLD)
    return len(due)


async def _climb_one(work: Work, alert: Alert, ladder: Escalation, duty: OnDuty) -> None:
    if alert.status not in LIVE:
        ladder.next_at = ladder.repage_at = ladder.called_at = None
        return
    was_severity = ladder.severity or 0
    policy = await freeze(work, alert, ladder)
    if alert.status is AlertStatus.OPEN and 0 < was_severity < alert.severity:
        ladder.next_at = work.now  # graver than before: everybody of the new first step, now
    if ladder.called_at is not None:
        await _page_for_press(work, alert, ladder, policy, duty)
    if ladder.repage_at is not None and ladder.repage_at <= work.now:
        await _page_missing(work, alert, ladder, policy)
    if ladder.next_at is not None and ladder.next_at <= work.now:
        await _next_or_expired(work, alert, ladder, policy, duty)
    ladder.failed_at = ladder.failed_with = ladder.hold_until = None


async def _next_or_expired(
    work: Work, alert: Alert, ladder: Escalation, policy: PolicyDocument, duty: OnDuty
) -> None:
    if alert.status is AlertStatus.ON_SCENE:
        await _page_for_stay(work, alert, ladder, policy, duty)
        return
    if alert.status is not AlertStatus.OPEN:
        await _expire(work, alert)
    await climb(work, alert, ladder, policy, duty)


async def _expire(work: Work, alert: Alert) -> None:
    """The lease has run out: nobody has come, so the alert is nobody's and open again."""
    write_log(work, alert.id, alert.area_code, "lease_expired", held_by=str(alert.responder_account_id))
    await handover.lapse(work, alert)
    alert.responder_account_id = alert.lease_until = None
    ALERT.move(work, alert, AlertStatus.OPEN, "lease_expired")
    await announce(
        work,
        AlertMoved(
            area_code=alert.area_code,
            centre_id=alert.centre_id,
            alert_id=alert.id,
            terminal_id=alert.terminal_id,
            status=str(alert.status),
            account_id=None,
        ),
    )


async def climb(work: Work, alert: Alert, ladder: Escalation, policy: PolicyDocument, duty: OnDuty) -> None:
    """Page the next rung. A step with nobody of the desk is written down, and the one after it is paged at once.

    When a whole round has nobody, that is said aloud, and the next round begins after the pause between rounds.
    """
    rung, paged = Rung(ladder.loops, ladder.step, ladder.repeat), []
    for _ in policy.steps:
        rung = escalation.next_rung(policy, rung)
        step = policy.steps[rung.step]
        people = await people_of(work, alert, step, duty)
        await page(work, alert, people, step.channels, rung, _key(alert, rung), step.all_must_acknowledge)
        paged += people
        if step.all_must_acknowledge:
            ladder.repage_at = work.now + timedelta(seconds=step.repeats.every_seconds)
        if any(person.is_desk for person in people):
            break
        write_log(work, alert.id, alert.area_code, "nobody_on_duty", step=rung.step, wanted=_wanted(step))
        rung = rung._replace(repeat=step.repeats.count)  # repeating a step that finds nobody finds nobody
    pause = escalation.pause_after(policy, rung)
    has_desk = any(person.is_desk for person in paged)
    if has_desk:
        ladder.nobody_since = None
    else:
        pause = timedelta(seconds=policy.loop_seconds)
        await _say_nobody(work, alert, ladder)
    ladder.loops, ladder.step, ladder.repeat = rung
    ladder.last_at, ladder.next_at = work.now, work.now + pause
    await _tell_screens(work, alert, rung, paged)


def _key(alert: Alert, rung: Rung) -> str:
    return f"alert:{alert.id}:{rung.loop}:{rung.step}:{rung.repeat}"


def _wanted(step: Step) -> list[str]:
    return [f"{line.who}:{line.role or line.relation or ''}".rstrip(":") for line in step.recipients]


async def _say_nobody(work: Work, alert: Alert, ladder: Escalation) -> None:
    ladder.nobody_since = ladder.nobody_since or work.now
    log.error("nobody_at_all", alert_id=str(alert.id), kind=str(alert.kind))
    write_log(work, alert.id, alert.area_code, "nobody_at_all")
    await announce(
        work,
        AlertUnattended(
            area_code=alert.area_code, centre_id=alert.centre_id, alert_id=alert.id, why="nobody_at_all"
        ),
    )


async def _tell_screens(work: Work, alert: Alert, rung: Rung, paged: Sequence[Person]) -> None:
    accounts = [str(person.account_id) for person in paged if person.account_id]
    contacts = [str(person.contact_id) for person in paged if person.contact_id]
    write_log(
        work,
        alert.id,
        alert.area_code,
        "paged",
        loop=rung.loop,
        step=rung.step,
        repeat=rung.repeat,
        people=accounts,
        contacts=contacts,
    )
    await announce(
        work,
        AlertEscalated(
            area_code=alert.area_code,
            centre_id=alert.centre_id,
            alert_id=alert.id,
            step=rung.step,
            recipients=tuple(accounts),
        ),
    )


async def _page_for_press(
    work: Work, alert: Alert, ladder: Escalation, policy: PolicyDocument, duty: OnDuty
) -> None:
    """Pressed again: the responder and the desk on duty are told, and while nobody has it all who were paged.

    A reading that is still beyond its limits while the ladder climbs anyway adds no pages of its own.
    """
    ladder.called_at = None
    if alert.status is AlertStatus.OPEN and alert.severity < Severity.LIFE_SAFETY:
        return
    accounts = dict.fromkeys(await desk_of(work, alert, Who.DUTY, Role.DISPATCHER, duty), "duty:dispatcher")
    if alert.responder_account_id is not None:
        accounts[alert.responder_account_id] = "responder"
    elif ladder.step >= 0:
        accounts = dict.fromkeys(await queries.paged_accounts(work, alert.id), "paged_before") | accounts
    people = [Person(why, account_id=account_id) for account_id, why in accounts.items()]
    rung = Rung(ladder.loops, max(ladder.step, 0), ladder.repeat)
    step = policy.steps[rung.step]
    await page(work, alert, people, step.channels, rung, f"alert:{alert.id}:press:{alert.occurrences}")
    if people:
        write_log(work, alert.id, alert.area_code, "paged_again", people=[str(account) for account in accounts])
        return
    write_log(work, alert.id, alert.area_code, "nobody_on_duty", step=rung.step, wanted=["duty:dispatcher"])
    if alert.status is AlertStatus.OPEN:
        ladder.next_at = work.now


async def _page_missing(work: Work, alert: Alert, ladder: Escalation, policy: PolicyDocument) -> None:
    """Page those again who must acknowledge and have not, until all did or the alert is over."""
    missing = await queries.unacknowledged(work, alert.id)
    ladder.repage_at = None
    if not missing:
        return
    repeat = max(row.repeat for row in missing) + 1
    step = policy.steps[min(missing[-1].step, len(policy.steps) - 1)]
    rung = Rung(missing[-1].loop, missing[-1].step, repeat)
    people = [Person(row.why, account_id=row.account_id) for row in missing]
    await page(work, alert, people, step.channels, rung, f"{_key(alert, rung)}:all", must=True)
    write_log(work, alert.id, alert.area_code, "paged_until_all", people=[str(row.account_id) for row in missing])
    ladder.repage_at = work.now + timedelta(seconds=step.repeats.every_seconds)


async def _page_for_stay(
    work: Work, alert: Alert, ladder: Escalation, policy: PolicyDocument, duty: OnDuty
) -> None:
    """Somebody has been with the resident for long, and nobody has closed the alert: the desk asks."""
    accounts = dict.fromkeys(await desk_of(work, alert, Who.DUTY, Role.DISPATCHER, duty), "duty:dispatcher")
    if alert.responder_account_id is not None:
        accounts[alert.responder_account_id] = "responder"
    people = [Person(why, account_id=account_id) for account_id, why in accounts.items()]
    rung = Rung(ladder.loops, max(ladder.step, 0), ladder.repeat)
    key = f"alert:{alert.id}:stay:{int(work.now.timestamp())}"
    await page(work, alert, people, policy.steps[rung.step].channels, rung, key)
    write_log(work, alert.id, alert.area_code, "still_on_scene", people=[str(account) for account in accounts])
    ladder.next_at = alert.lease_until = work.now + timedelta(seconds=policy.on_scene_lease_seconds)
