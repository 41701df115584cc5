"""The bytes under the MQTT client: one buffered, non-blocking socket that knows where packets end.

paho does the protocol, but it reads a message in four system calls and some 20 µs of Python. At tens of
thousands of messages a second that is the whole processor, so incoming PUBLISH packets are cut out here
and never reach paho; every other packet is handed on to it untouched. Writes are collected and leave in
one system call.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from typing import Final, NamedTuple

RECEIVE_BYTES: Final = 256 * 1024
PINGREQ: Final = b"\xc0\x00"
DISCONNECT: Final = b"\xe0\x00"
_PUBLISH: Final = 3
_QOS2: Final = 2


class Published(NamedTuple):
    """One incoming PUBLISH. ``mid`` is 0 at QoS 0; ``connection`` counts the client's connections."""

    topic: str
    payload: bytes
    mid: int
    qos: int
    duplicate: bool
    retained: bool
    connection: int


class ProtocolError(Exception):
    """The broker sent what MQTT 3.1.1 does not allow here; the connection is of no more use."""


class PacketSplitter:
    """Cuts a byte stream into PUBLISH messages and everything else. Pure: bytes in, packets out.

    A payload longer than ``max_payload`` is cut to that length and the rest is skipped: the message still
    comes through (and is refused for its size) instead of blocking the stream or filling the memory.
    """

    def __init__(self, connection: int, max_payload: int) -> None:
        self._connection = connection
        self._max_payload = max_payload
        self._rest = b""
        self._skip = 0

    def feed(self, data: bytes, publish: Callable[[Published], None], other: Callable[[bytes], None]) -> None:
        """Take in received bytes and hand on each complete packet, in order.

        Raises ``ProtocolError``.
        """
        if self._skip:
            skipped = min(self._skip, len(data))
            self._skip -= skipped
            data = data[skipped:]
        if self._rest:
            data = self._rest + data
        position, size = 0, len(data)
        while size - position >= 2:
            start, length = position + 1, data[position + 1]
            if length > 127:
                decoded = _long_length(data, start, size)
                if decoded is None:
                    break
                length, start = decoded
            else:
                start += 1
            end = start + length
            first = data[position]
            if first >> 4 == _PUBLISH:
                if end > size:
                    if length <= self._max_payload or size - start < self._max_payload:
                        break
                    self._skip, end = end - size, size
                publish(self._message(data, first, start, end))
            elif end > size:
                break
            else:
                other(data[position:end])
            position = end
        self._rest = data[position:]

    def _message(self, data: bytes, first: int, start: int, end: int) -> Published:
        if end - start < 2:
            raise ProtocolError("a PUBLISH without a topic")
        after = start + 2 + (data[start] << 8 | data[start + 1])
        topic = data[start + 2 : after]
        qos, mid = first >> 1 & 3, 0
        if qos:
            if qos >= _QOS2:
                raise ProtocolError("a QoS was granted that nobody asked for")
            mid = int.from_bytes(data[after : after + 2], "big")
            after += 2
        if after > end:
            raise ProtocolError("a PUBLISH shorter than its own header")
        if end - after > self._max_payload:
            end = after + self._max_payload
        return Published(
            topic.decode("utf-8", "replace"),
            data[after:end],
            mid,
            qos,
            bool(first & 8),
            bool(first & 1),
            self._connection,
        )


def _long_length(data: bytes, start: int, size: int) -> tuple[int, int] | None:
    """Remaining length of two to four bytes, and where the packet goes on; ``None`` when more must come."""
    length = 0
    for index in range(4):
        if start + index >= size:
            return None
        byte = data[start + index]
        length |= (byte & 127) << 7 * index
        if byte < 128:
            return length, start + index + 1
    raise ProtocolError("a remaining length of more than four bytes")


def remaining_length(length: int) -> bytes:
    """A packet's remaining length as MQTT writes it: seven bits a byte, the lowest first."""
    encoded = bytearray()
    while length > 127:
        encoded.append(length & 127 | 128)
        length >>= 7
    encoded.append(length)
    return bytes(encoded)


