"""SQL of notifications."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, text, true
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from services.centres.models import Area, Centre
from services.core.database import Work
from services.core.scope import within
from services.identity.models import Account
from services.notifications.models import Channel, Notification, NotificationAttempt, StaffPhone
from services.notifications.states import AttemptStatus, NotificationStatus
from services.residents.models import EmergencyContact

_LIMITS_LOCK: Final = text("SELECT pg_advisory_xact_lock(hashtextextended('guoyuan.notification_limits', 0))")


async def add_new(work: Work, rows: Sequence[Notification]) -> list[Notification]:
    """Store those that are not there yet, by key and recipient; gives the stored ones.

    A statement each, and the count of its rows tells: two callers at once wait for each other on the index.
    In the order of the recipients, so that two callers never wait crosswise.
    """
    added = []
    for row in sorted(rows, key=lambda each: str(each.account_id or each.contact_id)):
        statement = insert(Notification).values(row.model_dump()).on_conflict_do_nothing()
        if (await work.sql(statement)).rowcount == 1:
            added.append(row)
    return added


async def due_channels(work: Work, is_life_safety: bool) -> list[Channel]:
    """Channels that have something to send now, and nobody at it."""
    query = select(NotificationAttempt.channel).where(*_due(work, is_life_safety)).distinct()
    return [Channel(name) for name in (await work.session.exec(query)).all()]


async def due_attempts(
    work: Work, is_life_safety: bool, channel: Channel, limit: int
) -> Sequence[NotificationAttempt]:
    """What is to be sent now through a channel, locked; what another dispatcher holds is passed over."""
    query = (
        select(NotificationAttempt)
        .where(*_due(work, is_life_safety), NotificationAttempt.channel == channel)
        .order_by(col(NotificationAttempt.next_at), col(NotificationAttempt.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return (await work.session.exec(query)).all()


def _due(work: Work, is_life_safety: bool) -> tuple[ColumnElement[bool], ...]:
    leased = col(NotificationAttempt.leased_until)
    return (
        col(NotificationAttempt.status) == AttemptStatus.QUEUED,
        col(NotificationAttempt.is_life_safety) == is_life_safety,
        col(NotificationAttempt.next_at) <= work.now,
        leased.is_(None) | (leased <= work.now),
    )


async def hold_limits(work: Work) -> None:
    """One dispatcher at a time counts what a person has got and takes more; until the end of the unit."""
    await work.sql(_LIMITS_LOCK)


async def tried_within_hour(work: Work, recipient_id: UUID, channel: Channel) -> Sequence[datetime]:
    """When a channel was last used for a person."""
    query = select(NotificationAttempt.tried_at).where(
        NotificationAttempt.recipient_id == recipient_id,
        NotificationAttempt.channel == channel,
        col(NotificationAttempt.tried_at) > work.now - timedelta(hours=1),
    )
    return [at for at in (await work.session.exec(query)).all() if at is not None]


async def notification_by_id(work: Work, notification_id: UUID) -> Notification:
    """The notification of an attempt."""
    return await work.session.get_one(Notification, notification_id)


async def lock_by_attempt(work: Work, attempt_id: UUID) -> Notification | None:
    """The notification that an attempt belongs to, locked: always before its attempts."""
    owner = select(NotificationAttempt.notification_id).where(NotificationAttempt.id == attempt_id)
    query = select(Notification).where(col(Notification.id).in_(owner)).with_for_update()
    return (await work.session.exec(query.execution_options(populate_existing=True))).one_or_none()


async def lock_own(work: Work, notification_id: UUID) -> Notification | None:
    """A notification to the actor, locked."""
    query = (
        select(Notification)
        .where(Notification.id == notification_id, Notification.account_id == work.actor.account_id)
        .with_for_update()
    )
    return (await work.session.exec(query)).one_or_none()


async def lock_attempts(work: Work, notification_id: UUID) -> list[NotificationAttempt]:
    """Every channel tried for a notification, locked, in order."""
    query = (
        select(NotificationAttempt)
        .where(NotificationAttempt.notification_id == notification_id)
        .order_by(col(NotificationAttempt.position))
        .with_for_update()
    )
    return list((await work.session.exec(query.execution_options(populate_existing=True))).all())


async def lock_unreached(work: Work, alert_id: UUID, template: str) -> list[Notification]:
    """An alert's notifications of one template that have reached nobody yet, locked in the order of their ids."""
    return await _lock_of_alert(
        work,
        alert_id,
        Notification.template == template,
        col(Notification.status).in_((NotificationStatus.QUEUED, NotificationStatus.SENT)),
    )


async def lock_own_unread(work: Work, alert_id: UUID) -> list[Notification]:
    """The actor's own notifications of an alert that are not read, locked in the order of their ids."""
    return await _lock_of_alert(
        work,
        alert_id,
        Notification.account_id == work.actor.account_id,
        Notification.status != NotificationStatus.READ,
    )


async def _lock_of_alert(work: Work, alert_id: UUID, *which: ColumnElement[bool] | bool) -> list[Notification]:
    query = (
        select(Notification)
        .where(Notification.alert_id == alert_id, *which)
        .order_by(col(Notification.id))
        .with_for_update()
    )
    return list((await work.session.exec(query.execution_options(populate_existing=True))).all())


async def lock_attempts_of(work: Work, ids: Sequence[UUID]) -> dict[UUID, list[NotificationAttempt]]:
    """Every channel tried for some locked notifications, locked as well, in order."""
    found: dict[UUID, list[NotificationAttempt]] = {each: [] for each in ids}
    if not ids:
        return found
    query = (
        select(NotificationAttempt)
        .where(col(NotificationAttempt.notification_id).in_(ids))
        .order_by(col(NotificationAttempt.notification_id), col(NotificationAttempt.position))
        .with_for_update()
    )
    for attempt in (await work.session.exec(query.execution_options(populate_existing=True))).all():
        found[attempt.notification_id].append(attempt)
    return found


