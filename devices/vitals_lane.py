"""Vital signs and status messages: large transactions, COPY, one receipt a terminal for many messages."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import structlog

from devices.alarm_lane import Answer, take_alarm
from devices.client import Published
from devices.codecs.codec import STATUS_LIMIT
from devices.codecs.registry import decode, encode_answer
from devices.heard import Since, clock_of, hear
from devices.lane import DATABASE_ERRORS, Outlet, Terminals, is_away
from devices.messages import (
    Alarm,
    AlarmReceipt,
    MalformedMessage,
    RefusedReceipt,
    StatusReceipt,
    VitalsMessage,
    VitalsReceipt,
    seq_ranges,
)
from devices.topics import DownChannel, UpChannel, down_topic, parse_up
from services.core.actor import SYSTEM
from services.core.database import Database, Work
from services.rules.service import Breach, Judge, take_readings
from services.terminals.clocks import ClockOffset, is_wrong, newer, offset_shift
from services.terminals.repository import Bound, Heard, some_bound
from services.terminals.service import note_status
from services.terminals.wearers import is_older, wearers
from services.vitals.repository import ReadingRow, save_dead_letter
from services.vitals.service import clock_shift

log = structlog.get_logger("ingest")

TURN: Final = 100
"""Messages read at a stretch: then the batch that is being stored may go on."""

RECEIPT_SECONDS: Final = 0.2
"""Receipts of one terminal are gathered so long when they come thick; the first one leaves at once."""


class ReadBatch:
    """What one batch turned out to be, before it is stored."""

    def __init__(self, received_at: datetime) -> None:
        self.received_at = received_at
        self.rows: list[ReadingRow] = []
        self.old: list[tuple[int, Bound]] = []  # rows from before their terminal's present binding
        self.breaches: list[Breach] = []
        self.alarms: list[tuple[Bound, Alarm]] = []
        self.heard: dict[UUID, Heard] = {}
        self.refused: list[tuple[Published, Bound | None, UUID | None, MalformedMessage]] = []
        self.seqs: list[tuple[Bound, int]] = []
        self.answers: list[Answer] = []
        self.shifted: Counter[UUID] = Counter()
        self.shifts: dict[tuple[UUID, int], timedelta] = {}  # of messages whose terminal's clock is or was wrong


class VitalsLane:
    """Stores readings and statuses, judges breaches, and sends receipts by ranges of sequence numbers."""

    name = "vitals"

    def __init__(
        self,
        database: Database,
        client: Outlet,
        registry: Terminals,
        judge: Judge,
        *,
        batch_size: int,
        payload_limit: int,
        since: Since | None = None,
    ) -> None:
        """``since``: from when on what arrives is live (``LaneEar.since``); without it everything is."""
        self.batch_size = batch_size
        self.stored = 0
        self._database = database
        self._client = client
        self._registry = registry
        self._judge = judge
        self._payload_limit = payload_limit
        self._since = since
        self._clocks: dict[UUID, ClockOffset] = {}
        self._wrong: set[UUID] = set()  # whose clock was wrong: what they repeat may stand under a corrected time
        self._covered: dict[UUID, tuple[Bound, list[int]]] = {}
        self._answers: list[Answer] = []
        self._last_sent = 0.0
        self._timer: asyncio.TimerHandle | None = None

    async def store(self, found: ReadBatch) -> None:
        if found.alarms:
            # Some formats call for help and send readings in one message. The calls first, in a transaction of
            # their own: a reading that cannot be stored must not take one with it.
            async with self._database.unit_of_work(SYSTEM) as work:
                for caller, alarm in found.alarms:
                    self._answers.extend(await take_alarm(work, caller, alarm))
        async with self._database.unit_of_work(SYSTEM) as work:
            if found.old:
                await _return_to_wearers(work, found)
            if found.rows:
                await take_readings(work, found.rows, found.breaches, found.shifts)
            if found.heard:
                await note_status(work, list(found.heard.values()))
            for message, bound, terminal_id, refusal in found.refused:
                await self._dead_letter(work, message, bound, terminal_id, refusal)
        self.stored += len(found.rows)
        for sender, seq in found.seqs:
            self._covered.setdefault(sender.terminal_id, (sender, []))[1].append(seq)
        self._answers.extend(found.answers)
        for message, refused, _, refusal in found.refused:
            if refused is not None:
                is_status = message.topic.endswith(UpChannel.STATUS)
                receipt = refusal.receipt("status" if is_status else "vitals", found.received_at)
                self._answers.append((refused, receipt))

    async def store_alone(self, message: Published) -> None:
        try:
            await self.store(await self.read([message]))
        except DATABASE_ERRORS as error:
            if is_away(error):
                raise
            topic = parse_up(message.topic)
            bound = None if topic is None else self._registry.known(topic.terminal_id)
            refusal = MalformedMessage("not_storable", "the database refused it")
            async with self._database.unit_of_work(SYSTEM) as work:
                await self._dead_letter(work, message, bound, topic and topic.terminal_id, refusal)
            if bound is not None:
                self._answers.append((bound, _not_storable(bound, message, refusal, work.now)))

    def answer(self) -> None:
        if not self._covered and not self._answers:
            return
        loop = asyncio.get_running_loop()
        wait = self._last_sent + RECEIPT_SECONDS - loop.time()
        if wait <= 0:
            self._send_receipts()
        elif self._timer is None:
            self._timer = loop.call_later(wait, self._send_receipts)

    def _send_receipts(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        self._last_sent = asyncio.get_running_loop().time()
        covered, self._covered = self._covered, {}
        answers, self._answers = self._answers, []
        now = self._database.clock.now()
        answers[:0] = [(bound, VitalsReceipt(ranges=seq_ranges(seqs), at=now)) for bound, seqs in covered.values()]
        for bound, answer in answers:
            payload = encode_answer(bound.codec, answer, bound.heartbeat_seconds)
            topic = down_topic(bound.terminal_id, DownChannel.RECEIPT)
            if payload is None:
                continue
            if isinstance(answer, AlarmReceipt):
                self._client.publish_soon(topic, payload)
            else:
                # At QoS 0: a lost one costs a repeat, which is stored once and answered again.
                self._client.try_publish(topic, payload)

    async def read(self, batch: Sequence[Published]) -> ReadBatch:
        found = ReadBatch(self._database.clock.now().astimezone(UTC))
        topics = [parse_up(message.topic) for message in batch]
        unworn = await self._unworn({topic.terminal_id for topic in topics if topic is not None})
        for number, (message, topic) in enumerate(zip(batch, topics, strict=True)):
            if number % TURN == TURN - 1:
                await asyncio.sleep(0)
            if topic is None:
                found.refused.append((message, None, None, MalformedMessage("bad_topic", "no topic of ours")))
                continue
            bound = unworn.get(topic.terminal_id) or self._registry.known(topic.terminal_id)
            if bound is None:
                bound = await self._registry.find(topic.terminal_id)
            if bound is None:
                refusal = MalformedMessage("unknown_terminal", "not in service")
                found.refused.append((message, None, topic.terminal_id, refusal))
                continue
            try:
                self._read_message(found, topic.channel, message, bound)
            except MalformedMessage as refusal:
                found.refused.append((message, bound, bound.terminal_id, refusal))
                found.alarms.extend((bound, alarm) for alarm in refusal.alarms)
        return found

    async def _unworn(self, terminal_ids: set[UUID]) -> dict[UUID, Bound]:
        """Those that are nobody's by the copy, as the database has them: they may have been bound a moment ago."""
        copies = {
            bound.terminal_id: bound for bound in map(self._registry.known, terminal_ids) if bound is not None
        }
        asked = {terminal_id for terminal_id, bound in copies.items() if bound.resident_id is None}
        if not asked:
            return {}
        async with self._database.engine.connect() as connection:
            stored = await some_bound(connection, asked)
        return {
            terminal_id: bound._replace(codec=copies[terminal_id].codec) for terminal_id, bound in stored.items()
        }

    def _read_message(self, found: ReadBatch, channel: UpChannel, message: Published, bound: Bound) -> None:
        limit = STATUS_LIMIT if channel is UpChannel.STATUS else self._payload_limit
        read = decode(bound.codec, channel, message.payload, found.received_at, limit)
        if read.vitals is not None:
            self._take_vitals(found, read.vitals, bound)
        if read.alarms:
            known = bound.with_clock(self._clock(bound))
            found.alarms.extend((known, alarm) for alarm in read.alarms)
        if read.status is not None:
            clock = clock_of(read.status, found.received_at, self._since)
            if clock is not None:
                self._clocks[bound.terminal_id] = clock
            hear(found.heard, bound, read.status, found.received_at, self._since)
            if read.status.id is not None:
                found.answers.append((bound, StatusReceipt(read.status.id, found.received_at)))

    def _take_vitals(self, found: ReadBatch, vitals: VitalsMessage, bound: Bound) -> None:
        received_at = found.received_at
        row_of = self._judge.row
        shift = self._shift(found, vitals, bound)
        for reading in vitals.readings:
            row, breach = row_of(
                bound, reading.kind.value, reading.value, reading.measured_at, shift, vitals.seq, received_at
            )
            found.rows.append(row)
            if is_older(bound, row.measured_at):
                # Stored with whoever wore it then; too old to call anybody for.
                found.old.append((len(found.rows) - 1, bound))
            elif breach is not None:
                found.breaches.append(breach)
        found.seqs.append((bound, vitals.seq))

    def _clock(self, bound: Bound) -> ClockOffset | None:
        """The newest that this process has measured, or that another one has stored."""
        return newer(self._clocks.get(bound.terminal_id), bound.clock)

    def _shift(self, found: ReadBatch, vitals: VitalsMessage, bound: Bound) -> timedelta | None:
        """By how much a message's times must be moved; ``None``: not. A message twice in a batch moves alike."""
        message = (bound.terminal_id, vitals.seq)
        if message in found.shifts:
            return found.shifts[message] or None
        newest = max(reading.measured_at for reading in vitals.readings)
        clock = self._clock(bound)
        shift = offset_shift(clock, newest, found.received_at)
        if shift is None:
            shift = clock_shift(newest, found.received_at)
            if shift is not None:
                # Messages that arrive at once are a microsecond apart: at one time they would be one reading.
                shift += timedelta(microseconds=found.shifted[bound.terminal_id])
                found.shifted[bound.terminal_id] += 1
        if is_wrong(clock):
            self._wrong.add(bound.terminal_id)
        if shift is not None or bound.terminal_id in self._wrong:
            found.shifts[message] = shift or timedelta()
        return shift

    async def _dead_letter(
        self,
        work: Work,
        message: Published,
        bound: Bound | None,
        terminal_id: UUID | None,
        refusal: MalformedMessage,
    ) -> None:
        area_code = "" if bound is None else bound.area_code
        await save_dead_letter(
            work, message.topic, terminal_id, area_code, refusal.code, refusal.detail, message.payload
        )


async def _return_to_wearers(work: Work, found: ReadBatch) -> None:
    """Readings from before a terminal's present binding belong to who wore it when they were taken."""
    asked = [(bound, found.rows[place].measured_at) for place, bound in found.old]
    for (place, _), then in zip(found.old, await wearers(work, asked), strict=True):
        row = found.rows[place]
        found.rows[place] = row._replace(resident_id=then.resident_id, area_code=then.area_code)


def _not_storable(bound: Bound, message: Published, refusal: MalformedMessage, at: datetime) -> RefusedReceipt:
    """Names the message, where it can be read, so that its terminal does not repeat it for ever."""
    if message.topic.endswith(UpChannel.STATUS):
        return refusal.receipt("status", at)
    try:
        read = decode(bound.codec, UpChannel.VITALS, message.payload, at, len(message.payload))
    except MalformedMessage as unreadable:
        return unreadable.receipt("vitals", at)
    refusal.seq = None if read.vitals is None else read.vitals.seq
    return refusal.receipt("vitals", at)
