"""One notification with every channel tried for it, and the moves that belong together."""

from uuid import UUID

import structlog

from services.core.database import Work
from services.events import NotificationFailed
from services.notifications.models import Channel, Notification, NotificationAttempt
from services.notifications.policy import load_policy
from services.notifications.states import ATTEMPT, NOTIFICATION, AttemptStatus, NotificationStatus

log = structlog.get_logger("notifications")

_A, _N = AttemptStatus, NotificationStatus
_REACHED = (_A.DELIVERED, _A.READ)


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
        elif self.row.status is _N.WITHDRAWN:
            self.row.sent_at = self.row.sent_at or self._work.now
        if self.row.status is _N.SENT:
            lane = load_policy().lane(self.row.is_life_safety)
            attempt.watch_until = lane.watch_until(attempt.channel, self._work.now)

    def delivered(self, attempt: NotificationAttempt) -> None:
        """It has reached the person: what still waits in other channels is needless."""
        if attempt.status not in _REACHED:
            ATTEMPT.move(self._work, attempt, _A.DELIVERED)
            attempt.delivered_at = self._work.now
        if self.row.status in (_N.QUEUED, _N.SENT, _N.FAILED, _N.WITHDRAWN):
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
        """Begin the channel after this one, if it was the last begun and the person is not reached yet.

        A withdrawn notification begins none.
        """
        position = after.position + 1
        if position != len(self.attempts) or position >= len(self.row.channels):
            return False
        if self.row.status in (_N.DELIVERED, _N.READ, _N.WITHDRAWN):
            return False
        self.attempts.append(begin_channel(self._work, self.row, position))
        return True

    def withdraw(self, reason: str) -> None:
        """Nobody needs it any more: what is not on the wire stays here.

        What is on the wire cannot be recalled. Its lease stays, so that its outcome is still written down.
        """
        NOTIFICATION.move(self._work, self.row, _N.WITHDRAWN, reason)
        self.row.withdrawn_at, self.row.withdrawn_reason = self._work.now, reason
        self._rest(_A.WITHDRAWN, reason)

    def _rest(self, as_what: AttemptStatus = _A.NEEDLESS, reason: str | None = None) -> None:
        for other in self.attempts:
            other.watch_until = None
            if other.status is _A.QUEUED:
                ATTEMPT.move(self._work, other, as_what, reason)

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
