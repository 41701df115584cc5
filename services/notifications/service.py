"""Telling people. ``notify`` only writes rows, in the caller's transaction; the dispatcher sends them.

``withdraw`` takes back what nobody needs any more, as far as it has not left.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import structlog

from services.core.database import Work
from services.notifications import repository
from services.notifications.models import Channel, Notification
from services.notifications.states import NOTIFICATION, NotificationStatus
from services.notifications.track import Track, begin_channel

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


async def withdraw(
    work: Work,
    alert_id: UUID,
    except_accounts: Collection[UUID],
    reason: str,
    *,
    template: str,
    only_untried: bool = False,
) -> int:
    """Take back an alert's messages of one template that have not reached their people; gives how many.

    No further channel begins and no further try is made. One on the wire cannot be recalled: what becomes of it
    is still written down. ``only_untried``: none that has ever been handed to a sender. What was withdrawn never
    comes back; a new page has a key of its own. The caller holds the alert's lock.
    """
    withdrawn = 0
    for track in await _tracks(work, await repository.lock_unreached(work, alert_id, template)):
        if track.row.account_id in except_accounts or (
            only_untried and any(each.tries for each in track.attempts)
        ):
            continue
        track.withdraw(reason)
        withdrawn += 1
    return withdrawn


async def mark_seen(work: Work, alert_id: UUID) -> int:
    """The actor has seen an alert: their own notifications of it are read. Gives how many were not, before."""
    tracks = await _tracks(work, await repository.lock_own_unread(work, alert_id))
    for track in tracks:
        track.read(next((each for each in track.attempts if each.channel is Channel.APP), None))
    return len(tracks)


async def _tracks(work: Work, rows: Sequence[Notification]) -> list[Track]:
    attempts = await repository.lock_attempts_of(work, [row.id for row in rows])
    return [Track(work, row, attempts[row.id]) for row in rows]


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
