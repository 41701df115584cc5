"""Telling people. ``notify`` only writes rows, in the caller's transaction; the dispatcher sends them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import structlog

from services.core.database import Work
from services.notifications import repository
from services.notifications.models import Channel, Notification, NotificationAttempt
from services.notifications.states import ATTEMPT, NOTIFICATION, AttemptStatus, NotificationStatus

log = structlog.get_logger("notifications")

_HARMLESS: Final = re.compile(r"[A-Za-z0-9_.:+-]{0,64}")
_PERSONAL: Final = re.compile(r"1[0-9]{10}|[0-9]{17}[0-9Xx]")


@dataclass(frozen=True, slots=True)
class Recipient:
    """An account, or a resident's emergency contact: exactly one of the two."""

    account_id: UUID | None = None
    contact_id: UUID | None = None

    def __post_init__(self) -> None:
        if (self.account_id is None) == (self.contact_id is None):
            raise ValueError("a recipient is an account or an emergency contact")


@dataclass(frozen=True, slots=True)
class Notice:
    """What there is to say. ``parameters`` are ids and kinds: names, numbers and health data have no place here.

    ``key`` makes it one: the same key to the same recipient is told once, however often it is asked for.
    """

    key: str
    template: str
    area_code: str
    centre_id: UUID | None
    parameters: dict[str, str]
    is_life_safety: bool
    alert_id: UUID | None = None


async def notify(work: Work, notice: Notice, recipients: Sequence[Recipient], channels: Sequence[Channel]) -> None:
    """Queue one notification a recipient; channels are tried in that order, the next at once when one fails.

    Idempotent by (key, recipient). Sends nothing and can fail on nothing outside the database, so it may
    stand in an alarm's own transaction. ``ValueError`` without a channel.
    """
    if not channels:
        raise ValueError("a notice needs a channel")
    parameters = _harmless(notice)
    rows = [
        Notification(
            key=notice.key,
            account_id=recipient.account_id,
            contact_id=recipient.contact_id,
            template=notice.template,
            parameters=parameters,
            area_code=notice.area_code,
            centre_id=notice.centre_id,
            alert_id=notice.alert_id,
            is_life_safety=notice.is_life_safety,
            channels=[str(channel) for channel in dict.fromkeys(channels)],
            status=NotificationStatus.QUEUED,
            created_at=work.now,
        )
        for recipient in dict.fromkeys(recipients)
    ]
    for row in await repository.add_new(work, rows):
        NOTIFICATION.begin(work, row)
        begin_channel(work, row, 0)


def begin_channel(work: Work, row: Notification, position: int) -> NotificationAttempt:
    """Queue one of a notification's channels, due now."""
    recipient_id = row.account_id or row.contact_id
    assert recipient_id is not None  # noqa: S101  the database's check holds it; this is for the type
    attempt = NotificationAttempt(
        notification_id=row.id,
        position=position,
        channel=Channel(row.channels[position]),
        recipient_id=recipient_id,
        area_code=row.area_code,
        is_life_safety=row.is_life_safety,
        status=AttemptStatus.QUEUED,
        queued_at=work.now,
        next_at=work.now,
    )
    work.session.add(attempt)
    ATTEMPT.begin(work, attempt)
    return attempt


def _harmless(notice: Notice) -> dict[str, str]:
    """The parameters that look like an id, a kind or a time. What does not is left out, never a reason to fail:
    a life may hang on the rest of the message."""
    kept = {
        name: value
        for name, value in notice.parameters.items()
        if _HARMLESS.fullmatch(value) and not _PERSONAL.fullmatch(value)
    }
    if len(kept) < len(notice.parameters):
        names = sorted(notice.parameters.keys() - kept.keys())
        log.warning("notice_parameters_left_out", template=notice.template, names=names)
    return kept
