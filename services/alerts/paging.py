"""Paging: whom a step of the ladder finds, and telling them, with a row for every person."""

from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import structlog

from services.alerts import aid, queries
from services.alerts.escalation import DESK, Rung
from services.alerts.models import Alert, AlertPage
from services.alerts.policy_models import Recipients, Relation, Step, Who
from services.alerts.severity import VITAL_KINDS
from services.alerts.states import LIVE, AlertStatus, Severity
from services.core.actor import Role
from services.core.database import Work
from services.duty.service import on_duty
from services.notifications.models import Channel
from services.notifications.service import Notice, Recipient, mark_seen, notify, withdraw
from services.residents.models import RelationKind

log = structlog.get_logger("alerts")

STAFF_TEMPLATE: Final = "alert_page"
FAMILY_TEMPLATE: Final = "alert_family"
_KINDS: Final = {
    Relation.FAMILY: (RelationKind.FAMILY, RelationKind.GUARDIAN),
    Relation.VILLAGE_DOCTOR: (RelationKind.VILLAGE_DOCTOR,),
    Relation.FAMILY_DOCTOR: (RelationKind.FAMILY_DOCTOR,),
}
_CONTACTS_FOR_FAMILY: Final = 2
"""How many emergency contacts stand in for a family that has no account."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody to page: an account or an emergency contact, and which line of the step named them."""

    why: str
    account_id: UUID | None = None
    contact_id: UUID | None = None
    is_desk: bool = True


class OnDuty:
    """Who is on duty, asked once a unit of work, all of which is one moment: alerts of a storm share desks."""

    def __init__(self) -> None:
        self._people: dict[tuple[Who, UUID, Role], Sequence[UUID]] = {}
        self._neighbours: dict[tuple[UUID, Role], aid.Neighbour | None] = {}

    async def at_desk(self, work: Work, who: Who, centre_id: UUID, role: Role) -> Sequence[UUID]:
        """The centre's or the county's people of one line."""
        key = (who, centre_id, role)
        if key not in self._people:
            everybody = who is Who.ALL
            self._people[key] = await (
                queries.everybody_with(work, centre_id, role)
                if everybody
                else on_duty(work, centre_id, role, work.now)
            )
        return self._people[key]

    async def next_door(self, work: Work, alert: Alert, role: Role) -> aid.Neighbour | None:
        """The nearest other centre with somebody on duty."""
        key = (alert.centre_id, role)
        if key not in self._neighbours:
            self._neighbours[key] = await aid.nearest_on_duty(
                work, alert.centre_id, alert.area_code, role, work.now
            )
        return self._neighbours[key]


async def people_of(work: Work, alert: Alert, step: Step, duty: OnDuty) -> list[Person]:
    """Everybody that a step finds now, each once, in the order of its list."""
    found: dict[tuple[UUID | None, UUID | None], Person] = {}
    for line in step.recipients:
        for person in await _named_by(work, alert, line, duty):
            found.setdefault((person.account_id, person.contact_id), person)
    return list(found.values())


async def _named_by(work: Work, alert: Alert, line: Recipients, duty: OnDuty) -> list[Person]:
    role = line.role or Role.DISPATCHER
    if line.who in DESK:
        why = f"{line.who}:{role}"
        return [
            Person(why, account_id=account_id) for account_id in await desk_of(work, alert, line.who, role, duty)
        ]
    if alert.resident_id is None:
        return []
    is_call = alert.kind not in VITAL_KINDS
    if line.who is Who.CONTACTS:
        return await _contacts(work, alert.resident_id, line.first or 1) if is_call else []
    relation = line.relation or Relation.FAMILY
    # That she pressed for help is for her family to know; that a reading is out of its limits takes her consent.
    with_health = relation is Relation.FAMILY and not is_call
    accounts = await queries.carers_of(work, alert.resident_id, _KINDS[relation], with_health)
    if not accounts and relation is Relation.FAMILY and is_call:
        return await _contacts(work, alert.resident_id, _CONTACTS_FOR_FAMILY)
    return [Person(str(relation), account_id=account_id, is_desk=False) for account_id in accounts]


async def _contacts(work: Work, resident_id: UUID, number: int) -> list[Person]:
    found = await queries.first_contacts(work, resident_id, number)
    return [Person("contact", contact_id=contact_id, is_desk=False) for contact_id in found]