class PacketSocket:
    """What paho takes for its socket (its ``SocketLike``): reads come out of the splitter, writes collect.

    ``broken`` is set when the peer is gone; paho then reads the end of the stream and closes.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._incoming = bytearray()
        self._outgoing = bytearray()
        self.broken = False

    # What paho calls.

    def recv(self, buffer_size: int) -> bytes:
        """The next bytes for paho: only packets that the splitter passed on."""
        if not self._incoming:
            if self.broken:
                return b""
            raise BlockingIOError
        part = bytes(self._incoming[:buffer_size])
        del self._incoming[:buffer_size]
        return part

    def send(self, buffer: bytes | bytearray) -> int:
        """Collect a packet. Nothing is written before ``flush``."""
        self._outgoing += buffer
        return len(buffer)

    def close(self) -> None:
        """Close at once."""
        self._sock.close()

    def fileno(self) -> int:
        """The descriptor the event loop watches."""
        return self._sock.fileno()

    def setblocking(self, flag: bool) -> None:  # noqa: FBT001, RUF100 - paho's signature
        """The socket never blocks; paho only ever asks for that."""
        self._sock.setblocking(flag)

    # What the client calls.

    def receive(self) -> bytes:
        """Bytes from the network; empty when there are none or when the connection has ended (``broken``)."""
        try:
            data = self._sock.recv(RECEIVE_BYTES)
        except (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return b""
        except OSError:
            data = b""
        if not data:
            self.broken = True
        return data

    @property
    def has_decrypted(self) -> bool:
        """TLS keeps bytes that the event loop cannot see; they must be asked for."""
        return isinstance(self._sock, ssl.SSLSocket) and self._sock.pending() > 0

    def hand_on(self, packet: bytes) -> None:
        """Give paho a packet to read."""
        self._incoming += packet

    @property
    def has_incoming(self) -> bool:
        """Whether paho has packets to read."""
        return bool(self._incoming)

    @property
    def unsent(self) -> int:
        """Bytes collected and not yet taken by the network."""
        return len(self._outgoing)

    def flush(self) -> bool:
        """Write what the network takes now. ``False`` when some is left over, or when it broke."""
        while self._outgoing:
            try:
                written = self._sock.send(self._outgoing)
            except (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return False
            except OSError:
                self.broken = True
                return False
            del self._outgoing[:written]
        return True

    async def finish(self) -> None:
        """Write everything, then wait for the peer to close; the caller bounds the time.

        Closing over unread bytes would reset the connection, and a reset can overtake the last
        acknowledgements: the peer would never read them.
        """
        while not self.flush() and not self.broken:  # noqa: ASYNC110 - bounded, and at the very end
            await asyncio.sleep(0.005)
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)
        while not self.broken:
            if not self.receive():
                await asyncio.sleep(0.005)


async def open_socket(host: str, port: int, tls: ssl.SSLContext | None) -> socket.socket:
    """A connected, non-blocking socket (TLS shaken hands where a context is given).

    Tries every address of the host in turn; raises the last ``OSError``. The caller bounds the time.
    """
    loop = asyncio.get_running_loop()
    last_error: OSError | None = None
    for family, kind, proto, _, address in await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        sock = socket.socket(family, kind, proto)
        try:
            sock.setblocking(False)
            # Without it the kernel holds small packets back, and a receipt is a small packet.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await loop.sock_connect(sock, address)
            if tls is None:
                return sock
            secured = tls.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
            sock = secured
            await _shake_hands(secured)
        except OSError as error:
            sock.close()
            last_error = error
        except BaseException:
            sock.close()
            raise
        else:
            return secured
    raise last_error or OSError(f"no address for {host}")


async def _shake_hands(sock: ssl.SSLSocket) -> None:
    while True:
        try:
            sock.do_handshake()
        except ssl.SSLWantReadError:
            await _ready(sock, write=False)
        except ssl.SSLWantWriteError:
            await _ready(sock, write=True)
        else:
            return


async def _ready(sock: ssl.SSLSocket, *, write: bool) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()

    def wake() -> None:
        if not ready.done():
            ready.set_result(None)

    add, remove = (loop.add_writer, loop.remove_writer) if write else (loop.add_reader, loop.remove_reader)
    descriptor = sock.fileno()
    add(descriptor, wake)
    try:
        await ready
    finally:
        remove(descriptor)
