"""Vital signs and status messages: large transactions, COPY, one receipt a terminal for many messages."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import structlog

from devices.client import MqttClient, Published
from devices.codecs.native_json import decode_status, decode_vitals
from devices.lane import DATABASE_ERRORS, is_away
from devices.messages import MalformedMessage, RefusedReceipt, VitalsReceipt, encode_receipt, seq_ranges
from devices.registry import TerminalRegistry
from devices.topics import DownChannel, UpChannel, down_topic, parse_up
from services.core.actor import SYSTEM
from services.core.database import Database, Work
from services.terminals.repository import Bound, Heard
from services.terminals.service import note_status
from services.vitals.repository import ReadingRow, save_dead_letter
from services.vitals.service import Breach, Judge, clock_shift, take_readings

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
        self.breaches: list[Breach] = []
        self.heard: dict[UUID, Heard] = {}
        self.refused: list[tuple[Published, Bound | None, UUID | None, MalformedMessage]] = []
        self.seqs: list[tuple[UUID, int]] = []
        self.shifted: Counter[UUID] = Counter()


class VitalsLane:
    """Stores readings and statuses, judges breaches, and sends receipts by ranges of sequence numbers."""

    name = "vitals"

    def __init__(
        self,
        database: Database,
        client: MqttClient,
        registry: TerminalRegistry,
        judge: Judge,
        *,
        batch_size: int,
        payload_limit: int,
    ) -> None:
        self.batch_size = batch_size
        self.stored = 0
        self._database = database
        self._client = client
        self._registry = registry
        self._judge = judge
        self._payload_limit = payload_limit
        self._covered: dict[UUID, list[int]] = {}
        self._refusals: list[tuple[UUID, RefusedReceipt]] = []
        self._last_sent = 0.0
        self._timer: asyncio.TimerHandle | None = None

    async def store(self, found: ReadBatch) -> None:
        async with self._database.unit_of_work(SYSTEM) as work:
            if found.rows:
                await take_readings(work, found.rows, found.breaches)
            if found.heard:
                await note_status(work, list(found.heard.values()))
            for message, bound, terminal_id, refusal in found.refused:
                await self._dead_letter(work, message, bound, terminal_id, refusal)
        self.stored += len(found.rows)
        for terminal_id, seq in found.seqs:
            self._covered.setdefault(terminal_id, []).append(seq)
        for message, bound, _, refusal in found.refused:
            if bound is not None:
                is_status = message.topic.endswith(UpChannel.STATUS)
                receipt = refusal.receipt("status" if is_status else "vitals", found.received_at)
                self._refusals.append((bound.terminal_id, receipt))

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
                self._refusals.append((bound.terminal_id, _not_storable(message, refusal, work.now)))

    def answer(self) -> None:
        if not self._covered and not self._refusals:
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
        refusals, self._refusals = self._refusals, []
        now = self._database.clock.now()
        for terminal_id, seqs in covered.items():
            receipt = VitalsReceipt(ranges=seq_ranges(seqs), at=now)
            # At QoS 0: a lost one costs a repeat, which is stored once and answered again.
            self._client.try_publish(down_topic(terminal_id, DownChannel.RECEIPT), encode_receipt(receipt))
        for terminal_id, refused in refusals:
            self._client.try_publish(down_topic(terminal_id, DownChannel.RECEIPT), encode_receipt(refused))

    async def read(self, batch: Sequence[Published]) -> ReadBatch:
        found = ReadBatch(self._database.clock.now().astimezone(UTC))
        for number, message in enumerate(batch):
            if number % TURN == TURN - 1:
                await asyncio.sleep(0)
            topic = parse_up(message.topic)
            if topic is None:
                found.refused.append((message, None, None, MalformedMessage("bad_topic", "no topic of ours")))
                continue
            bound = self._registry.known(topic.terminal_id) or await self._registry.find(topic.terminal_id)
            if bound is None:
                refusal = MalformedMessage("unknown_terminal", "not in service")
                found.refused.append((message, None, topic.terminal_id, refusal))
                continue
            try:
                if topic.channel is UpChannel.STATUS:
                    self._read_status(found, message, bound)
                else:
                    self._read_vitals(found, message, bound)
            except MalformedMessage as refusal:
                found.refused.append((message, bound, bound.terminal_id, refusal))
        return found

    def _read_vitals(self, found: ReadBatch, message: Published, bound: Bound) -> None:
        received_at = found.received_at
        vitals = decode_vitals(message.payload, limit=self._payload_limit)
        row_of = self._judge.row
        newest = max(reading.measured_at for reading in vitals.readings)
        shift = clock_shift(newest, received_at)
        if shift is not None:
            # Messages that arrive at once are a microsecond apart: at one time they would be one reading.
            shift += timedelta(microseconds=found.shifted[bound.terminal_id])
            found.shifted[bound.terminal_id] += 1
        for reading in vitals.readings:
            row, breach = row_of(
                bound, reading.kind.value, reading.value, reading.measured_at, shift, vitals.seq, received_at
            )
            found.rows.append(row)
            if breach is not None:
                found.breaches.append(breach)
        found.seqs.append((bound.terminal_id, vitals.seq))

    def _read_status(self, found: ReadBatch, message: Published, bound: Bound) -> None:
        status = decode_status(message.payload)
        found.heard[bound.terminal_id] = Heard(
            bound=bound,
            is_online=status.state != "offline",
            seen_at=found.received_at,
            battery_percent=status.battery,
            signal_dbm=status.signal_dbm,
            firmware=status.firmware,
        )

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


def _not_storable(message: Published, refusal: MalformedMessage, at: datetime) -> RefusedReceipt:
    """Names the message, where it can be read, so that its terminal does not repeat it for ever."""
    if message.topic.endswith(UpChannel.STATUS):
        return refusal.receipt("status", at)
    try:
        seq = decode_vitals(message.payload).seq
    except MalformedMessage as unreadable:
        return unreadable.receipt("vitals", at)
    return RefusedReceipt(topic="vitals", code=refusal.code, at=at, seq=seq)
