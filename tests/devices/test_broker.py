"""The embedded broker against a bare client: the protocol's promises, and what it must survive."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable
from typing import ClassVar

import pytest

from devices import mqtt_packets as mqtt
from devices.broker import PACKET_LIMIT, Broker
from services.terminals.broker_policy import SERVICE_USER, may_connect

ONE = "0190f5a2-0000-7000-8000-000000000001"
TWO = "0190f5a2-0000-7000-8000-000000000002"
WAIT = 2.0
GOOD = "good"


class OnePassword:
    """A gate where every password is `good`."""

    def __init__(self) -> None:
        self.gone: set[str] = set()

    async def admit(self, connect: mqtt.Connect) -> int:
        await asyncio.sleep(0)
        right = connect.password == "good" and may_connect(connect.username, connect.client_id)
        return mqtt.ACCEPTED if right else mqtt.NOT_AUTHORIZED

    async def withdrawn(self, usernames: list[str]) -> set[str]:
        return self.gone & set(usernames)

    async def wait_for_change(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Client:
    """Speaks raw MQTT."""

    opened: ClassVar[list["Client"]] = []

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.opened.append(self)

    @classmethod
    async def open(cls, port: int) -> "Client":
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def packet(self) -> tuple[int, bytes]:
        async with asyncio.timeout(WAIT):
            first = (await self.reader.readexactly(1))[0]
            length, shift = 0, 0
            while True:
                byte = (await self.reader.readexactly(1))[0]
                length |= (byte & 0x7F) << shift
                shift += 7
                if not byte & 0x80:
                    return first, await self.reader.readexactly(length)

    async def ended(self) -> bool:
        """Whether the broker closes the connection."""
        try:
            async with asyncio.timeout(WAIT):
                while await self.reader.read(4096):
                    pass
        except ConnectionError:
            return True
        except TimeoutError:
            return False
        return True

    async def silent(self, seconds: float = 0.2) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return not await self.reader.read(1)
        except TimeoutError:
            return True

    def send(self, kind: int, body: bytes = b"", flags: int = 0) -> None:
        self.writer.write(mqtt.packet(kind << 4 | flags, body))

    def publish(self, topic: str, payload: bytes, qos: int = 1, packet_id: int = 1) -> None:
        self.writer.write(mqtt.publish_packet(mqtt.Message(topic, payload, qos), qos, packet_id))

    async def subscribe(self, topic_filter: str, qos: int = 1) -> int:
        self.send(mqtt.SUBSCRIBE, b"\x00\x09" + text(topic_filter) + bytes([qos]), 2)
        first, body = await self.packet()
        assert first == mqtt.SUBACK << 4
        return body[2]

    async def message(self) -> mqtt.Publish:
        first, body = await self.packet()
        assert first >> 4 == mqtt.PUBLISH
        return mqtt.read_publish(first & 0x0F, body)

    def acknowledge(self, packet_id: int) -> None:
        self.writer.write(mqtt.acknowledgement(mqtt.PUBACK, packet_id))

    def drop(self) -> None:
        """Vanish without a good-bye."""
        self.writer.transport.abort()


def text(value: str) -> bytes:
    encoded = value.encode()
    return len(encoded).to_bytes(2, "big") + encoded


def connect_body(
    client_id: str,
    username: str,
    password: str = GOOD,
    *,
    clean: bool = True,
    keep_alive: int = 60,
    will: tuple[str, bytes] | None = None,
    level: int = 4,
) -> bytes:
    flags = 0xC0 | (2 if clean else 0) | (0x0C if will else 0)
    fields = text(client_id) + (text(will[0]) + text(will[1].decode()) if will else b"")
    return (
        text("MQTT")
        + bytes([level, flags])
        + keep_alive.to_bytes(2, "big")
        + fields
        + text(username)
        + text(password)
    )


@pytest.fixture(autouse=True)
async def closed_clients() -> AsyncIterator[None]:
    """Closes what a test opened."""
    yield
    for client in Client.opened:
        client.writer.close()
        with contextlib.suppress(ConnectionError):
            await client.writer.wait_closed()
    Client.opened.clear()


@pytest.fixture
async def gate() -> OnePassword:
    return OnePassword()


@pytest.fixture
async def port(gate: OnePassword, free_port: Callable[[], int]) -> AsyncIterator[int]:
    chosen = free_port()
    broker = Broker(gate)
    await broker.start("127.0.0.1", chosen)
    yield chosen
    await broker.stop()


async def connected(port: int, client_id: str, username: str | None = None, **options: object) -> Client:
    client = await Client.open(port)
    client.send(mqtt.CONNECT, connect_body(client_id, username or client_id, **options))  # type: ignore[arg-type]
    first, body = await client.packet()
    assert (first, body[1]) == (mqtt.CONNACK << 4, mqtt.ACCEPTED)
    return client


async def service(port: int, client_id: str = "guoyuan-test", **options: object) -> Client:
    client = await connected(port, client_id, SERVICE_USER, **options)
    assert await client.subscribe("gy/v1/+/up/#") == 1
    return client


async def test_a_message_reaches_its_subscriber_and_is_acknowledged(port: int) -> None:
    platform, terminal = await service(port), await connected(port, ONE)
    terminal.publish(f"gy/v1/{ONE}/up/alarm", b"{}", packet_id=7)
    assert await terminal.packet() == (mqtt.PUBACK << 4, b"\x00\x07")
    received = await platform.message()
    assert received.message == mqtt.Message(f"gy/v1/{ONE}/up/alarm", b"{}", 1)


async def test_the_platform_reaches_one_terminal_only(port: int) -> None:
    platform, one, two = await service(port), await connected(port, ONE), await connected(port, TWO)
    assert await one.subscribe(f"gy/v1/{ONE}/down/#") == 1
    assert await two.subscribe(f"gy/v1/{TWO}/down/receipt") == 1
    platform.publish(f"gy/v1/{ONE}/down/receipt", b"r", qos=0)
    assert (await one.message()).message.payload == b"r"
    assert await two.silent()


@pytest.mark.parametrize(("username", "password"), [(ONE, "wrong"), (TWO, "good"), ("root", "good")])
async def test_a_wrong_login_is_refused_and_leaves_the_right_one_alone(
    port: int, username: str, password: str
) -> None:
    platform, terminal = await service(port), await connected(port, ONE, clean=False)
    intruder = await Client.open(port)
    intruder.send(mqtt.CONNECT, connect_body(ONE, username, password))
    assert (await intruder.packet())[1][1] == mqtt.NOT_AUTHORIZED
    assert await intruder.ended()
    terminal.publish(f"gy/v1/{ONE}/up/alarm", b"still here")
    assert (await platform.message()).message.payload == b"still here"


async def test_a_foreign_topic_is_dropped_and_the_connection_stays(port: int) -> None:
    platform, terminal = await service(port), await connected(port, ONE)
    terminal.publish(f"gy/v1/{TWO}/up/alarm", b"not mine")
    assert (await terminal.packet())[0] == mqtt.PUBACK << 4
    assert await terminal.subscribe(f"gy/v1/{TWO}/down/receipt") == mqtt.SUBSCRIPTION_REFUSED
    assert await terminal.subscribe("#") == mqtt.SUBSCRIPTION_REFUSED
    assert await terminal.subscribe("gy/v1/#/up") == mqtt.SUBSCRIPTION_REFUSED
    terminal.publish(f"gy/v1/{ONE}/up/alarm", b"mine")
    assert (await platform.message()).message.payload == b"mine"


async def test_what_was_not_acknowledged_comes_again_after_a_reconnect(port: int) -> None:
    platform, terminal = await service(port, clean=False), await connected(port, ONE)
    for number in range(3):
        terminal.publish(f"gy/v1/{ONE}/up/vitals", str(number).encode(), packet_id=number + 1)
    first = await platform.message()
    platform.acknowledge(first.packet_id)
    assert (await platform.message()).message.payload == b"1"
    await asyncio.sleep(0.05)
    platform.drop()
    await asyncio.sleep(0.05)
    terminal.publish(f"gy/v1/{ONE}/up/vitals", b"3", packet_id=9)  # nobody is there
    await terminal.packet()
    again = await Client.open(port)
    again.send(mqtt.CONNECT, connect_body("guoyuan-test", SERVICE_USER, clean=False))
    assert await again.packet() == (mqtt.CONNACK << 4, b"\x01\x00")  # session present
    assert [(await again.message()).message.payload for _ in range(3)] == [b"1", b"2", b"3"]


async def test_a_clean_session_forgets(port: int) -> None:
    platform, terminal = await service(port, clean=False), await connected(port, ONE)
    platform.drop()
    await asyncio.sleep(0.05)
    terminal.publish(f"gy/v1/{ONE}/up/vitals", b"lost")
    await terminal.packet()
    again = await service(port)
    assert await again.silent()


async def test_a_new_connection_takes_over_its_own_session(port: int) -> None:
    old, terminal = await service(port, clean=False), await connected(port, ONE)
    new = await Client.open(port)
    new.send(mqtt.CONNECT, connect_body("guoyuan-test", SERVICE_USER, clean=False))
    assert await new.packet() == (mqtt.CONNACK << 4, b"\x01\x00")
    assert await old.ended()
    terminal.publish(f"gy/v1/{ONE}/up/alarm", b"after")
    assert (await new.message()).message.payload == b"after"


async def test_the_will_goes_out_when_a_terminal_vanishes(port: int) -> None:
    platform = await service(port)
    terminal = await connected(port, ONE, will=(f"gy/v1/{ONE}/up/status", b"offline"))
    terminal.drop()
    assert (await platform.message()).message.payload == b"offline"


async def test_the_will_stays_when_it_says_good_bye_or_names_a_foreign_topic(port: int) -> None:
    platform = await service(port)
    polite = await connected(port, ONE, will=(f"gy/v1/{ONE}/up/status", b"offline"))
    polite.send(mqtt.DISCONNECT)
    liar = await connected(port, ONE, will=(f"gy/v1/{TWO}/up/alarm", b"sos"))
    liar.drop()
    assert await platform.silent()


async def test_a_silent_terminal_is_missed_after_one_and_a_half_keep_alives(port: int) -> None:
    platform = await service(port)
    await connected(port, ONE, keep_alive=1, will=(f"gy/v1/{ONE}/up/status", b"offline"))
    async with asyncio.timeout(4):
        first, body = 0, b""
        while not first:
            try:
                first, body = await platform.packet()
            except TimeoutError:
                continue
    assert mqtt.read_publish(first & 0x0F, body).message.payload == b"offline"


async def test_qos_2_counts_once(port: int) -> None:
    platform, terminal = await service(port), await connected(port, ONE)
    for _ in range(2):
        terminal.publish(f"gy/v1/{ONE}/up/vitals", b"twice", qos=2, packet_id=5)
        assert await terminal.packet() == (mqtt.PUBREC << 4, b"\x00\x05")
    terminal.send(mqtt.PUBREL, b"\x00\x05", 2)
    assert await terminal.packet() == (mqtt.PUBCOMP << 4, b"\x00\x05")
    assert (await platform.message()).message.payload == b"twice"
    assert await platform.silent()


async def test_another_protocol_version_is_told_so(port: int) -> None:
    client = await Client.open(port)
    client.send(mqtt.CONNECT, connect_body(ONE, ONE, level=5))
    assert (await client.packet())[1][1] == mqtt.WRONG_PROTOCOL
    assert await client.ended()


async def test_a_withdrawn_terminal_is_disconnected(gate: OnePassword, free_port: Callable[[], int],
                                                    monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setattr("devices.broker.WITHDRAWN_SECONDS", 0.05)
    broker, chosen = Broker(gate), free_port()
    await broker.start("127.0.0.1", chosen)
    terminal, other = await connected(chosen, ONE), await connected(chosen, TWO)
    gate.gone = {ONE}
    assert await terminal.ended()
    other.send(mqtt.PINGREQ)
    assert (await other.packet())[0] == mqtt.PINGRESP << 4
    await broker.stop()


BAD_FIRST_PACKETS = {
    "http": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "publish first": mqtt.publish_packet(mqtt.Message("gy/v1/x/up/alarm", b"", 0), 0, 0),
    "length without end": b"\x10\xff\xff\xff\xff\xff",
    "announced 200 MB": b"\x10\xff\xff\xff\x60",
    "truncated fields": mqtt.packet(0x10, b"\x00\x04MQTT\x04\xc2\x00\x3c\x00\x50ab"),
    "not utf-8": mqtt.packet(0x10, b"\x00\x04MQTT\x04\x02\x00\x3c\x00\x02\xff\xfe"),
    "reserved flag": mqtt.packet(0x10, b"\x00\x04MQTT\x04\x03\x00\x3c\x00\x01a"),
    "empty": mqtt.packet(0x10, b""),
    "zeros": b"\x00" * 64,
}


@pytest.mark.parametrize("data", BAD_FIRST_PACKETS.values(), ids=BAD_FIRST_PACKETS.keys())
async def test_garbage_ends_only_its_own_connection(port: int, data: bytes) -> None:
    platform, terminal = await service(port), await connected(port, ONE)
    stranger = await Client.open(port)
    stranger.writer.write(data)
    assert await stranger.ended()
    terminal.publish(f"gy/v1/{ONE}/up/alarm", b"alive")
    assert (await platform.message()).message.payload == b"alive"


BAD_LATER_PACKETS = {
    "second connect": mqtt.packet(0x10, connect_body(ONE, ONE)),
    "qos 3": mqtt.packet(0x36, b"\x00\x01a\x00\x01x"),
    "wildcard topic": mqtt.packet(0x32, text(f"gy/v1/{ONE}/up/#") + b"\x00\x01x"),
    "empty topic": mqtt.packet(0x32, b"\x00\x00\x00\x01x"),
    "packet id 0": mqtt.packet(0x32, text(f"gy/v1/{ONE}/up/alarm") + b"\x00\x00x"),
    "subscribe flags": mqtt.packet(0x80, b"\x00\x01" + text("a") + b"\x00"),
    "subscribe empty": mqtt.packet(0x82, b"\x00\x01"),
    "short puback": mqtt.packet(0x40, b"\x01"),
    "oversized": mqtt.packet(0x32, text(f"gy/v1/{ONE}/up/alarm") + b"\x00\x01" + b"x" * PACKET_LIMIT),
    "reserved": b"\xf0\x00",
}


@pytest.mark.parametrize("data", BAD_LATER_PACKETS.values(), ids=BAD_LATER_PACKETS.keys())
async def test_a_wrong_packet_ends_its_connection(port: int, data: bytes) -> None:
    platform, terminal, bad = await service(port), await connected(port, TWO), await connected(port, ONE)
    bad.writer.write(data)
    assert await bad.ended()
    terminal.publish(f"gy/v1/{TWO}/up/alarm", b"alive")
    assert (await platform.message()).message.payload == b"alive"


async def test_random_bytes_never_end_the_broker(port: int) -> None:
    dice = random.Random(20261122)  # noqa: S311 - the same garbage each time
    for _ in range(200):
        stranger = await Client.open(port)
        if dice.random() < 0.5:
            stranger.send(mqtt.CONNECT, connect_body(ONE, ONE))
        stranger.writer.write(dice.randbytes(dice.randrange(1, 400)))
        await asyncio.sleep(0)
        stranger.drop()
    platform, terminal = await service(port), await connected(port, ONE)
    terminal.publish(f"gy/v1/{ONE}/up/alarm", b"alive")
    assert (await platform.message()).message.payload == b"alive"


async def test_a_packet_may_arrive_byte_by_byte(port: int) -> None:
    platform, terminal = await service(port), await connected(port, ONE)
    data = mqtt.publish_packet(mqtt.Message(f"gy/v1/{ONE}/up/alarm", b"slow", 1), 1, 3)
    for byte in data:
        terminal.writer.write(bytes([byte]))
        await asyncio.sleep(0)
    assert (await platform.message()).message.payload == b"slow"


async def test_a_subscriber_that_does_not_read_costs_bounded_memory(port: int) -> None:
    sleepy, terminal = await connected(port, TWO), await connected(port, ONE)
    assert await sleepy.subscribe(f"gy/v1/{TWO}/down/receipt") == 1
    platform = await service(port)
    for number in range(3_000):
        platform.publish(f"gy/v1/{TWO}/down/receipt", b"x" * 100, packet_id=number + 1)
    await platform.writer.drain()
    terminal.publish(f"gy/v1/{ONE}/up/alarm", b"alive", packet_id=1)
    async with asyncio.timeout(WAIT):
        while (received := await platform.packet())[0] >> 4 != mqtt.PUBLISH:
            pass
    assert mqtt.read_publish(received[0] & 0x0F, received[1]).message.payload == b"alive"
