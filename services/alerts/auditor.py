"""The auditor: looks past the ladders for alerts that nobody looks after, and pages everybody on duty for them.

It trusts nothing that a ladder needs: not the frozen policy, not the job that climbs, not even that there is a
ladder. It has a connection of its own and beats a heartbeat of its own, which `doctor` and `/metrics` show.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog
from pydantic import ValidationError

from services.alerts import queries
from services.alerts.announcing import announce
from services.alerts.escalation import BEFORE_FIRST, Rung
from services.alerts.history import write_log
from services.alerts.models import Alert, Escalation
from services.alerts.paging import OnDuty, Person, desk_of, page
from services.alerts.policies import default_for
from services.alerts.policy_models import PolicyDocument, Who
from services.core.actor import SYSTEM, Role
from services.core.database import Database, Work
from services.core.heartbeat import beat_once
from services.events import AlertUnattended

log = structlog.get_logger("auditor")

PROCESS: Final = "auditor"
LOOK_SECONDS: Final = 5.0
OVERDUE: Final = timedelta(seconds=15)
"""A step, a lease or a press that is late by so much is nobody's: the worker looks every half second."""
AGAIN: Final = timedelta(seconds=120)
"""While it stays so, everybody is paged again after so long."""
_AT_ONCE: Final = 50


async def audit_forever(database: Database) -> None:
    """Look every few seconds until cancelled; beat after every look that went through."""
    while True:
        try:
            await audit(database)
            await beat_once(database, PROCESS)
        except Exception as error:
            # The silence of its heartbeat is what shows.
            log.error("audit_failed", error=type(error).__name__, exc_info=error)
        await asyncio.sleep(LOOK_SECONDS)


async def audit(database: Database) -> int:
    """Raise every live alert that is unattended, each in a transaction of its own; gives how many were raised."""
    async with database.unit_of_work(SYSTEM) as work:
        found = await queries.unattended(work, OVERDUE, AGAIN, _AT_ONCE)
    raised = 0
    for alert_id, why in found:
        try:
            async with database.unit_of_work(SYSTEM) as work:
                raised += await _raise(work, alert_id, why)
        except Exception as error:
            log.error("alert_not_raised", alert_id=str(alert_id), error=type(error).__name__, exc_info=error)
    return raised


async def _raise(work: Work, alert_id: UUID, why: str) -> bool:
    if not await queries.try_audit_lock(work):
        return False
    found = await queries.alert_for_audit(work, alert_id)
    if found is None:
        return False
    alert, ladder, is_ours = found
    if ladder is not None and ladder.audited_at is not None and ladder.audited_at > work.now - AGAIN:
        return False
    log.error("alert_unattended", alert_id=str(alert.id), why=why)
    if is_ours:
        why = _mend(work, alert, ladder, why)
    people = await _everybody(work, alert)
    step = default_for(alert.severity).steps[0]
    rung = BEFORE_FIRST if ladder is None else Rung(ladder.loops, ladder.step, ladder.repeat)
    moment = int(work.now.timestamp() // AGAIN.total_seconds())
    await page(work, alert, people, step.channels, rung, f"alert:{alert.id}:auditor:{moment}")
    paged = [str(person.account_id) for person in people]
    write_log(work, alert.id, alert.area_code, "auditor_raised", why=why, people=paged)
    event = AlertUnattended(area_code=alert.area_code, centre_id=alert.centre_id, alert_id=alert.id, why=why)
    await announce(work, event)
    return True


def _mend(work: Work, alert: Alert, ladder: Escalation | None, why: str) -> str:
    """Set the ladder right as far as that is safe: a missing or unreadable one becomes the default."""
    default = default_for(alert.severity).model_dump(mode="json")
    if ladder is None:
        ladder = Escalation(alert_id=alert.id, area_code=alert.area_code, policy=default, next_at=work.now)
        ladder.audited_at = work.now
        work.session.add(ladder)
        return why
    ladder.audited_at = work.now
    if not _is_readable(ladder):
        ladder.policy, ladder.severity, ladder.frozen_at = default, alert.severity, work.now
        ladder.step, ladder.repeat = BEFORE_FIRST.step, BEFORE_FIRST.repeat
        ladder.failed_at = ladder.failed_with = ladder.hold_until = None
        ladder.next_at = work.now
        return "policy_unreadable"
    if ladder.next_at is None:
        ladder.next_at = work.now
    return why


def _is_readable(ladder: Escalation) -> bool:
    try:
        return bool(PolicyDocument.model_validate(ladder.policy).steps)
    except ValidationError:
        return False


async def _everybody(work: Work, alert: Alert) -> Sequence[Person]:
    """On duty at the centre, at the nearest centre that has somebody, and at the county; and who holds it."""
    accounts: dict[UUID, None] = {}
    duty = OnDuty()
    for who, role in (
        (Who.DUTY, Role.DISPATCHER),
        (Who.DUTY, Role.CENTRE_MANAGER),
        (Who.NEIGHBOUR, Role.DISPATCHER),
        (Who.COUNTY, Role.COUNTY_OFFICER),
    ):
        accounts |= dict.fromkeys(await desk_of(work, alert, who, role, duty))
    if alert.responder_account_id is not None:
        accounts[alert.responder_account_id] = None
    return [Person("auditor", account_id=account_id) for account_id in accounts]
