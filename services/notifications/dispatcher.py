"""Sends what is queued, outside any transaction: claim with a lease → send → mark.

Two lanes that share nothing (connections, HTTP client, slots): life safety, and everything else. In a lane each
channel has slots of its own, so one slow gateway holds up neither another channel nor the other lane. A
dispatcher that dies between sending and marking leaves its lease to run out: the message is sent once more,
with the same idempotency key. For a life, twice is better than never (docs/decisions/0013).
"""

import asyncio
import contextlib
import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

import httpx
import structlog

from services.core.actor import SYSTEM
from services.core.clock import Clock
from services.core.crypto import Vault, mask_phone, vault_from
from services.core.database import DATABASE_AWAY, Database, Work
from services.core.doorbell import Doorbell
from services.core.heartbeat import BEAT_SECONDS, beat_once
from services.core.settings import Settings
from services.notifications import repository
from services.notifications.addressing import message_for
from services.notifications.models import Channel, NotificationAttempt
from services.notifications.policy import SendingPolicy, load_policy, put_off_until
from services.notifications.progress import next_for_unreported, record_failure, record_sent
from services.notifications.senders.contract import Message, Phone, Sender, SendFailed, Sent
from services.notifications.senders.registry import senders_from

log = structlog.get_logger("notifications")

NOTIFY_CHANNEL: Final = "guoyuan_notification"
PROCESS: Final = "notifications"
LOOK_SECONDS: Final = 1.0
_STALE_SECONDS: Final = 10.0
_POOL: Final = 4
_BATCH: Final = 50
_BATCHES: Final = 20


@dataclass(frozen=True, slots=True)
class Outlet:
    """What a dispatcher sends with."""

    senders: dict[Channel, Sender]
    vault: Vault | None
    console_url: str = ""


@dataclass(frozen=True, slots=True)
class Claimed:
    """One message that this dispatcher holds, or the reason why it cannot be sent."""

    attempt_id: UUID
    lease: UUID
    channel: Channel
    message: Message | None
    refusal: SendFailed | None


