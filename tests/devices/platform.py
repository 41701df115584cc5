"""A platform without a database: takes what terminals send, keeps it in memory, answers with receipts."""

import asyncio
from collections import Counter, defaultdict
from datetime import UTC, datetime

from devices.client import MqttAddress, MqttClient
from devices.codecs.native_json import decode_alarm, decode_status, decode_vitals
from devices.messages import (
    Alarm,
    AlarmReceipt,
    MalformedMessage,
    Receipt,
    StatusMessage,
    VitalsMessage,
    VitalsReceipt,
    encode_receipt,
    seq_ranges,
)
from devices.topics import DownChannel, UpChannel, down_topic, parse_up, up_filter
from devices.transport import Published


class FakePlatform:
    """``deaf_to`` messages are taken without a receipt first, as if it had died before its commit."""

    def __init__(self, address: MqttAddress, *, deaf_to: int = 0) -> None:
        self.client = MqttClient(address, "guoyuan-fake-platform")
        self.vitals: dict[tuple[str, int], VitalsMessage] = {}
        self.alarms: dict[str, Alarm] = {}
        self.status: defaultdict[str, list[StatusMessage]] = defaultdict(list)
        self.copies: Counter[bytes] = Counter()
        self.has_vitals = asyncio.Event()
        self._took = asyncio.Event()
        self._deaf_to = deaf_to
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "FakePlatform":
        for channel in UpChannel:
            await self.client.subscribe(up_filter(channel))
        await self.client.__aenter__()
        await self.client.wait_connected(10)
        self._task = asyncio.create_task(self._work())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.close()
        if self._task is not None:
            await self._task

    async def _work(self) -> None:
        async for message in self.client.messages():
            self.copies[message.payload] += 1
            if self._deaf_to > 0 and "/status" not in message.topic:
                self._deaf_to -= 1
            else:
                self._take(message)
            self.client.ack([message])
            self._took.set()

    async def next_message(self) -> None:
        """Until something more has been taken."""
        self._took.clear()
        await self._took.wait()

    def beats(self, terminal: object) -> int:
        """How many plain heartbeats a terminal has sent."""
        return sum(s.state == "heartbeat" and s.command is None for s in self.status[str(terminal)])

    def _take(self, message: Published) -> None:
        topic = parse_up(message.topic)
        assert topic is not None
        terminal, now = str(topic.terminal_id), datetime.now(UTC)
        receipt: Receipt
        try:
            if topic.channel is UpChannel.STATUS:
                self.status[terminal].append(decode_status(message.payload))
                return
            if topic.channel is UpChannel.VITALS:
                vitals = decode_vitals(message.payload)
                self.vitals[terminal, vitals.seq] = vitals
                self.has_vitals.set()
                receipt = VitalsReceipt(seq_ranges([vitals.seq]), now)
            else:
                alarm = decode_alarm(message.payload, now)
                self.alarms.setdefault(alarm.id, alarm)
                receipt = AlarmReceipt(alarm.id, "received", now)
        except MalformedMessage as error:
            receipt = error.receipt(topic.channel.value, now)
        self.client.publish_soon(down_topic(terminal, DownChannel.RECEIPT), encode_receipt(receipt))
