"""The MQTT client against real brokers: reconnects, manual acknowledgement, back-pressure."""

import asyncio
from contextlib import AsyncExitStack
from uuid import UUID

import pytest

from devices.client import (
    ConnectionRefused,
    ConnectionState,
    LastWill,
    MqttAddress,
    MqttClient,
    MqttClosedError,
)
from devices.topics import DownChannel, UpChannel, down_topic, up_filter, up_topic
from tests.devices.brokers import BrokerUnderTest

VITALS = up_filter(UpChannel.VITALS)


async def take(client: MqttClient, count: int, *, ack: bool = True, seconds: float = 10) -> list[bytes]:
    """The payloads of the next ``count`` messages."""
    payloads: list[bytes] = []
    async with asyncio.timeout(seconds):
        while len(payloads) < count:
            batch = await client.batch(count - len(payloads))
            payloads += [message.payload for message in batch]
            if ack:
                client.ack(batch)
    return payloads


async def nothing_more(client: MqttClient, seconds: float = 0.5) -> bool:
    await asyncio.sleep(seconds)
    return client.waiting == 0


def service(address: MqttAddress, **options: object) -> MqttClient:
    return MqttClient(address, "guoyuan-test", **options)  # type: ignore[arg-type]


def terminal(address: MqttAddress, **options: object) -> MqttClient:
    assert address.username is not None
    return MqttClient(address, address.username, **options)  # type: ignore[arg-type]


async def connected(stack: AsyncExitStack, client: MqttClient) -> MqttClient:
    await stack.enter_async_context(client)
    await client.wait_connected(10)
    return client


async def test_a_message_travels_and_carries_its_topic(
    service_address: MqttAddress, terminal_address: MqttAddress, terminal_id: UUID
) -> None:
    async with AsyncExitStack() as stack:
        receiver = service(service_address)
        await receiver.subscribe(VITALS)
        await connected(stack, receiver)
        sender = await connected(stack, terminal(terminal_address))
        topic = up_topic(terminal_id, UpChannel.VITALS)
        await sender.publish(topic, "体温 36.5".encode())
        [message] = await receiver.batch(10)
        assert (message.topic, message.payload.decode(), message.qos) == (topic, "体温 36.5", 1)
        assert not message.retained
        assert receiver.ack([message]) == 1


async def test_messages_down_at_qos_0_and_1(
    service_address: MqttAddress, terminal_address: MqttAddress, terminal_id: UUID
) -> None:
    receipts = down_topic(terminal_id, DownChannel.RECEIPT)
    async with AsyncExitStack() as stack:
        receiver = await connected(stack, terminal(terminal_address))
        await receiver.subscribe(receipts)
        sender = await connected(stack, service(service_address))
        assert sender.try_publish(receipts, b"zero" * 100)
        await sender.publish(receipts, b"one")
        assert sorted(await take(receiver, 2)) == [b"one", b"zero" * 100]


async def test_what_was_not_acknowledged_comes_again_and_nothing_else(
    service_address: MqttAddress, terminal_address: MqttAddress, terminal_id: UUID
) -> None:
    topic = up_topic(terminal_id, UpChannel.VITALS)
    async with AsyncExitStack() as stack:
        sender = await connected(stack, terminal(terminal_address))
        async with service(service_address) as receiver:
            await receiver.subscribe(VITALS)
            await receiver.wait_connected(10)
            for number in range(20):
                await sender.publish(topic, b"%d" % number)
            assert await take(receiver, 10) == [b"%d" % n for n in range(10)]
            assert len(await take(receiver, 10, ack=False)) == 10
        async with service(service_address) as again:
            await again.wait_connected(10)
            assert await take(again, 10) == [b"%d" % n for n in range(10, 20)]
        async with service(service_address) as last:
            await last.wait_connected(10)
            assert await nothing_more(last)


async def test_an_acknowledgement_from_an_earlier_connection_is_left_out(
    broker: BrokerUnderTest, service_address: MqttAddress, terminal_address: MqttAddress, terminal_id: UUID
) -> None:
    async with AsyncExitStack() as stack:
        receiver = service(service_address)
        await receiver.subscribe(VITALS)
        await connected(stack, receiver)
        sender = await connected(stack, terminal(terminal_address))
        await sender.publish(up_topic(terminal_id, UpChannel.VITALS), b"kept")
        held = await receiver.batch(1)
        await broker.stop()
        async with asyncio.timeout(10):
            await receiver.wait_lost()
        assert receiver.ack(held) == 0
        await broker.start()
        async with asyncio.timeout(30):
            await receiver.wait_ready()
        [message] = await receiver.batch(1)
        assert (message.payload, message.duplicate) == (b"kept", True)
        assert receiver.ack(held) == 0
        assert receiver.stale_acks == 2
        assert receiver.ack([message]) == 1


async def test_it_comes_back_after_the_broker_was_gone(
    broker: BrokerUnderTest, service_address: MqttAddress, terminal_address: MqttAddress, terminal_id: UUID
) -> None:
    states: list[ConnectionState] = []
    async with AsyncExitStack() as stack:
        receiver = service(service_address, on_state=lambda state, _: states.append(state))
        await receiver.subscribe(VITALS)
        await connected(stack, receiver)
        sender = await connected(stack, terminal(terminal_address))
        await broker.stop()
        waiting = asyncio.create_task(sender.publish(up_topic(terminal_id, UpChannel.VITALS), b"later"))
        await asyncio.sleep(1)
        assert not waiting.done()
        assert not receiver.try_publish(down_topic(terminal_id, DownChannel.RECEIPT), b"")
        await broker.start()
        assert await take(receiver, 1, seconds=30) == [b"later"]
        await waiting
        assert receiver.connections >= 2
        assert states[0] is ConnectionState.CONNECTING
        assert ConnectionState.DISCONNECTED in states
    assert states[-1] is ConnectionState.CLOSED


