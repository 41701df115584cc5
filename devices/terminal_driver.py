"""A ``TerminalProtocol`` on the network: one MQTT connection, with its heartbeat and its last will."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Self

from devices.client import ConnectionState, LastWill, MqttAddress, MqttClient
from devices.terminal import AlarmNews, Order, TerminalProtocol, encode_message, wire_time
from devices.topics import DownChannel, UpChannel, down_topic, up_topic

HEARTBEAT_SECONDS: Final = 300.0
COMMANDS: Final = frozenset({"test_call", "locate", "set_interval", "speak"})
"""Kinds that this terminal carries out."""

Outcome = dict[str, Any]
"""How a command ended: ``state`` (done, failed or refused), and ``detail`` or ``position``."""


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
        obey: Callable[[Order], Outcome | None] | None = None,
    ) -> None:
        """``obey`` carries out what only the body around the driver can (speak, locate, measure more often).

        It gives ``None`` for what it leaves to the driver.
        """
        self.credential = credential
        # Without durable memory the epoch in milliseconds serves as a number never used before.
        self.protocol = TerminalProtocol(
            int(datetime.now(UTC).timestamp() * 1000) if first_seq is None else first_seq
        )
        self._firmware = firmware
        self._battery = battery
        self._on_alarm_news = on_alarm_news
        self._obey_outside = obey
        self._heartbeat_seconds = HEARTBEAT_SECONDS
        self._beat_again = asyncio.Event()
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
            else:
                self._take_command(message.payload)
            self.client.ack([message])

    def _take_command(self, payload: bytes) -> None:
        order, answer = self.protocol.on_command(payload, datetime.now(UTC), COMMANDS)
        if answer is not None:
            self._send_status("heartbeat", command=answer)
        if order is not None:
            outcome = self._obey_outside(order) if self._obey_outside is not None else None
            outcome = self._obey(order) if outcome is None else outcome
            self._send_status("heartbeat", command=self.protocol.answer_command(order.id, **outcome))

    def _obey(self, order: Order) -> Outcome:
        if order.kind == "test_call":
            self.press("test")
            return {"state": "done"}
        if order.kind == "set_interval" and order.args.get("what") == "heartbeat":
            seconds = order.args.get("seconds")
            if isinstance(seconds, int) and seconds >= 1:
                self._heartbeat_seconds = float(seconds)
                self._beat_again.set()
                return {"state": "done"}
        return {"state": "refused", "detail": "not possible with this terminal"}

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
            self._send_status(state)
            self._beat_again.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._heartbeat_seconds):
                    await self._lost_or_hurried()

    async def _lost_or_hurried(self) -> None:
        """Until the connection is lost or the rhythm of the heartbeat changes."""
        waits = [asyncio.create_task(self.client.wait_lost()), asyncio.create_task(self._beat_again.wait())]
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in waits:
                task.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    def _send_status(self, state: str, **more: Any) -> None:
        status = {
            "state": state,
            "at": wire_time(datetime.now(UTC)),
            "battery": self._battery(),
            "firmware": self._firmware,
            **more,
        }
        self.client.publish_soon(self._topics[UpChannel.STATUS], encode_message(status))
