"""What becomes of a message: sent, failed, delivered, read; and when the next channel begins.

Every verb here locks the notification before its attempts, so that two reports at once follow one another.
"""

from collections.abc import Sequence
from uuid import UUID

import structlog

from services.core.database import Work
from services.core.errors import NotFound
from services.events import NotificationFailed
from services.notifications import repository
from services.notifications.models import Channel, DeliveryReport, Notification, NotificationAttempt
from services.notifications.policy import load_policy
from services.notifications.senders.contract import SendFailed, Sent
from services.notifications.service import begin_channel
from services.notifications.states import ATTEMPT, NOTIFICATION, AttemptStatus, NotificationStatus

log = structlog.get_logger("notifications")

_A, _N = AttemptStatus, NotificationStatus
_REACHED = (_A.DELIVERED, _A.READ)


class Track:
    """A notification and every channel tried for it, locked."""

    def __init__(self, work: Work, row: Notification, attempts: list[NotificationAttempt]) -> None:
        self._work = work
        self.row = row
        self.attempts = attempts

    def attempt(self, attempt_id: UUID) -> NotificationAttempt:
        """The attempt with this id."""
        return next(each for each in self.attempts if each.id == attempt_id)

    def sent(self, attempt: NotificationAttempt) -> None:
        """A gateway took it; for life safety a delivery report is now waited for."""
        attempt.sent_at = attempt.sent_at or self._work.now
        if attempt.status in (_A.SENT, *_REACHED):
            return
        ATTEMPT.move(self._work, attempt, _A.SENT)
        if self.row.status in (_N.QUEUED, _N.FAILED):
            NOTIFICATION.move(self._work, self.row, _N.SENT)
            self.row.sent_at = self._work.now
        if self.row.status is _N.SENT:
            lane = load_policy().lane(self.row.is_life_safety)
            attempt.watch_until = lane.watch_until(attempt.channel, self._work.now)

    def delivered(self, attempt: NotificationAttempt) -> None:
        """It has reached the person: what still waits in other channels is needless."""
        if attempt.status not in _REACHED:
            ATTEMPT.move(self._work, attempt, _A.DELIVERED)
            attempt.delivered_at = self._work.now
        if self.row.status in (_N.QUEUED, _N.SENT, _N.FAILED):
            NOTIFICATION.move(self._work, self.row, _N.DELIVERED)
            self.row.delivered_at = self._work.now
        self._rest()

    def read(self, attempt: NotificationAttempt | None) -> None:
        """The person has read it."""
        if attempt is not None and attempt.status is not _A.READ:
            ATTEMPT.move(self._work, attempt, _A.READ)
            attempt.read_at = self._work.now
        if self.row.status is not _N.READ:
            NOTIFICATION.move(self._work, self.row, _N.READ)
            self.row.read_at = self._work.now
        self._rest()

    def failed(self, attempt: NotificationAttempt, code: str) -> None:
        """A channel is given up: the next begins in this same transaction."""
        ATTEMPT.move(self._work, attempt, _A.FAILED, code)
        attempt.failed_at, attempt.error_code, attempt.watch_until = self._work.now, code, None
        # asked before the next one is there, which would be waiting
        is_over = all(each.status in (_A.FAILED, _A.NEEDLESS) for each in self.attempts)
        if not self.next_channel(attempt) and is_over:
            self._given_up()

    def next_channel(self, after: NotificationAttempt) -> bool:
        """Begin the channel after this one, if it was the last begun and the person is not reached yet."""
        position = after.position + 1
        if position != len(self.attempts) or position >= len(self.row.channels):
            return False
        if self.row.status in (_N.DELIVERED, _N.READ):
            return False
        self.attempts.append(begin_channel(self._work, self.row, position))
        return True

    def _rest(self) -> None:
        for other in self.attempts:
            other.watch_until = None
            if other.status is _A.QUEUED:
                ATTEMPT.move(self._work, other, _A.NEEDLESS)

    def _given_up(self) -> None:
        if self.row.status not in (_N.QUEUED, _N.SENT):
            return
        NOTIFICATION.move(self._work, self.row, _N.FAILED)
        self.row.failed_at = self._work.now
        log.error(
            "notification_failed",
            notification_id=str(self.row.id),
            template=self.row.template,
            is_life_safety=self.row.is_life_safety,
        )
        self._work.record(
            NotificationFailed(
                area_code=self.row.area_code,
                centre_id=self.row.centre_id,
                notification_id=self.row.id,
                alert_id=self.row.alert_id,
                is_life_safety=self.row.is_life_safety,
            )
        )


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
    for shown in rows:
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
