"""MQTT 3.1.1 packets as the embedded broker reads and writes them: pure functions over bytes.

Section numbers refer to the OASIS standard "MQTT Version 3.1.1".
"""

from dataclasses import dataclass

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = range(1, 8)
SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT = range(8, 15)

# Return codes of CONNACK (3.2.2.3).
ACCEPTED = 0
WRONG_PROTOCOL = 1
CLIENT_ID_REFUSED = 2
UNAVAILABLE = 3
WRONG_PASSWORD = 4
NOT_AUTHORIZED = 5

SUBSCRIPTION_REFUSED = 0x80
PINGRESP_PACKET = bytes([PINGRESP << 4, 0])
PROTOCOL_LEVEL = 4


class ProtocolError(Exception):
    """Bytes that are not MQTT 3.1.1; the connection is closed (4.8)."""


class WrongProtocolError(ProtocolError):
    """A CONNECT of another protocol version; it is answered before the connection is closed (3.1.2.2)."""


@dataclass(frozen=True, slots=True)
class Message:
    """An application message on its way to subscribers."""

    topic: str
    payload: bytes
    qos: int


@dataclass(frozen=True, slots=True)
class Connect:
    """The first packet of a client."""

    client_id: str
    username: str
    password: str
    clean: bool
    keep_alive: int  # seconds; 0: none
    will: Message | None


@dataclass(frozen=True, slots=True)
class Publish:
    """A message from a client, with what its delivery needs."""

    message: Message
    packet_id: int  # 0 with QoS 0


class _Cursor:
    """Reads the fields of a packet one after another; anything missing is a ProtocolError."""

    __slots__ = ("_body", "_position")

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._position = 0

    def take(self, count: int) -> bytes:
        end = self._position + count
        if end > len(self._body):
            raise ProtocolError("a packet ends too early")
        piece = self._body[self._position : end]
        self._position = end
        return piece

    def number(self) -> int:
        return int.from_bytes(self.take(2), "big")

    def binary(self) -> bytes:
        return self.take(self.number())

    def text(self) -> str:
        try:
            value = self.binary().decode()
        except UnicodeDecodeError:
            raise ProtocolError("a string is not UTF-8") from None
        if "\x00" in value:
            raise ProtocolError("a string holds a null character")
        return value

    def rest(self) -> bytes:
        return self.take(len(self._body) - self._position)

    @property
    def done(self) -> bool:
        return self._position == len(self._body)


def header(buffer: bytearray, start: int) -> tuple[int, int, int] | None:
    """First byte, start of the body and its length of the packet at `start`; None when more bytes are needed."""
    length, shift, position = 0, 0, start + 1
    while True:
        if position >= len(buffer):
            return None
        byte = buffer[position]
        length |= (byte & 0x7F) << shift
        position += 1
        if not byte & 0x80:
            return buffer[start], position, length
        shift += 7
        if shift > 21:
            raise ProtocolError("a packet length has more than four bytes")


def read_connect(body: bytes) -> Connect:
    """CONNECT (3.1). Raises WrongProtocolError for another version."""
    cursor = _Cursor(body)
    if cursor.text() != "MQTT":
        raise ProtocolError("not MQTT")
    if cursor.take(1)[0] != PROTOCOL_LEVEL:
        raise WrongProtocolError("not MQTT 3.1.1")
    flags = cursor.take(1)[0]
    will_qos = flags >> 3 & 3
    has_will = bool(flags & 0x04)
    if flags & 0x01 or will_qos == 3 or (not has_will and flags & 0x38) or (flags & 0x40 and not flags & 0x80):
        raise ProtocolError("CONNECT flags contradict each other")
    keep_alive = cursor.number()
    client_id = cursor.text()
    will = None
    if has_will:
        will = Message(checked_topic(cursor.text()), cursor.binary(), will_qos)
    username = cursor.text() if flags & 0x80 else ""
    password = cursor.binary().decode(errors="replace") if flags & 0x40 else ""
    if not cursor.done:
        raise ProtocolError("CONNECT is longer than its fields")
    return Connect(client_id, username, password, bool(flags & 0x02), keep_alive, will)


