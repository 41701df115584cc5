"""SQL of ladders: what is due, which policy, whom a step finds, who helps, what nobody looks after."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, or_, text
from sqlmodel import col, select

from services.alerts.escalation import DESK
from services.alerts.models import Alert, AlertAid, AlertHandover, AlertPage, Escalation
from services.alerts.policy_models import EscalationPolicy
from services.alerts.states import LIVE, HandoverStatus
from services.caregivers.models import Caregiver, Shift
from services.centres.models import Centre
from services.core.actor import Role
from services.core.columns import UtcDateTime
from services.core.database import Work
from services.identity.models import Account
from services.residents.models import CareRelationship, EmergencyContact, RelationKind

DESK_ROLES = (Role.DISPATCHER, Role.CENTRE_MANAGER, Role.COUNTY_OFFICER)
"""Who may take an alert."""


async def ladder(work: Work, alert_id: UUID) -> Escalation | None:
    """The alert's ladder row, locked."""
    statement = select(Escalation).where(Escalation.alert_id == alert_id).with_for_update()
    return (await work.session.exec(statement)).one_or_none()


async def read_ladder(work: Work, alert_id: UUID) -> Escalation | None:
    """The alert's ladder row, to be shown."""
    return (await work.session.exec(select(Escalation).where(Escalation.alert_id == alert_id))).one_or_none()


