"""An MQTT 3.1.1 client for asyncio that never drops a message and never acknowledges one by itself.

Ingest acknowledges to the broker after its commit, in batches, and must neither lose nor drop anything
when it is slow. MQTT 3.1.1, because the embedded broker speaks nothing newer and a persistent session
needs nothing newer.

- Every message is acknowledged by hand (``ack``). What was not acknowledged comes again after a reconnect;
  an acknowledgement for a message of an earlier connection is left out, since packet ids start again.
- When ``queue_size`` messages wait, the socket is not read until half of them are taken: the broker waits.
- Connections are made again for ever, with a jittered back-off, and subscriptions with them.
"""

import asyncio
import contextlib
import struct
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from types import TracebackType
from typing import Final, Self

from devices.address import ConnectionRefused as ConnectionRefused
from devices.address import ConnectionState as ConnectionState
from devices.address import LastWill as LastWill
from devices.address import MqttAddress as MqttAddress
from devices.link import Link
from devices.transport import Published as Published
from devices.transport import remaining_length

MAX_PAYLOAD: Final = 256 * 1024
MAX_UNSENT: Final = 4 * 1024 * 1024
_puback: Final = struct.Struct("!BBH").pack


class MqttClosedError(Exception):
    """The client was closed while somebody waited on it."""


