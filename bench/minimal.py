"""The least that could serve a fleet: ``python -m bench.minimal`` reads, copies into a table, commits, answers.

It looks nothing up, judges nothing and keeps no status. It sends receipts, one a message: without them the
terminals would repeat, and the load would be another one.
"""

import asyncio
import sys
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import uvloop

from bench.wire import Wire
from devices.address import MqttAddress
from devices.mqtt_packets import PUBACK, PUBLISH, packet
from devices.topics import UpChannel, up_filter
from services.core.database import asyncpg_url
from services.core.settings import Settings

BATCH = 1_000
_TABLE = (
    "CREATE TABLE IF NOT EXISTS bench_reading (terminal_id uuid, kind text, measured_at timestamptz, value float8,"
    " seq bigint, received_at timestamptz, PRIMARY KEY (terminal_id, kind, measured_at))"
)
_VITALS = f"/{UpChannel.VITALS}".encode()

Message = tuple[bytes, bytes, bytes]


class AnyReading(msgspec.Struct):
    """A reading of any kind."""

    kind: str
    at: datetime
    value: float = 0.0


class AnyMessage(msgspec.Struct):
    """A vitals message."""

    seq: int
    readings: list[AnyReading]


async def serve(settings: Settings, session: str) -> None:
    """Until it is killed."""
    connection = await asyncpg.connect(asyncpg_url(str(settings.database_url)))
    await connection.execute(_TABLE)
    queue: deque[Message] = deque()
    arrived = asyncio.Event()

    def take(*message: bytes) -> None:
        queue.append(message)  # type: ignore[arg-type]  # the wire calls with three
        arrived.set()

    address = MqttAddress.parse(str(settings.mqtt_url))
    login = (session, str(address.username), str(address.password))
    wire = await Wire.open((address.host, address.port), login, clean=False, on_publish=take)
    await wire.subscribe(*(up_filter(channel) for channel in (UpChannel.VITALS, UpChannel.STATUS)))
    while True:
        await arrived.wait()
        arrived.clear()
        while queue:
            batch = [queue.popleft() for _ in range(min(BATCH, len(queue)))]
            wire.transport.write(await _store(connection, batch))


async def _store(connection: asyncpg.Connection, batch: Sequence[Message]) -> bytes:
    decode = msgspec.json.Decoder(AnyMessage).decode
    rows: list[tuple[Any, ...]] = []
    answers = bytearray()
    now = datetime.now(UTC)
    for topic, identifier, payload in batch:
        answers += bytes((PUBACK << 4, 2)) + identifier
        if topic.endswith(_VITALS):
            message = decode(payload)
            terminal = topic.split(b"/")[2]
            rows.extend(
                (UUID(terminal.decode()), r.kind, r.at, r.value, message.seq, now) for r in message.readings
            )
            answers += _receipt(terminal, message.seq, now)
    if rows:
        await connection.copy_records_to_table("bench_reading", records=rows)
    return bytes(answers)


def _receipt(terminal: bytes, seq: int, now: datetime) -> bytes:
    topic = b"gy/v1/" + terminal + b"/down/receipt"
    payload = f'{{"type":"vitals","ranges":[[{seq},{seq}]],"at":"{now.isoformat()}"}}'.encode()
    return packet(PUBLISH << 4, len(topic).to_bytes(2, "big") + topic + payload)


if __name__ == "__main__":
    uvloop.run(serve(Settings(_env_file=None), sys.argv[1]))