async def due_ladders(work: Work, limit: int) -> Sequence[tuple[Escalation, Alert]]:
    """Ladders with something due, gravest alerts first, with their alerts, both locked.

    What somebody else holds is left for the next look: waiting here could lock crosswise with a verb,
    which locks the alert before its ladder.
    """
    statement = (
        select(Escalation, Alert)
        .join(Alert, col(Alert.id) == col(Escalation.alert_id))
        .where(
            or_(
                col(Escalation.next_at) <= work.now,
                col(Escalation.repage_at) <= work.now,
                col(Escalation.called_at) <= work.now,
            ),
            or_(col(Escalation.hold_until).is_(None), col(Escalation.hold_until) <= work.now),
        )
        .order_by(col(Alert.severity).desc(), col(Escalation.next_at), col(Escalation.alert_id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return (await work.session.exec(statement)).all()


_HOLD = text(
    "UPDATE escalation SET hold_until = :until, failed_at = coalesce(failed_at, :now), failed_with = :why"
    " WHERE alert_id = :alert_id"
).bindparams(bindparam("until", type_=UtcDateTime()), bindparam("now", type_=UtcDateTime()))


async def hold(work: Work, alert_id: UUID, why: str, pause: timedelta) -> None:
    """Leave a ladder alone for a while that could not be climbed, so that it does not stand in others' way."""
    values = {"alert_id": alert_id, "until": work.now + pause, "now": work.now, "why": why}
    await work.sql(_HOLD, values)


async def policies_in_force(work: Work, centre_id: UUID, county: str) -> Sequence[EscalationPolicy]:
    """The centre's and the county's present policies, in the order of saving."""
    statement = (
        select(EscalationPolicy)
        .where(
            col(EscalationPolicy.ended_at).is_(None),
            or_(
                col(EscalationPolicy.centre_id) == centre_id,
                col(EscalationPolicy.centre_id).is_(None) & (col(EscalationPolicy.area_code) == county),
            ),
        )
        .order_by(col(EscalationPolicy.saved_at), col(EscalationPolicy.id))
    )
    return (await work.session.exec(statement)).all()


def _policies_in_reach(work: Work) -> Any:
    """A centre reads its own policies and those that its county has laid down."""
    area = work.actor.area_code
    above = [area[:length] for length in (2, 4, 6, 9) if length < len(area)]
    reach = or_(col(EscalationPolicy.area_code).startswith(area), col(EscalationPolicy.area_code).in_(above))
    return select(EscalationPolicy).where(reach)


async def policies_in_reach(work: Work, limit: int, cursor: UUID | None) -> Sequence[EscalationPolicy]:
    """The policies in force within reach, newest first."""
    statement = _policies_in_reach(work).where(col(EscalationPolicy.ended_at).is_(None))
    if cursor is not None:
        statement = statement.where(EscalationPolicy.id < cursor)
    found: Sequence[EscalationPolicy] = (
        await work.session.exec(statement.order_by(col(EscalationPolicy.id).desc()).limit(limit))
    ).all()
    return found


async def policy_versions(work: Work, policy_id: UUID, lock: bool = False) -> Sequence[EscalationPolicy]:
    """Every version of a policy within reach, newest first."""
    statement = _policies_in_reach(work).where(EscalationPolicy.policy_id == policy_id)
    statement = statement.order_by(col(EscalationPolicy.version).desc())
    if lock:
        statement = statement.with_for_update()
    found: Sequence[EscalationPolicy] = (await work.session.exec(statement)).all()
    return found


async def everybody_with(work: Work, centre_id: UUID, role: Role) -> Sequence[UUID]:
    """Every account of a role at a centre, on duty or not."""
    statement = select(Account.id).where(
        Account.centre_id == centre_id, Account.role == role, col(Account.disabled_at).is_(None)
    )
    return (await work.session.exec(statement.order_by(col(Account.id)))).all()


async def accounts_named(work: Work, ids: Collection[UUID]) -> Sequence[Account]:
    """Accounts in use by their ids, as far as the actor's walls let them be seen."""
    statement = select(Account).where(col(Account.id).in_(ids), col(Account.disabled_at).is_(None))
    return (await work.session.exec(statement)).all()


async def carers_of(
    work: Work, resident_id: UUID, kinds: Collection[RelationKind], with_health: bool
) -> Sequence[UUID]:
    """Accounts in a relationship of these kinds with a resident; with consent to health data where needed."""
    statement = (
        select(CareRelationship.account_id)
        .join(Account, col(Account.id) == col(CareRelationship.account_id))
        .where(
            CareRelationship.resident_id == resident_id,
            col(CareRelationship.kind).in_(kinds),
            col(CareRelationship.ended_at).is_(None),
            col(Account.disabled_at).is_(None),
        )
        .order_by(col(CareRelationship.account_id))
    )
    if with_health:
        statement = statement.where(col(CareRelationship.may_see_health))
    return (await work.session.exec(statement.distinct())).all()


async def first_contacts(work: Work, resident_id: UUID, number: int) -> Sequence[UUID]:
    """The first emergency contacts, in their order."""
    statement = (
        select(EmergencyContact.id)
        .where(EmergencyContact.resident_id == resident_id)
        .order_by(col(EmergencyContact.call_order), col(EmergencyContact.id))
        .limit(number)
    )
    return (await work.session.exec(statement)).all()


async def centres_of_county(work: Work, county: str) -> Sequence[Centre]:
    """Every centre of a county."""
    return (await work.session.exec(select(Centre).where(col(Centre.area_code).startswith(county)))).all()


async def unacknowledged(work: Work, alert_id: UUID) -> Sequence[AlertPage]:
    """The last page of everybody who must acknowledge and has not."""
    statement = (
        select(AlertPage)
        .where(
            AlertPage.alert_id == alert_id,
            col(AlertPage.must_acknowledge),
            col(AlertPage.acknowledged_at).is_(None),
        )
        .order_by(col(AlertPage.id))
    )
    newest = {row.account_id: row for row in (await work.session.exec(statement)).all()}
    return list(newest.values())


_SEEN_BY = text(
    "UPDATE alert_page SET acknowledged_at = :now"
    " WHERE alert_id = :alert_id AND account_id = :account_id AND acknowledged_at IS NULL"
).bindparams(bindparam("now", type_=UtcDateTime()))


async def acknowledge_pages(work: Work, alert_id: UUID) -> int:
    """Mark the actor's own pages; gives how many."""
    values = {"alert_id": alert_id, "account_id": work.actor.account_id, "now": work.now}
    result: Any = await work.sql(_SEEN_BY, values)
    return int(result.rowcount)


_BRIEFLY = text("SET LOCAL lock_timeout = '2s'")
_AS_BEFORE = text("SET LOCAL lock_timeout TO DEFAULT")


async def wait_briefly(work: Work) -> None:
    """Who marks a page holds it for a moment only; whoever takes an alert must not wait for anything longer."""
    await work.sql(_BRIEFLY)


async def wait_as_before(work: Work) -> None:
    """For the locks that come after."""
    await work.sql(_AS_BEFORE)


async def paged_accounts(work: Work, alert_id: UUID) -> Sequence[UUID]:
    """Everybody with a line of the desk who was paged for an alert; visible to whoever sees the alert."""
    statement = select(AlertPage.account_id).where(
        AlertPage.alert_id == alert_id,
        col(AlertPage.account_id).is_not(None),
        or_(*(col(AlertPage.why).startswith(f"{who}:") for who in DESK), col(AlertPage.why) == "auditor"),
    )
    found = (await work.session.exec(statement.distinct())).all()
    return [account_id for account_id in found if account_id is not None]


_AID = text(
    "INSERT INTO alert_aid (id, alert_id, resident_id, centre_id, area_code, granted_at)"
    " VALUES (:id, :alert_id, :resident_id, :centre_id, :area_code, :now)"
    " ON CONFLICT ON CONSTRAINT alert_aid_once DO NOTHING"
).bindparams(bindparam("now", type_=UtcDateTime()))


async def grant_aid(work: Work, values: dict[str, Any]) -> bool:
    """Let a centre help; ``False`` when it may already."""
    result: Any = await work.sql(_AID, values)
    return bool(result.rowcount)


async def aid_of(work: Work, alert_id: UUID) -> Sequence[AlertAid]:
    """Who helps, or has helped."""
    statement = select(AlertAid).where(AlertAid.alert_id == alert_id).order_by(col(AlertAid.id))
    return (await work.session.exec(statement)).all()


_HELPING = text("SELECT centre_id FROM alert_aid WHERE alert_id = :alert_id AND ended_at IS NULL ORDER BY id")


async def helping(work: Work, alert_id: UUID) -> Sequence[UUID]:
    """The centres that help with an alert now."""
    return (await work.sql(_HELPING, {"alert_id": alert_id})).scalars().all()


async def open_handover(work: Work, alert_id: UUID) -> AlertHandover | None:
    """The request that waits for its answer. The alert's row is locked by the caller."""
    statement = (
        select(AlertHandover)
        .where(AlertHandover.alert_id == alert_id, AlertHandover.status == HandoverStatus.REQUESTED)
        .with_for_update()
    )
    return (await work.session.exec(statement)).one_or_none()


async def handover_by_id(work: Work, handover_id: UUID) -> AlertHandover | None:
    """One request, whatever became of it."""
    return await work.session.get(AlertHandover, handover_id)


async def caregivers_on_shift(work: Work, centre_id: UUID) -> Sequence[Caregiver]:
    """A centre's caregivers who are at work now, and its village doctors at any hour."""
    at_work = select(Shift.caregiver_id).where(col(Shift.starts_at) <= work.now, col(Shift.ends_at) > work.now)
    statement = select(Caregiver).where(
        Caregiver.centre_id == centre_id,
        col(Caregiver.left_at).is_(None),
        or_(col(Caregiver.id).in_(at_work), col(Caregiver.profession) == "village_doctor"),
    )
    return (await work.session.exec(statement)).all()


async def caregiver_of(work: Work, centre_id: UUID, caregiver_id: UUID) -> Caregiver | None:
    """One caregiver of a centre."""
    statement = select(Caregiver).where(Caregiver.id == caregiver_id, Caregiver.centre_id == centre_id)
    return (await work.session.exec(statement)).one_or_none()


_OVERDUE = text(
    f"""
    SELECT a.id, CASE WHEN e.alert_id IS NULL THEN 'no_ladder' WHEN e.failed_at IS NOT NULL THEN 'ladder_broken'
        WHEN least(e.next_at, e.repage_at, e.called_at) < :overdue THEN 'step_overdue' ELSE 'nothing_planned' END
    FROM alert a LEFT JOIN escalation e ON e.alert_id = a.id
    WHERE a.status IN ({", ".join(f"'{status}'" for status in LIVE)}) AND a.received_at < :overdue
        AND (e.alert_id IS NULL OR e.failed_at IS NOT NULL
            OR least(e.next_at, e.repage_at, e.called_at) < :overdue OR e.next_at IS NULL)
        AND (e.audited_at IS NULL OR e.audited_at < :again)
    ORDER BY a.severity DESC, a.received_at LIMIT :limit
    """  # noqa: S608  only the names of our own statuses are put in
).bindparams(bindparam("overdue", type_=UtcDateTime()), bindparam("again", type_=UtcDateTime()))


async def unattended(work: Work, overdue: timedelta, again: timedelta, limit: int) -> Sequence[tuple[UUID, str]]:
    """Live alerts that nobody looks after, with what is wrong, gravest first; those raised lately left out."""
    values = {"overdue": work.now - overdue, "again": work.now - again, "limit": limit}
    return [(row[0], row[1]) for row in await work.sql(_OVERDUE, values)]


async def alert_for_audit(work: Work, alert_id: UUID) -> tuple[Alert, Escalation | None, bool] | None:
    """A live alert, its ladder, and whether both could be locked; what somebody holds is read without waiting."""
    statement = select(Alert).where(Alert.id == alert_id, col(Alert.status).in_(LIVE))
    locked = (await work.session.exec(statement.with_for_update(skip_locked=True))).one_or_none()
    alert = locked or (await work.session.exec(statement)).one_or_none()
    if alert is None:
        return None
    rung = select(Escalation).where(Escalation.alert_id == alert_id)
    if locked is not None:
        rung = rung.with_for_update(skip_locked=True)
    ladder_row = (await work.session.exec(rung)).one_or_none()
    if ladder_row is None and locked is not None:
        unlocked = select(Escalation).where(Escalation.alert_id == alert_id)
        ladder_row = (await work.session.exec(unlocked)).one_or_none()
        return alert, ladder_row, ladder_row is None
    return alert, ladder_row, locked is not None


async def try_audit_lock(work: Work) -> bool:
    """One auditor at a time; the lock goes with the transaction."""
    return bool((await work.sql(text("SELECT pg_try_advisory_xact_lock(4301210003)"))).scalar_one())