async def unreported(work: Work, limit: int) -> list[Notification]:
    """Notifications with a channel whose delivery report is overdue, locked."""
    overdue = select(NotificationAttempt.notification_id).where(
        col(NotificationAttempt.watch_until) <= work.now, col(NotificationAttempt.watch_until).is_not(None)
    )
    query = select(Notification).where(col(Notification.id).in_(overdue)).limit(limit)
    return list((await work.session.exec(query.with_for_update(skip_locked=True))).all())


class Person(NamedTuple):
    """A recipient, as far as sending needs it. Numbers are sealed."""

    is_gone: bool
    staff_phone: str | None
    account_phone: str | None
    contact_phone: str | None
    relation: str


async def person_of(work: Work, row: Notification) -> Person:
    """Whom a notification is for."""
    if row.contact_id is not None:
        contact = await work.session.get_one(EmergencyContact, row.contact_id)
        return Person(False, None, None, contact.phone_encrypted, contact.relation)
    query = (
        select(Account, StaffPhone)
        .outerjoin(StaffPhone, col(StaffPhone.account_id) == col(Account.id))
        .where(Account.id == row.account_id)
    )
    account, joined = (await work.session.exec(query)).one()
    phone: StaffPhone | None = joined  # an outer join, which its type does not tell
    staff_phone = None if phone is None else phone.phone_encrypted
    return Person(account.disabled_at is not None, staff_phone, account.phone_encrypted, None, "")


async def places_of(
    work: Work, rows: Sequence[Notification]
) -> tuple[dict[str, Area], dict[UUID, Centre], dict[str, Centre]]:
    """Towns by code, centres by id and by town, as far as the notifications name them. Public data."""
    towns = {row.area_code[:9] for row in rows}
    ids = {row.centre_id for row in rows if row.centre_id is not None}
    areas = (await work.session.exec(select(Area).where(col(Area.code).in_(towns)))).all()
    query = select(Centre).where(col(Centre.id).in_(ids) | col(Centre.area_code).in_(towns))
    centres = (await work.session.exec(query)).all()
    return (
        {area.code: area for area in areas},
        {centre.id: centre for centre in centres},
        {centre.area_code: centre for centre in centres},
    )


async def inbox(work: Work, limit: int, before: UUID | None) -> Sequence[Notification]:
    """The actor's own notifications, newest first."""
    query = select(Notification).where(Notification.account_id == work.actor.account_id)
    if before is not None:
        query = query.where(col(Notification.id) < before)
    return (await work.session.exec(query.order_by(col(Notification.id).desc()).limit(limit))).all()


async def notifications_about(
    work: Work, alert_id: UUID | None, limit: int, before: UUID | None
) -> Sequence[Notification]:
    """Notifications in the actor's area or of an alert it helps with, newest first; of one alert where named."""
    reach = and_(*within(work.actor, Notification.area_code), true())
    query = select(Notification).where(or_(reach, col(Notification.alert_id).in_(work.actor.aided_alerts)))
    if alert_id is not None:
        query = query.where(Notification.alert_id == alert_id)
    if before is not None:
        query = query.where(col(Notification.id) < before)
    return (await work.session.exec(query.order_by(col(Notification.id).desc()).limit(limit))).all()


async def attempts_of(work: Work, rows: Sequence[Notification]) -> dict[UUID, list[NotificationAttempt]]:
    """The channels tried for each, in order."""
    query = (
        select(NotificationAttempt)
        .where(col(NotificationAttempt.notification_id).in_([row.id for row in rows]))
        .order_by(col(NotificationAttempt.position))
    )
    found: dict[UUID, list[NotificationAttempt]] = {row.id: [] for row in rows}
    for attempt in (await work.session.exec(query)).all():
        found[attempt.notification_id].append(attempt)
    return found


async def staff_phone(work: Work, account_id: UUID, *, lock: bool = False) -> StaffPhone | None:
    """The number at which somebody is paged."""
    query = select(StaffPhone).where(StaffPhone.account_id == account_id)
    return (await work.session.exec(query.with_for_update() if lock else query)).one_or_none()


_OLD: Final = text(
    """
    SELECT n.id, n.created_at FROM notification n
    WHERE n.is_life_safety = :is_life_safety AND n.created_at < :before
        AND NOT EXISTS (SELECT FROM notification_attempt a WHERE a.notification_id = n.id AND a.status = 'queued')
    ORDER BY n.created_at LIMIT :batch FOR UPDATE SKIP LOCKED
    """
)
_ATTEMPTS: Final = text("DELETE FROM notification_attempt WHERE notification_id = ANY (:ids)")
_THEMSELVES: Final = text("DELETE FROM notification WHERE id = ANY (:ids)")


async def delete_older(work: Work, is_life_safety: bool, before: datetime, limit: int) -> list[datetime]:
    """Delete the oldest messages of one kind with their channels; gives when each was made, in order.

    One with a channel that still waits stays; what somebody else holds is left for the next turn.
    """
    values = {"is_life_safety": is_life_safety, "before": before, "batch": limit}
    old = (await work.sql(_OLD, values)).all()
    ids = [row.id for row in old]
    if ids:
        await work.sql(_ATTEMPTS, {"ids": ids})
        await work.sql(_THEMSELVES, {"ids": ids})
    return [row.created_at for row in old]
