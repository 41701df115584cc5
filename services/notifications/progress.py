"""What becomes of a message: sent, failed, delivered, read; and when the next channel begins.

Every verb here locks the notification before its attempts, so that two reports at once follow one another.
"""

from collections.abc import Sequence
from uuid import UUID

from services.core.database import Work
from services.core.errors import NotFound
from services.notifications import repository
from services.notifications.models import Channel, DeliveryReport, Notification, NotificationAttempt
from services.notifications.policy import load_policy
from services.notifications.senders.contract import SendFailed, Sent
from services.notifications.states import AttemptStatus, NotificationStatus
from services.notifications.track import Track

_A, _N = AttemptStatus, NotificationStatus


async def record_sent(work: Work, attempt_id: UUID, sent: Sent, address_masked: str | None) -> None:
    """A sender handed it over. True whoever holds the lease by now."""
    track = await _track(work, attempt_id)
    attempt = track.attempt(attempt_id)
    attempt.lease = attempt.leased_until = None
    attempt.message_id = sent.message_id or attempt.message_id
    attempt.address_masked = address_masked
    attempt.error_code = None
    track.sent(attempt)
    if sent.is_delivered:
        track.delivered(attempt)


async def record_failure(work: Work, attempt_id: UUID, lease: UUID, failure: SendFailed) -> None:
    """A sender failed: again after a pause, or the channel is given up. Without the lease it says nothing.

    Life safety waits for no pause: the next channel begins while this one goes on trying.
    """
    track = await _track(work, attempt_id)
    attempt = track.attempt(attempt_id)
    if attempt.lease != lease:
        return
    attempt.lease = attempt.leased_until = None
    attempt.error_code = failure.code
    if attempt.status is not _A.QUEUED:
        return
    lane = load_policy().lane(attempt.is_life_safety)
    again = lane.retry_at(attempt.tries, attempt.queued_at, work.now) if failure.is_transient else None
    if again is None:
        track.failed(attempt, failure.code)
        return
    attempt.next_at = again
    if attempt.is_life_safety:
        track.next_channel(attempt)


async def report(work: Work, channel: Channel, said: DeliveryReport) -> NotificationAttempt:
    """A gateway's report; the same one again changes nothing, and "failed" after "delivered" neither.

    Raises ``NotFound`` for a message that did not go through this channel.
    """
    track = await _track(work, said.attempt_id)
    attempt = track.attempt(said.attempt_id)
    if attempt.channel is not channel:
        raise NotFound
    if said.status == "delivered":
        track.delivered(attempt)
    elif said.status == "read":
        track.read(attempt)
    elif attempt.status in (_A.QUEUED, _A.SENT):
        track.failed(attempt, said.code or "reported")
    return attempt


async def next_for_unreported(work: Work, limit: int = 50) -> int:
    """Delivery reports that never came: the next channel begins. Returns how many were overdue."""
    rows = await repository.unreported(work, limit)
    for row in rows:
        track = Track(work, row, await repository.lock_attempts(work, row.id))
        for attempt in list(track.attempts):
            if attempt.watch_until is not None and attempt.watch_until <= work.now:
                attempt.watch_until = None
                track.next_channel(attempt)
    return len(rows)


async def fetched_by_app(work: Work, rows: Sequence[Notification]) -> None:
    """Their app has shown these to their recipient, the actor: that is delivery in the app channel."""
    # In the order of their ids, as a withdrawal locks them: two at once never wait crosswise.
    for shown in sorted(rows, key=lambda each: each.id):
        if shown.status in (_N.DELIVERED, _N.READ) or Channel.APP not in shown.channels:
            continue
        row = await repository.lock_own(work, shown.id)
        if row is None:
            continue
        track = Track(work, row, await repository.lock_attempts(work, row.id))
        app = next((each for each in track.attempts if each.channel is Channel.APP), None)
        if app is not None:
            track.delivered(app)


async def _track(work: Work, attempt_id: UUID) -> Track:
    row = await repository.lock_by_attempt(work, attempt_id)
    if row is None:
        raise NotFound
    return Track(work, row, await repository.lock_attempts(work, row.id))