class MqttClient:
    """One connection to a broker, kept alive for the length of its ``async with``.

    ``clean=False`` keeps the session at the broker under ``client_id``: subscriptions and unacknowledged
    messages wait for us. Payloads longer than ``max_payload`` arrive cut to about that length. All methods
    belong to the event loop that entered the context.
    """

    def __init__(
        self,
        address: MqttAddress,
        client_id: str,
        *,
        clean: bool = False,
        queue_size: int = 10_000,
        keepalive: int = 30,
        max_inflight: int = 1_000,
        max_payload: int = MAX_PAYLOAD,
        will: LastWill | None = None,
        on_state: Callable[[ConnectionState, str], None] | None = None,
    ) -> None:
        self.client_id = client_id
        self.stale_acks = 0
        self.received = 0
        self._queue: deque[Published] = deque()
        self._queue_size = queue_size
        self._arrived: asyncio.Future[None] | None = None
        self._paused = False
        self._on_state = on_state
        self._link = Link(
            address,
            client_id,
            clean=clean,
            keepalive=keepalive,
            max_inflight=max_inflight,
            max_payload=max_payload,
            will=will,
            on_message=self._on_message,
            on_state=self._on_link_state,
        )

    async def __aenter__(self) -> Self:
        self._link.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Disconnect (the broker then sends no last will) and end every wait. Safe to repeat."""
        await self._link.close()
        self._wake()

    @property
    def state(self) -> ConnectionState:
        """Where the connection stands now."""
        return self._link.state

    @property
    def connections(self) -> int:
        """How many connections have been made."""
        return self._link.connections

    @property
    def waiting(self) -> int:
        """Messages received and not yet taken."""
        return len(self._queue)

    @property
    def paused(self) -> bool:
        """Whether reading has stopped because too many messages wait."""
        return self._paused

    async def wait_connected(self, seconds: float | None = None) -> None:
        """Until the broker has accepted us and every subscription.

        Raises ``ConnectionRefused`` as soon as the broker refuses, ``TimeoutError``, ``MqttClosedError``.
        """
        link = self._link
        async with asyncio.timeout(seconds):
            while not link.connected:
                if link.state is ConnectionState.REFUSED:
                    raise ConnectionRefused(link.reason)
                await self._next_state()

    async def wait_ready(self) -> None:
        """Until there is a connection, however often it is refused. Raises ``MqttClosedError``."""
        while not self._link.connected:
            await self._next_state()

    async def wait_lost(self) -> None:
        """Until there is no connection. Raises ``MqttClosedError``."""
        while self._link.connected:
            await self._next_state()

    async def _next_state(self) -> None:
        if self._link.closing:
            raise MqttClosedError(self.client_id)
        self._link.changed.clear()
        await self._link.changed.wait()

    # Receiving

    async def subscribe(self, *filters: str, qos: int = 1) -> None:
        """Subscribe now and after every reconnect; returns when the broker has granted it.

        Without a connection it returns at once and the next connection brings it. Raises
        ``ConnectionRefused``.
        """
        self._link.subscriptions.update(dict.fromkeys(filters, qos))
        if self._link.connected:
            with contextlib.suppress(ConnectionError):  # lost meanwhile: the next connection subscribes
                await self._link.send_subscriptions(filters)

    async def batch(self, limit: int) -> list[Published]:
        """Whatever waits: at least one message, at most ``limit``, oldest first. For one consumer.

        Raises ``MqttClosedError`` once the client is closed and nothing waits.
        """
        queue = self._queue
        while not queue:
            if self._link.closing:
                raise MqttClosedError(self.client_id)
            self._arrived = asyncio.get_running_loop().create_future()
            await self._arrived
        if len(queue) <= limit:
            taken = list(queue)
            queue.clear()
        else:
            taken = [queue.popleft() for _ in range(limit)]
        if self._paused and len(queue) <= self._queue_size // 2:
            self._paused = False
            self._link.resume()
        return taken

    async def messages(self) -> AsyncIterator[Published]:
        """One message at a time, until the client is closed. The caller acknowledges each."""
        with contextlib.suppress(MqttClosedError):
            while True:
                for message in await self.batch(1):
                    yield message

    def ack(self, messages: Iterable[Published]) -> int:
        """Tell the broker that these are dealt with, in the order given; returns how many it is told of.

        MQTT wants the order of arrival. Messages of an earlier connection are counted in ``stale_acks``
        and left out: the broker sends them again, and their packet ids may by now mean something else.
        """
        connection = self._link.connections
        with_id = [message for message in messages if message.mid]
        packets = [_puback(0x40, 2, m.mid) for m in with_id if m.connection == connection]
        if packets and not self._link.send(b"".join(packets)):
            packets = []
        self.stale_acks += len(with_id) - len(packets)
        return len(packets)

    # Sending

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Send at QoS 1 and wait for the broker's PUBACK; a reconnect in between sends it again.

        Waits for a connection first. Raises ``MqttClosedError``.
        """
        await self.wait_ready()
        try:
            await self._link.publish(topic, payload, retain=retain)
        except asyncio.CancelledError:
            if self._link.closing:
                raise MqttClosedError(self.client_id) from None
            raise

    def publish_soon(self, topic: str, payload: bytes) -> None:
        """Send at QoS 1 without waiting for the PUBACK; sent after the next reconnect if there is none now.

        For a sender with a bound of its own: nothing here limits how many are under way. Raises ``OSError``
        when all packet ids are in use.
        """
        self._link.publish(topic, payload, retain=False)

    def try_publish(self, topic: str, payload: bytes) -> bool:
        """Send at QoS 0 if that is possible right now; never waits.

        ``False`` without a connection or when the broker reads too slowly. For what is repeated anyway,
        such as a receipt for vitals: the terminal asks for it again by sending again.
        """
        if not self._link.connected or self._link.unsent > MAX_UNSENT:
            return False
        name = topic.encode()
        header = b"\x30" + remaining_length(2 + len(name) + len(payload)) + len(name).to_bytes(2, "big")
        return self._link.send(b"".join((header, name, payload)))

    # What the link tells

    def _on_message(self, message: Published) -> None:
        self.received += 1
        self._queue.append(message)
        if self._arrived is not None:
            self._wake()
        if not self._paused and len(self._queue) >= self._queue_size:
            self._paused = True
            self._link.pause()

    def _wake(self) -> None:
        arrived, self._arrived = self._arrived, None
        if arrived is not None and not arrived.done():
            arrived.set_result(None)

    def _on_link_state(self, state: ConnectionState, reason: str) -> None:
        if self._on_state is not None:
            self._on_state(state, reason)