class Lane:
    """The messages of one kind: claims what is due, sends a few at once, marks."""

    def __init__(self, database: Database, outlet: Outlet, policy: SendingPolicy, *, is_life_safety: bool) -> None:
        self._database = database
        self._outlet = outlet
        self._policy = policy
        self._is_life_safety = is_life_safety
        self._slots = policy.lane(is_life_safety).slots
        self._busy: defaultdict[Channel, set[asyncio.Task[None]]] = defaultdict(set)
        self._rung = asyncio.Event()
        self._looked = time.monotonic()

    @property
    def is_fresh(self) -> bool:
        """Whether it has looked for work lately."""
        return time.monotonic() - self._looked < _STALE_SECONDS

    def ring(self) -> None:
        """There may be something to send."""
        self._rung.set()

    async def run(self) -> None:
        """Look whenever it rings, and every second; until cancelled."""
        try:
            while True:
                self._rung.clear()
                try:
                    await self.look()
                except Exception as error:  # noqa: BLE001  one look's trouble must not end the lane
                    log.error("notifications_wait", error=type(error).__name__)
                    await asyncio.sleep(0.5)
                # Not wait_for: Python 3.11's may lose a cancellation that meets a ring.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await self._rung.wait()
        finally:
            await self.drop()

    async def look(self) -> int:
        """Start sending what is due, as far as there are free slots. Returns how many were started."""
        started = 0
        async with self._database.unit_of_work(SYSTEM) as work:
            if self._is_life_safety:
                await next_for_unreported(work)
                await work.session.flush()
            channels = await repository.due_channels(work, self._is_life_safety)
        for channel in channels:
            free = self._slots - len(self._busy[channel])
            for claimed in await self._claim(channel, free) if free > 0 else []:
                self._start(claimed)
                started += 1
        self._looked = time.monotonic()
        return started

    async def settle(self) -> None:
        """Wait until everything that was started is marked."""
        while running := [task for tasks in self._busy.values() for task in tasks]:
            await asyncio.gather(*running)

    async def drop(self) -> None:
        """Leave what is on the wire: its lease runs out, and it is sent again."""
        running = [task for tasks in self._busy.values() for task in tasks]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _start(self, claimed: Claimed) -> None:
        task = asyncio.create_task(self._carry(claimed))
        busy = self._busy[claimed.channel]
        busy.add(task)

        def done(finished: asyncio.Task[None]) -> None:
            busy.discard(finished)
            self.ring()

        task.add_done_callback(done)

    async def _claim(self, channel: Channel, free: int) -> list[Claimed]:
        async with self._database.unit_of_work(SYSTEM) as work:
            if self._is_life_safety:
                due = await repository.due_attempts(work, True, channel, free)
                return [await self._lease(work, attempt) for attempt in due]
            return await self._claim_within_limits(work, channel, free)

    async def _claim_within_limits(self, work: Work, channel: Channel, free: int) -> list[Claimed]:
        """As many as there are slots; what a limit puts off on the way holds nobody else up."""
        await repository.hold_limits(work)
        claimed: list[Claimed] = []
        for _ in range(_BATCHES):
            due = await repository.due_attempts(work, False, channel, _BATCH)
            for attempt in due:
                if len(claimed) == free:
                    return claimed
                if not await self._put_off(work, attempt):
                    claimed.append(await self._lease(work, attempt))
            await work.session.flush()
            if len(due) < _BATCH:
                break
        return claimed

    async def _put_off(self, work: Work, attempt: NotificationAttempt) -> bool:
        """Whether a limit puts it off: later, on record, and never dropped."""
        tried = await repository.tried_within_hour(work, attempt.recipient_id, attempt.channel)
        until = put_off_until(self._policy.limits.get(attempt.channel), tried, work.now)
        if until is None:
            return False
        attempt.next_at = until
        attempt.put_off += 1
        log.info("notification_put_off", attempt_id=str(attempt.id), channel=str(attempt.channel))
        return True

    async def _lease(self, work: Work, attempt: NotificationAttempt) -> Claimed:
        attempt.lease = uuid4()
        attempt.leased_until = work.now + timedelta(seconds=self._policy.lease_seconds)
        attempt.tries += 1
        attempt.tried_at = work.now
        sender = self._outlet.senders.get(attempt.channel)
        message, refusal = None, None
        try:
            if sender is None:
                raise SendFailed("not_configured", is_transient=False)
            if attempt.tries > len(self._policy.lane(self._is_life_safety).retry_seconds) + 1:
                # Dispatchers died over it again and again.
                raise SendFailed("given_up", is_transient=False)
            message = await self._message(work, attempt, sender.phone)
        except SendFailed as error:
            refusal = error
        except DATABASE_AWAY:
            raise
        except Exception as error:
            # One message that cannot be written must not hold up those behind it.
            log.error("message_broken", attempt_id=str(attempt.id), error=type(error).__name__, exc_info=error)
            refusal = SendFailed("message_broken", is_transient=False)
        return Claimed(attempt.id, attempt.lease, attempt.channel, message, refusal)

    async def _message(self, work: Work, attempt: NotificationAttempt, phone: Phone) -> Message:
        return await message_for(work, self._outlet.vault, self._outlet.console_url, attempt, phone)

    async def _carry(self, claimed: Claimed) -> None:
        """Send one and mark it; when marking fails the lease runs out and it is sent again."""
        outcome = claimed.refusal or await self._send(claimed)
        try:
            async with self._database.unit_of_work(SYSTEM) as work:
                if isinstance(outcome, Sent):
                    phone = claimed.message.phone if claimed.message else None
                    await record_sent(work, claimed.attempt_id, outcome, mask_phone(phone) if phone else None)
                else:
                    await record_failure(work, claimed.attempt_id, claimed.lease, outcome)
        except Exception as error:  # noqa: BLE001  whatever it was: the lease runs out, and it is tried again
            log.error("notification_unmarked", attempt_id=str(claimed.attempt_id), error=type(error).__name__)
            return
        if isinstance(outcome, SendFailed):
            log.warning(
                "notification_attempt_failed",
                attempt_id=str(claimed.attempt_id),
                channel=str(claimed.channel),
                code=outcome.code,
                is_transient=outcome.is_transient,
            )

    async def _send(self, claimed: Claimed) -> Sent | SendFailed:
        sender = self._outlet.senders[claimed.channel]
        assert claimed.message is not None  # noqa: S101  a claim has a message or a refusal; this is for the type
        try:
            async with asyncio.timeout(self._policy.send_seconds):
                return await sender.send(claimed.message)
        except SendFailed as error:
            return error
        except TimeoutError:
            return SendFailed("timeout", is_transient=True)
        except Exception as error:
            # A sender's own fault must cost one try, not the dispatcher.
            log.error("sender_broken", channel=str(claimed.channel), error=type(error).__name__, exc_info=error)
            return SendFailed("sender_broken", is_transient=True)


async def run(settings: Settings, clock: Clock | None = None) -> None:
    """Send until cancelled. ``ValueError`` when the database's address is missing."""
    if settings.database_url is None:
        raise ValueError("GUOYUAN_DATABASE_URL must be set, or use `guoyuan up`")
    policy, vault = load_policy(), _vault(settings)
    databases = [Database(settings.database_url, _POOL, clock) for _ in range(2)]
    clients = [httpx.AsyncClient(timeout=policy.send_seconds, trust_env=False) for _ in range(2)]
    lanes = [
        Lane(
            database,
            Outlet(senders_from(settings, client), vault, settings.console_url or ""),
            policy,
            is_life_safety=is_life_safety,
        )
        for database, client, is_life_safety in zip(databases, clients, (True, False), strict=True)
    ]
    bell = Doorbell(settings.database_url, NOTIFY_CHANNEL)
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(bell.listen_forever())
            tasks.create_task(_pass_on(bell, lanes))
            tasks.create_task(_beat(databases[0], lanes))
            for lane in lanes:
                tasks.create_task(lane.run())
    finally:
        for client in clients:
            await client.aclose()
        for database in databases:
            await database.close()


async def _pass_on(bell: Doorbell, lanes: list[Lane]) -> None:
    while True:
        await bell.wait(LOOK_SECONDS)
        for lane in lanes:
            lane.ring()


async def _beat(database: Database, lanes: list[Lane]) -> None:
    """A sign of life only while both lanes look for work: a lane that hangs must show."""
    while True:
        if all(lane.is_fresh for lane in lanes):
            await beat_once(database, PROCESS)
        await asyncio.sleep(BEAT_SECONDS)


def _vault(settings: Settings) -> Vault | None:
    try:
        return vault_from(settings)
    except ValueError:
        # Channels that need a number fail over at once; the app and the robot go on.
        log.error("notifications_without_keys")
        return None
