"""Messages on their way down: stored with the change that caused them, sent from here, marked when sent."""

import asyncio
from typing import Any, Final
from uuid import UUID

import msgspec
import structlog
from sqlalchemy import text

from devices.client import MqttClient
from devices.codecs.registry import NATIVE, encode_answer, encode_command
from devices.lane import Terminals
from devices.messages import Receipt
from devices.topics import DownChannel, down_topic
from services.core.actor import SYSTEM
from services.core.database import DATABASE_AWAY, Database
from services.core.doorbell import Doorbell
from services.terminals.commands.service import note_sent
from services.terminals.models import DOWNLINK_CHANNEL

log = structlog.get_logger("ingest")

LOOK_SECONDS: Final = 5.0
"""How often the table is looked at without having been woken."""
_PUBACK_SECONDS: Final = 5.0
_DUE: Final = text(
    "SELECT id, terminal_id, branch, payload FROM downlink WHERE sent_at IS NULL AND expires_at > :now"
    " ORDER BY id LIMIT 200 FOR UPDATE SKIP LOCKED"
)
_SENT: Final = text("UPDATE downlink SET sent_at = :now WHERE id = ANY (CAST(:ids AS bigint[]))")


async def send_forever(database: Database, client: MqttClient, terminals: Terminals) -> None:
    """Send what is due, at once when woken; a message is marked only after the broker's PUBACK."""
    bell = Doorbell(database.url, DOWNLINK_CHANNEL)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(bell.listen_forever())
        while True:
            await client.wait_ready()
            try:
                while await _send_due(database, client, terminals):
                    pass
            except DATABASE_AWAY as error:
                log.warning("downlink_waits", error=type(error).__name__)
                await asyncio.sleep(0.5)
                continue
            await bell.wait(LOOK_SECONDS)


async def _send_due(database: Database, client: MqttClient, terminals: Terminals) -> bool:
    async with database.unit_of_work(SYSTEM) as work:
        rows = (await work.sql(_DUE, {"now": work.now})).all()
        encoded = [
            await _encoded(terminals, terminal_id, branch, payload) for _, terminal_id, branch, payload in rows
        ]
        async with asyncio.timeout(_PUBACK_SECONDS):
            async with asyncio.TaskGroup() as sending:
                for row, payload in zip(rows, encoded, strict=True):
                    if payload is not None:
                        topic = down_topic(row[1], DownChannel(row[2]))
                        sending.create_task(client.publish(topic, payload))
        if rows:
            await work.sql(_SENT, {"now": work.now, "ids": [row[0] for row in rows]})
            went_out = [row for row, payload in zip(rows, encoded, strict=True) if payload is not None]
            commands = [UUID(row[3]["id"]) for row in went_out if row[2] == DownChannel.COMMAND]
            if commands:
                await note_sent(work, commands)
    return bool(rows)


async def _encoded(terminals: Terminals, terminal_id: UUID, branch: str, message: Any) -> bytes | None:
    """In the terminal's own language; ``None`` where that has no word for it."""
    bound = await terminals.find(terminal_id)
    codec = NATIVE if bound is None else bound.codec
    if branch == DownChannel.COMMAND:
        return encode_command(codec, message)
    return encode_answer(codec, msgspec.convert(message, Receipt), None)
