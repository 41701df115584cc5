"""Reading notifications: one's own inbox, and the desk's view of who has been reached. One's own number, too."""

from uuid import UUID

from services.core.crypto import Vault, mask_phone
from services.core.database import Work
from services.core.errors import InvalidInput, NotFound
from services.core.versions import expect_version
from services.notifications import repository
from services.notifications.addressing import STAFF_PURPOSE, facts_of
from services.notifications.models import (
    AttemptPublic,
    Channel,
    InboxItem,
    Notification,
    NotificationPublic,
    StaffPhone,
    StaffPhonePublic,
)
from services.notifications.progress import fetched_by_app
from services.notifications.texts import Facts, render
from services.notifications.track import Track
from services.residents.identity_numbers import normalise_phone


async def read_inbox(work: Work, limit: int, before: UUID | None) -> list[InboxItem]:
    """The actor's notifications, newest first. What the app fetches here has been delivered to it."""
    rows = await repository.inbox(work, limit, before)
    await fetched_by_app(work, rows)
    facts = await facts_of(work, rows, "")
    return [_item(row, fact) for row, fact in zip(rows, facts, strict=True)]


async def mark_read(work: Work, notification_id: UUID) -> InboxItem:
    """The recipient has read it; again changes nothing. ``NotFound`` for what is not one's own."""
    row = await repository.lock_own(work, notification_id)
    if row is None:
        raise NotFound
    track = Track(work, row, await repository.lock_attempts(work, row.id))
    app = next((each for each in track.attempts if each.channel is Channel.APP), None)
    track.read(app)
    return _item(row, (await facts_of(work, [row], ""))[0])


async def list_notifications(
    work: Work, alert_id: UUID | None, limit: int, before: UUID | None
) -> list[NotificationPublic]:
    """Notifications about the actor's area and the alerts it helps with, newest first, with every channel tried.

    No text, no number in full.
    """
    rows = await repository.notifications_about(work, alert_id, limit, before)
    attempts = await repository.attempts_of(work, rows)
    return [
        NotificationPublic.model_validate(row).model_copy(
            update={"attempts": [AttemptPublic.model_validate(each) for each in attempts[row.id]]}
        )
        for row in rows
    ]


async def read_own_phone(work: Work, vault: Vault) -> StaffPhonePublic:
    """The number at which the actor is paged, masked."""
    row = await _own_phone(work, lock=False)
    if row is None:
        return StaffPhonePublic(phone_masked=None, version=0)
    return _shown(row, vault)


async def set_own_phone(work: Work, vault: Vault, phone: str, if_match: int | None) -> StaffPhonePublic:
    """Where the actor is to be paged from now on. ``InvalidInput`` for what is no mobile number."""
    number = normalise_phone(phone)
    if number is None:
        raise InvalidInput("not a mobile number", field="phone")
    row = await _own_phone(work, lock=True)
    sealed = vault.encrypt(number, STAFF_PURPOSE)
    if row is None:
        assert work.actor.account_id is not None  # noqa: S101  the API's actors have one; this is for the type
        row = StaffPhone(
            account_id=work.actor.account_id,
            area_code=work.actor.area_code,
            phone_encrypted=sealed,
            updated_at=work.now,
        )
        work.session.add(row)
    else:
        expect_version(row, if_match)
        row.phone_encrypted, row.updated_at = sealed, work.now
        row.version += 1
    return _shown(row, vault)


def _item(row: Notification, facts: Facts) -> InboxItem:
    return InboxItem(
        id=row.id,
        template=row.template,
        text_zh=render(facts, "zh"),
        text_en=render(facts, "en"),
        is_life_safety=row.is_life_safety,
        alert_id=row.alert_id,
        status=row.status,
        created_at=row.created_at,
        read_at=row.read_at,
    )


async def _own_phone(work: Work, *, lock: bool) -> StaffPhone | None:
    account_id = work.actor.account_id
    return None if account_id is None else await repository.staff_phone(work, account_id, lock=lock)


def _shown(row: StaffPhone, vault: Vault) -> StaffPhonePublic:
    masked = mask_phone(vault.decrypt(row.phone_encrypted, STAFF_PURPOSE))
    return StaffPhonePublic(phone_masked=masked, version=row.version)
