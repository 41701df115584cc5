"""Takes vitals from the broker in one way: ``python -m bench.drain WAY MESSAGES SESSION [wait]``.

Prints seconds from the first connection attempt to the last message dealt with, and the processor time of that
span, as JSON. The ways: ``bare`` reads and acknowledges; ``minimal`` decodes, copies into the table, commits and
acknowledges; ``ours`` is the vitals lane of the ingest process; ``copy`` writes the same rows without a broker.
With ``wait``, ``ours`` prints a line when it could begin and begins with the next line of standard input.
"""

import asyncio
import json
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import msgspec
import uvloop

from bench.wire import Wire
from devices.address import MqttAddress
from devices.client import MqttClient, Published
from devices.lane import run_lane
from devices.mqtt_packets import PUBACK
from devices.registry import TerminalRegistry
from devices.topics import UpChannel, up_filter, up_topic
from devices.vitals_lane import ReadBatch, VitalsLane
from services.core.database import Database, asyncpg_url
from services.core.settings import Settings
from services.rules.service import Judge
from services.vitals.repository import READING_COLUMNS

BATCH = 1_000
WAIT = "wait"
Row = tuple[object, ...]
_OWNERS = "SELECT id, resident_id, area_code FROM terminal WHERE resident_id IS NOT NULL ORDER BY id DESC"


class PlainReading(msgspec.Struct):
    """What the minimal way reads of a reading."""

    kind: str
    value: float
    at: datetime


class PlainMessage(msgspec.Struct):
    """What the minimal way reads of a message."""

    seq: int
    readings: list[PlainReading]


async def bare(settings: Settings, messages: int, session: str) -> float:
    """Read and acknowledge; store nothing."""
    done = asyncio.Event()
    taken = 0
    identifiers = bytearray()
    wire: Wire | None = None

    def flush() -> None:
        assert wire is not None  # noqa: S101  planned by a message of its own
        wire.transport.write(bytes(identifiers))
        identifiers.clear()
        if taken >= messages:
            done.set()

    def take(_topic: bytes, identifier: bytes, _payload: bytes) -> None:
        nonlocal taken
        taken += 1
        if not identifiers:
            asyncio.get_running_loop().call_soon(flush)
        identifiers.extend(bytes((PUBACK << 4, 2)) + identifier)

    began = time.perf_counter()
    wire = await _service_wire(settings, session, take)
    await done.wait()
    return time.perf_counter() - began


async def minimal(settings: Settings, messages: int, session: str) -> float:
    """Decode, COPY, commit, acknowledge: no rules, no receipts, nothing looked up."""
    connection = await asyncpg.connect(asyncpg_url(str(settings.database_url)))
    known = {_topic(row["id"]): row for row in await connection.fetch(_OWNERS)}
    decode = msgspec.json.Decoder(PlainMessage).decode
    queue: deque[tuple[bytes, bytes, bytes]] = deque()
    arrived = asyncio.Event()

    def take(*message: bytes) -> None:
        queue.append(message)  # type: ignore[arg-type]  # the wire calls with three
        arrived.set()

    began = time.perf_counter()
    wire = await _service_wire(settings, session, take)
    stored = 0
    while stored < messages:
        await arrived.wait()
        arrived.clear()
        while queue:
            batch = [queue.popleft() for _ in range(min(BATCH, len(queue)))]
            rows: list[Row] = []
            received_at = datetime.now(UTC)
            for topic, _, payload in batch:
                terminal, resident, area = known[topic]
                message = decode(payload)
                rows.extend(
                    (terminal, r.kind, r.at, r.value, "good", message.seq, resident, area, received_at, False)
                    for r in message.readings
                )
            await connection.copy_records_to_table("reading", records=rows, columns=READING_COLUMNS)
            wire.transport.write(b"".join(bytes((PUBACK << 4, 2)) + identifier for _, identifier, _ in batch))
            stored += len(batch)
    seconds = time.perf_counter() - began
    await connection.close()
    return seconds


