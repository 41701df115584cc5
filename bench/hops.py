"""The hops of an SOS, each alone: a broker round trip, a commit of one row, a Redis stream."""

import asyncio
import time
from typing import Any, Self

import asyncpg
from redis.asyncio import Redis

from bench.house import BenchTerminal, House
from bench.wire import Wire
from devices.address import MqttAddress
from devices.topics import DownChannel, down_topic

STREAM = "bench:hop"
PAYLOAD = b'{"id":"0123456789abcdef","kind":"sos","at":"2026-11-22T08:00:00.000+08:00","battery":80,"note":"%d"}'
_TABLE = "CREATE TABLE IF NOT EXISTS bench_hop (id bigint PRIMARY KEY, payload text)"
_INSERT = "INSERT INTO bench_hop (id, payload) VALUES ($1, $2)"


class Hops:
    """Open connections for the three; used as ``async with``."""

    def __init__(self, house: House, terminal: BenchTerminal) -> None:
        self._house = house
        self._terminal = terminal
        self._arrived: asyncio.Future[float]
        self._number = 0

    async def __aenter__(self) -> Self:
        settings = self._house.settings
        address = MqttAddress.parse(str(settings.mqtt_url))
        name, password = str(self._terminal.id), self._terminal.password
        self._sender = await Wire.open(
            (address.host, address.port), ("guoyuan-bench-hop", str(address.username), str(address.password))
        )
        self._receiver = await Wire.open(
            settings.terminal_broker, (name, name, password), on_publish=self._on_publish
        )
        self._topic = down_topic(name, DownChannel.COMMAND)
        await self._receiver.subscribe(self._topic)
        self._connection: asyncpg.Connection = await self._house.connect()
        await self._connection.execute(_TABLE)
        self._writer, self._reader = (Redis.from_url(str(settings.redis_url)) for _ in range(2))
        self._last = await self._writer.xadd(STREAM, {"data": PAYLOAD})
        await self._reader.ping()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._sender.close()
        self._receiver.close()
        await self._connection.close()
        await self._writer.aclose()
        await self._reader.aclose()

    async def broker(self) -> float:
        """Seconds from publishing at QoS 1 to the arrival at a subscriber."""
        self._arrived = asyncio.get_running_loop().create_future()
        began = time.perf_counter()
        self._sender.publish(self._topic.encode(), PAYLOAD)
        return await self._arrived - began

    async def commit(self) -> float:
        """Seconds of one INSERT with its commit."""
        self._number += 1
        began = time.perf_counter()
        await self._connection.execute(_INSERT, self._number, PAYLOAD.decode())
        return time.perf_counter() - began

    async def redis(self) -> float:
        """Seconds from XADD on one connection to the end of a blocking XREAD on another."""
        reading = asyncio.create_task(self._read())
        await asyncio.sleep(0.002)  # the reader blocks by now
        began = time.perf_counter()
        self._last = await self._writer.xadd(STREAM, {"data": PAYLOAD}, maxlen=1_000, approximate=True)
        return await reading - began

    async def _read(self) -> float:
        answer: Any = await self._reader.xread({STREAM: self._last}, block=2_000)
        if not answer:
            raise TimeoutError("nothing came down the Redis stream")
        return time.perf_counter()

    def _on_publish(self, _topic: bytes, identifier: bytes, _payload: bytes) -> None:
        self._receiver.transport.write(b"\x40\x02" + identifier)
        if not self._arrived.done():
            self._arrived.set_result(time.perf_counter())
