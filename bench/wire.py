"""MQTT with as little as possible: what the platform's own client is measured against, and what loads it.

Publishers and a reader on plain asyncio protocols. They repeat nothing and check nothing beyond what a benchmark
needs.
"""

import asyncio
from collections.abc import Callable
from itertools import count
from typing import Final, cast

from devices.mqtt_packets import CONNACK, CONNECT, DISCONNECT, PUBACK, PUBLISH, SUBACK, SUBSCRIBE, header, packet

CLEAN: Final = 0x02
WITH_WILL: Final = 0x0C  # at QoS 1
WITH_LOGIN: Final = 0xC0
_CONNECT_FLAGS_AT: Final = b"\x00\x04MQTT\x04"


def connect_packet(
    client_id: str,
    username: str,
    password: str,
    *,
    clean: bool,
    keep_alive: int = 0,
    will: tuple[str, str] | None = None,
) -> bytes:
    """CONNECT with a login; keep-alive in seconds (0: none), last will as (topic, payload)."""
    flags = bytes([WITH_LOGIN | (CLEAN if clean else 0) | (WITH_WILL if will else 0)])
    fields = b"".join(_text(field) for field in (client_id, *(will or ()), username, password))
    return packet(CONNECT << 4, _CONNECT_FLAGS_AT + flags + keep_alive.to_bytes(2, "big") + fields)


def subscribe_packet(*topic_filters: str) -> bytes:
    """SUBSCRIBE at QoS 1."""
    filters = b"".join(_text(topic_filter) + b"\x01" for topic_filter in topic_filters)
    return packet(SUBSCRIBE << 4 | 2, b"\x00\x01" + filters)


def publish_packet(topic: bytes, payload: bytes, packet_id: int) -> bytes:
    """PUBLISH at QoS 1."""
    return packet(PUBLISH << 4 | 2, len(topic).to_bytes(2, "big") + topic + packet_id.to_bytes(2, "big") + payload)


class Wire(asyncio.Protocol):
    """One connection. ``on_publish`` gets topic, packet id and payload of every incoming PUBLISH."""

    def __init__(
        self,
        on_publish: Callable[[bytes, bytes, bytes], None] | None = None,
        on_lost: Callable[[], None] | None = None,
    ) -> None:
        self.acknowledged = 0
        self.writable = asyncio.Event()
        self.writable.set()
        self._on_publish = on_publish
        self._on_lost = on_lost
        self._buffer = bytearray()
        self._greeted: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._subscribed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._counted: tuple[int, asyncio.Future[None]] | None = None
        self._ids = count()
        self.transport: asyncio.WriteTransport

    @classmethod
    async def open(
        cls,
        door: tuple[str, int],
        login: tuple[str, str, str],
        *,
        clean: bool = True,
        on_publish: Callable[[bytes, bytes, bytes], None] | None = None,
    ) -> "Wire":
        """Connect to host and port as (client id, user, password). Raises ConnectionError when refused."""
        _, wire = await asyncio.get_running_loop().create_connection(lambda: cls(on_publish), *door)
        wire.transport.write(connect_packet(*login, clean=clean))
        await wire.greeted()
        return wire

    async def greeted(self) -> None:
        """Returns when the login is accepted. Raises ConnectionError."""
        code = await self._greeted
        if code:
            raise ConnectionError(f"the broker refused the login with code {code}")

    async def subscribe(self, *topic_filters: str) -> None:
        """Returns when it is granted. Raises ConnectionError."""
        self.transport.write(subscribe_packet(*topic_filters))
        await self._subscribed

    def publish(self, topic: bytes, payload: bytes) -> None:
        """At QoS 1; ``acknowledged`` counts the answers."""
        self.transport.write(publish_packet(topic, payload, next(self._ids) % 65_535 + 1))

    async def wait_acknowledged(self, messages: int) -> None:
        """Until so many publishes in all have been acknowledged."""
        if self.acknowledged < messages:
            self._counted = (messages, asyncio.get_running_loop().create_future())
            await self._counted[1]

    def close(self) -> None:
        """Leave."""
        self.transport.write(packet(DISCONNECT << 4, b""))
        self.transport.close()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.WriteTransport", transport)  # uvloop's is none by inheritance

    def connection_lost(self, error: Exception | None) -> None:
        for waited in (self._greeted, self._subscribed):
            if not waited.done():
                waited.set_exception(error or ConnectionError("the broker hung up"))
                waited.exception()  # looked at: nobody may be waiting for it
        if self._on_lost is not None:
            self._on_lost()

    def pause_writing(self) -> None:
        self.writable.clear()

    def resume_writing(self) -> None:
        self.writable.set()

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        position = 0
        while len(buffer) - position >= 2:
            found = header(buffer, position)
            if found is None or found[1] + found[2] > len(buffer):
                break
            first, start, length = found
            self._take(first, start, start + length)
            position = start + length
        del buffer[:position]

    def _take(self, first: int, start: int, end: int) -> None:
        kind = first >> 4
        buffer = self._buffer
        if kind == PUBLISH and self._on_publish is not None:
            after = start + 2 + (buffer[start] << 8 | buffer[start + 1])
            topic = bytes(buffer[start + 2 : after])
            body = after + 2 if first & 0x06 else after
            self._on_publish(topic, bytes(buffer[after:body]), bytes(buffer[body:end]))
        elif kind == PUBACK:
            self.acknowledged += 1
            if self._counted is not None and self.acknowledged >= self._counted[0]:
                self._counted[1].set_result(None)
                self._counted = None
        elif kind == CONNACK:
            self._greeted.set_result(buffer[start + 1])
        elif kind == SUBACK:
            self._subscribed.set_result(None)


def _text(value: str) -> bytes:
    encoded = value.encode()
    return len(encoded).to_bytes(2, "big") + encoded