async def test_a_full_queue_stops_the_reading_and_loses_nothing(
    service_address: MqttAddress, terminal_address: MqttAddress, terminal_id: UUID
) -> None:
    topic, count, body = up_topic(terminal_id, UpChannel.VITALS), 2_000, b"x" * 1_000
    async with AsyncExitStack() as stack:
        receiver = service(service_address, queue_size=100, keepalive=2)
        await receiver.subscribe(VITALS)
        await connected(stack, receiver)
        sender = await connected(stack, terminal(terminal_address, max_inflight=100))
        for first in range(0, count, 100):
            await asyncio.gather(*(sender.publish(topic, b"%d " % n + body) for n in range(first, first + 100)))
        await asyncio.sleep(4)  # twice the keep-alive: the pings must go on while nothing is read
        assert receiver.paused
        assert 100 <= receiver.waiting < 1_000
        assert receiver.connections == 1
        numbers = [int(payload.split()[0]) for payload in await take(receiver, count)]
        assert numbers == list(range(count))
        assert receiver.connections == 1
        assert not receiver.paused


async def test_a_wrong_password_is_refused_and_said_so(broker: BrokerUnderTest, terminal_id: UUID) -> None:
    address = MqttAddress("127.0.0.1", broker.port, str(terminal_id), "wrong")
    async with terminal(address) as client:
        with pytest.raises(ConnectionRefused):
            await client.wait_connected(10)


async def test_a_foreign_branch_reaches_nobody(
    service_address: MqttAddress, terminal_address: MqttAddress, terminal_id: UUID
) -> None:
    foreign = UUID("0190a0b0-0000-7000-8000-00000000beef")
    async with AsyncExitStack() as stack:
        receiver = service(service_address)
        await receiver.subscribe(VITALS)
        await connected(stack, receiver)
        sender = await connected(stack, terminal(terminal_address))
        await sender.publish(up_topic(foreign, UpChannel.VITALS), b"forged")
        await sender.publish(up_topic(terminal_id, UpChannel.VITALS), b"own")
        assert await take(receiver, 1) == [b"own"]
        assert await nothing_more(receiver)


async def test_the_last_will_comes_when_a_terminal_vanishes_and_not_when_it_leaves(
    service_address: MqttAddress, terminal_address: MqttAddress, terminal_id: UUID
) -> None:
    will = LastWill(up_topic(terminal_id, UpChannel.STATUS), b'{"state":"offline"}')
    async with AsyncExitStack() as stack:
        receiver = service(service_address)
        await receiver.subscribe(up_filter(UpChannel.STATUS))
        await connected(stack, receiver)
        async with terminal(terminal_address, will=will) as leaving:
            await leaving.wait_connected(10)
        assert await nothing_more(receiver)
        async with terminal(terminal_address, will=will) as vanishing:
            await vanishing.wait_connected(10)
            vanishing._link._socket._sock.shutdown(2)  # type: ignore[union-attr]
            assert await take(receiver, 1) == [will.payload]


async def test_an_oversized_payload_arrives_cut_and_the_stream_goes_on(
    service_address: MqttAddress, terminal_address: MqttAddress, terminal_id: UUID
) -> None:
    topic = up_topic(terminal_id, UpChannel.VITALS)
    async with AsyncExitStack() as stack:
        receiver = service(service_address, max_payload=70_000)
        await receiver.subscribe(VITALS)
        await connected(stack, receiver)
        sender = await connected(stack, terminal(terminal_address))
        await sender.publish(topic, b"y" * 200_000)
        await sender.publish(topic, b"small")
        big, small = await take(receiver, 2)
        assert 65_536 < len(big) <= 70_000
        assert small == b"small"


async def test_closing_wakes_whoever_waits(service_address: MqttAddress) -> None:
    client = service(service_address)
    async with client:
        await client.wait_connected(10)
        waiting = asyncio.create_task(client.batch(1))
        await asyncio.sleep(0)
    with pytest.raises(MqttClosedError):
        await waiting
    with pytest.raises(MqttClosedError):
        await client.publish("gy/v1/x/down/receipt", b"")
    assert [m async for m in client.messages()] == []


async def test_nobody_there_means_waiting_not_failing(unused_port: int) -> None:
    async with MqttClient(MqttAddress("127.0.0.1", unused_port), "guoyuan-test") as client:
        with pytest.raises(TimeoutError):
            await client.wait_connected(0.5)
        assert client.state in (ConnectionState.DISCONNECTED, ConnectionState.CONNECTING)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("mqtt://u:p%40ss@host:1884", MqttAddress("host", 1884, "u", "p@ss")),
        ("mqtts://host", MqttAddress("host", 8883, tls=True)),
        ("mqtt://[::1]:1", MqttAddress("::1", 1)),
    ],
)
def test_addresses(url: str, expected: MqttAddress) -> None:
    assert MqttAddress.parse(url) == expected
    assert "p@ss" not in repr(MqttAddress.parse(url))


@pytest.mark.parametrize("url", ["http://host", "mqtt://", "host:1883"])
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(ValueError, match="mqtt://"):
        MqttAddress.parse(url)