def read_publish(flags: int, body: bytes) -> Publish:
    """PUBLISH (3.3)."""
    qos = flags >> 1 & 3
    if qos == 3:
        raise ProtocolError("QoS 3 does not exist")
    cursor = _Cursor(body)
    topic = checked_topic(cursor.text())
    packet_id = cursor.number() if qos else 0
    if qos and not packet_id:
        raise ProtocolError("packet identifier 0")
    return Publish(Message(topic, cursor.rest(), qos), packet_id)


def read_packet_id(body: bytes) -> int:
    """The identifier in PUBACK, PUBREC, PUBREL, PUBCOMP."""
    if len(body) != 2:
        raise ProtocolError("an acknowledgement has two bytes")
    return int.from_bytes(body, "big")


def read_subscribe(body: bytes) -> tuple[int, list[tuple[str, int]]]:
    """SUBSCRIBE (3.8): the packet identifier, and filters with the wanted QoS."""
    cursor = _Cursor(body)
    packet_id = cursor.number()
    filters: list[tuple[str, int]] = []
    while not cursor.done:
        topic_filter, qos = cursor.text(), cursor.take(1)[0]
        if qos > 2:
            raise ProtocolError("QoS 3 does not exist")
        filters.append((topic_filter, qos))
    if not filters or not packet_id:
        raise ProtocolError("SUBSCRIBE without a filter or an identifier")
    return packet_id, filters


def read_unsubscribe(body: bytes) -> tuple[int, list[str]]:
    """UNSUBSCRIBE (3.10): the packet identifier and the filters."""
    cursor = _Cursor(body)
    packet_id = cursor.number()
    filters: list[str] = []
    while not cursor.done:
        filters.append(cursor.text())
    if not filters or not packet_id:
        raise ProtocolError("UNSUBSCRIBE without a filter or an identifier")
    return packet_id, filters


def checked_topic(topic: str) -> str:
    """A topic name as it may be published to: not empty, no wildcard (3.3.2.1)."""
    if not topic or "+" in topic or "#" in topic:
        raise ProtocolError("a topic name is empty or holds a wildcard")
    return topic


def is_filter(topic_filter: str) -> bool:
    """Whether the wildcards of a subscription stand where they may (4.7.1)."""
    levels = topic_filter.split("/")
    return bool(topic_filter) and all(
        (level in ("+", "#") or ("+" not in level and "#" not in level))
        and (level != "#" or index == len(levels) - 1)
        for index, level in enumerate(levels)
    )


def packet(first: int, body: bytes) -> bytes:
    """A packet: its first byte, its length in seven-bit groups, its body."""
    out = bytearray([first])
    length = len(body)
    while True:
        length, low = divmod(length, 128)
        out.append(low | (0x80 if length else 0))
        if not length:
            return bytes(out) + body


def publish_packet(message: Message, qos: int, packet_id: int, *, again: bool = False) -> bytes:
    """PUBLISH to a subscriber; `again` sets the DUP flag of a repeated delivery."""
    topic = message.topic.encode()
    identifier = packet_id.to_bytes(2, "big") if qos else b""
    first = PUBLISH << 4 | (0x08 if again else 0) | qos << 1
    return packet(first, len(topic).to_bytes(2, "big") + topic + identifier + message.payload)


def connack(code: int, *, session_present: bool = False) -> bytes:
    """CONNACK (3.2)."""
    return bytes([CONNACK << 4, 2, 1 if session_present and code == ACCEPTED else 0, code])


def acknowledgement(kind: int, packet_id: int) -> bytes:
    """PUBACK, PUBREC, PUBREL, PUBCOMP or UNSUBACK. PUBREL carries the fixed flags 0010 (3.6.1)."""
    return bytes([kind << 4 | (2 if kind == PUBREL else 0), 2]) + packet_id.to_bytes(2, "big")


def suback(packet_id: int, codes: list[int]) -> bytes:
    """SUBACK (3.9): the granted QoS of each filter, or 0x80."""
    return packet(SUBACK << 4, packet_id.to_bytes(2, "big") + bytes(codes))