class CountingLane:
    """The vitals lane, with a signal when so many messages are stored."""

    def __init__(self, lane: VitalsLane, messages: int) -> None:
        self.name = lane.name
        self.batch_size = lane.batch_size
        self.done = asyncio.Event()
        self._lane = lane
        self._left = messages

    async def read(self, batch: Sequence[Published]) -> ReadBatch:
        return await self._lane.read(batch)

    async def store(self, found: ReadBatch) -> None:
        await self._lane.store(found)
        self._left -= len(found.seqs)

    async def store_alone(self, message: Published) -> None:
        await self._lane.store_alone(message)

    def answer(self) -> None:
        self._lane.answer()
        if self._left <= 0:
            self.done.set()


async def ours(settings: Settings, messages: int, session: str) -> float:
    """The vitals lane as the ingest process runs it."""
    database = Database(str(settings.database_url), settings.database_pool_size)
    registry, judge = TerminalRegistry(database), Judge()
    await registry.reload()
    await judge.reload(database)
    await _starting_signal()
    began = time.perf_counter()
    address = MqttAddress.parse(str(settings.mqtt_url))
    async with MqttClient(address, session, queue_size=settings.ingest_queue) as client:
        limits = {"batch_size": settings.ingest_batch, "payload_limit": settings.vitals_payload_limit}
        lane = CountingLane(VitalsLane(database, client, registry, judge, **limits), messages)
        working = asyncio.create_task(run_lane(client, lane))
        await lane.done.wait()
        seconds = time.perf_counter() - began
        working.cancel()
    await database.close()
    return seconds


async def copy(settings: Settings, messages: int, _session: str) -> float:
    """COPY rows that are there already, a batch a commit."""
    connection = await asyncpg.connect(asyncpg_url(str(settings.database_url)))
    owners = [tuple(row) for row in await connection.fetch(f"{_OWNERS} LIMIT 200")]
    now = datetime.now(UTC)
    rows: list[Row] = []
    for number in range(messages):
        at = now - timedelta(hours=1) + timedelta(milliseconds=10 * (number // len(owners)))
        terminal, resident, area = owners[number % len(owners)]
        rows.append((terminal, "heart_rate", at, 72.0, "good", number, resident, area, now, False))
    began = time.perf_counter()
    for start in range(0, messages, BATCH):
        part = rows[start : start + BATCH]
        await connection.copy_records_to_table("reading", records=part, columns=READING_COLUMNS)
    seconds = time.perf_counter() - began
    await connection.close()
    return seconds


async def _starting_signal() -> None:
    if WAIT in sys.argv:
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)


async def subscribe(settings: Settings, session: str, share: str | None = None) -> None:
    """Make the session and leave, so that the broker keeps what comes."""
    wire = await _service_wire(settings, session, None)
    await wire.subscribe(up_filter(UpChannel.VITALS, share=share))
    wire.close()


async def _service_wire(
    settings: Settings, session: str, take: Callable[[bytes, bytes, bytes], None] | None
) -> Wire:
    address = MqttAddress.parse(str(settings.mqtt_url))
    login = (session, str(address.username), str(address.password))
    return await Wire.open((address.host, address.port), login, clean=False, on_publish=take)


def _topic(terminal_id: UUID) -> bytes:
    return up_topic(terminal_id, UpChannel.VITALS).encode()


Way = Callable[[Settings, int, str], Awaitable[float]]
WAYS: dict[str, Way] = {"bare": bare, "minimal": minimal, "ours": ours, "copy": copy}


async def _run(way: str, messages: int, session: str) -> dict[str, float]:
    settings = Settings(_env_file=None)
    processor = time.process_time()
    seconds = await WAYS[way](settings, messages, session)
    used = time.process_time() - processor
    return {"seconds": seconds, "processor": used, "ended": time.perf_counter()}


if __name__ == "__main__":
    print(json.dumps(uvloop.run(_run(sys.argv[1], int(sys.argv[2]), sys.argv[3]))))
