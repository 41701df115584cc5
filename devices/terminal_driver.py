"""A ``TerminalProtocol`` on the network: one MQTT connection, with its heartbeat and its last will."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Self

from devices.client import ConnectionState, LastWill, MqttAddress, MqttClient
from devices.terminal import AlarmNews, TerminalProtocol, encode_message, wire_time
from devices.topics import DownChannel, UpChannel, down_topic, up_topic

HEARTBEAT_SECONDS: Final = 300.0


@dataclass(frozen=True, slots=True)
class TerminalCredential:
    """How one terminal logs in: the user name is its id, the client id as well."""

    id: str
    username: str
    password: str = field(repr=False)
    kind: str = ""

    @classmethod
    def read(cls, entry: Mapping[str, Any]) -> "TerminalCredential":
        """From an entry of ``guoyuan demo credentials --json``. Raises ``ValueError``."""
        try:
            fields = [entry["id"], entry["username"], entry["password"], entry.get("kind", "")]
        except KeyError as error:
            raise ValueError(f"a terminal credential without {error.args[0]}") from None
        return cls(*map(str, fields))


class TerminalDriver:
    """Runs a ``TerminalProtocol`` over MQTT: sends what is due, takes receipts, heartbeats, last will.

    Used as ``async with``; ``measure`` and ``press`` may be called at any time, connected or not.
    """

    def __init__(
        self,
        credential: TerminalCredential,
        address: MqttAddress,
        *,
        first_seq: int | None = None,
        firmware: str = "guoyuan-simulator",
        battery: Callable[[], int] = lambda: 100,
        on_alarm_news: Callable[[AlarmNews], None] | None = None,
    ) -> None:
        self.credential = credential
        # Without durable memory the epoch in milliseconds serves as a number never used before.
        self.protocol = TerminalProtocol(
            int(datetime.now(UTC).timestamp() * 1000) if first_seq is None else first_seq
        )
        self._firmware = firmware
        self._battery = battery
        self._on_alarm_news = on_alarm_news
        self._something = asyncio.Event()
        self._receipt = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._topics = {channel: up_topic(credential.id, channel) for channel in UpChannel}
        self.client = MqttClient(
            MqttAddress(address.host, address.port, credential.username, credential.password, address.tls),
            credential.id,
            will=LastWill(self._topics[UpChannel.STATUS], encode_message({"state": "offline"})),
            on_state=self._on_state,
        )

    async def __aenter__(self) -> Self:
        await self.client.subscribe(
            down_topic(self.credential.id, DownChannel.RECEIPT),
            down_topic(self.credential.id, DownChannel.COMMAND),
        )
        await self.client.__aenter__()
        self._tasks = [
            asyncio.create_task(work(), name=f"{self.credential.id} {work.__name__}")
            for work in (self._listen, self._send_due, self._tell_status)
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        if self.client.state is ConnectionState.CONNECTED:
            # Going on purpose: no last will comes, so it says so itself.
            self.client.publish_soon(self._topics[UpChannel.STATUS], encode_message({"state": "offline"}))
        await self.client.close()

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()

    def measure(self, readings: Sequence[Mapping[str, Any]]) -> int:
        """Queue one vitals message; returns its ``seq``."""
        seq = self.protocol.measure(readings, self._now())
        self._something.set()
        return seq

    def press(self, kind: str, **extra: Any) -> str:
        """Raise an alarm now; returns its id."""
        alarm_id = self.protocol.press(kind, datetime.now(UTC), self._now(), **extra)
        self._something.set()
        return alarm_id

    async def watch(self) -> None:
        """Never returns; raises what one of the driver's own tasks failed with."""
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()

    @property
    def settled(self) -> bool:
        """Whether everything has its receipt."""
        return not self.protocol.pending_vitals and not self.protocol.pending_alarms

    async def wait_settled(self) -> None:
        """Until everything has its receipt."""
        while not self.settled:
            await self.wait_receipt()

    async def wait_receipt(self) -> None:
        """Until the next receipt of any kind."""
        self._receipt.clear()
        await self._receipt.wait()

    def _on_state(self, state: ConnectionState, _reason: str) -> None:
        if state is ConnectionState.CONNECTED:
            self.protocol.on_connected(self._now())
        self._something.set()

    async def _listen(self) -> None:
        async for message in self.client.messages():
            if message.topic.endswith(DownChannel.RECEIPT):
                for news in self.protocol.on_receipt(message.payload):
                    if self._on_alarm_news is not None:
                        self._on_alarm_news(news)
                self._receipt.set()
                self._something.set()
            self.client.ack([message])

    async def _send_due(self) -> None:
        while True:
            self._something.clear()
            await self.client.wait_ready()
            for message in self.protocol.due(self._now()):
                self.client.publish_soon(self._topics[message.channel], message.payload)
            due = self.protocol.next_due()
            timeout = None if due is None else max(0.0, due - self._now())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout):
                    await self._something.wait()

    async def _tell_status(self) -> None:
        seen = 0
        while True:
            await self.client.wait_ready()
            state = "online" if self.client.connections != seen else "heartbeat"
            seen = self.client.connections
            status = {
                "state": state,
                "at": wire_time(datetime.now(UTC)),
                "battery": self._battery(),
                "firmware": self._firmware,
            }
            self.client.publish_soon(self._topics[UpChannel.STATUS], encode_message(status))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    await self.client.wait_lost()