async def desk_of(work: Work, alert: Alert, who: Who, role: Role, duty: OnDuty) -> Sequence[UUID]:
    """The desk's people that one line names. Reaching the neighbours opens the alert to their centre."""
    if who is not Who.NEIGHBOUR:
        of_county = who is Who.COUNTY
        return await duty.at_desk(work, who, alert.centre_id, Role.COUNTY_OFFICER if of_county else role)
    neighbour = await duty.next_door(work, alert, role)
    if neighbour is None:
        return []
    await aid.ask(work, alert, neighbour.centre_id)
    return neighbour.people


async def page(
    work: Work,
    alert: Alert,
    people: Sequence[Person],
    channels: Sequence[Channel],
    rung: Rung,
    key: str,
    must: bool = False,
) -> None:
    """Tell these people and write down that they were told. The same key tells nobody twice."""
    if not people:
        return
    for person in people:
        work.session.add(
            AlertPage(
                alert_id=alert.id,
                area_code=alert.area_code,
                loop=rung.loop,
                step=rung.step,
                repeat=rung.repeat,
                why=person.why,
                account_id=person.account_id,
                contact_id=person.contact_id,
                must_acknowledge=must and person.is_desk,
                paged_at=work.now,
            )
        )
    for template, is_desk in ((STAFF_TEMPLATE, True), (FAMILY_TEMPLATE, False)):
        recipients = [
            Recipient(account_id=person.account_id, contact_id=person.contact_id)
            for person in people
            if person.is_desk is is_desk
        ]
        if recipients:
            await notify(work, _notice(alert, template, rung, key), recipients, channels)


async def seen(work: Work, alert: Alert) -> int:
    """The actor has seen the alert: their own pages are acknowledged and read. Gives how many were not yet."""
    acknowledged = await queries.acknowledge_pages(work, alert.id)
    await _apart(work, alert, mark_seen(work, alert.id))
    return acknowledged


async def withdraw_pages(work: Work, alert: Alert) -> None:
    """Somebody has the alert, or it is over: pages that have reached nobody yet are needed no more.

    They go on to people who must all acknowledge and have not, and to whoever is asked to take the alert over, as
    long as there is something to take. Family and village doctor want to know, whatever became of it; only of an
    alarm that the resident took back, and a person confirmed, do they hear nothing if nothing has left yet.
    """
    await _apart(work, alert, _withdraw(work, alert))


async def _withdraw(work: Work, alert: Alert) -> None:
    still_wanted = set()
    if alert.status in LIVE:
        still_wanted = {row.account_id for row in await queries.unacknowledged(work, alert.id)}
        asked = await queries.open_handover(work, alert.id)
        if asked is not None:
            still_wanted.add(asked.to_account_id)
    wanted = {account_id for account_id in still_wanted if account_id is not None}
    reason = f"alert_{alert.status}"
    await withdraw(work, alert.id, wanted, reason, template=STAFF_TEMPLATE)
    if alert.status is AlertStatus.CANCELLED:
        await withdraw(work, alert.id, (), reason, template=FAMILY_TEMPLATE, only_untried=True)


async def _apart(work: Work, alert: Alert, step: Coroutine[Any, Any, object]) -> None:
    """Do what may fail without the verb: a page too many is better than an alert that nobody can take."""
    try:
        async with work.session.begin_nested():
            await queries.wait_briefly(work)
            await step
            await work.session.flush()
            await queries.wait_as_before(work)
    except Exception as error:
        log.error("pages_left_as_they_were", alert_id=str(alert.id), error=type(error).__name__, exc_info=error)
    finally:
        step.close()


def _notice(alert: Alert, template: str, rung: Rung, key: str) -> Notice:
    return Notice(
        key=key,
        template=template,
        area_code=alert.area_code,
        centre_id=alert.centre_id,
        parameters={
            "kind": str(alert.kind),
            "severity": str(alert.severity),
            "step": str(rung.step + 1),
            "occurrences": str(alert.occurrences),
            "received_at": alert.received_at.isoformat(timespec="seconds"),
        },
        is_life_safety=alert.severity >= Severity.LIFE_SAFETY,
        alert_id=alert.id,
    )
