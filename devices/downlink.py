"""Messages on their way down: stored with the change that caused them, sent from here, marked when sent."""

import asyncio
from typing import Final

import msgspec
import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from devices.client import MqttClient
from devices.topics import DownChannel, down_topic
from services.core.actor import SYSTEM
from services.core.database import Database
from services.core.doorbell import Doorbell
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


async def send_forever(database: Database, client: MqttClient) -> None:
    """Send what is due, at once when woken; a message is marked only after the broker's PUBACK."""
    bell = Doorbell(database.url, DOWNLINK_CHANNEL)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(bell.listen_forever())
        while True:
            await client.wait_ready()
            try:
                while await _send_due(database, client):
                    pass
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                log.warning("downlink_waits", error=type(error).__name__)
                await asyncio.sleep(0.5)
                continue
            await bell.wait(LOOK_SECONDS)


async def _send_due(database: Database, client: MqttClient) -> bool:
    async with database.unit_of_work(SYSTEM) as work:
        rows = (await work.sql(_DUE, {"now": work.now})).all()
        async with asyncio.timeout(_PUBACK_SECONDS):
            async with asyncio.TaskGroup() as sending:
                for _, terminal_id, branch, payload in rows:
                    topic = down_topic(terminal_id, DownChannel(branch))
                    sending.create_task(client.publish(topic, msgspec.json.encode(payload)))
        if rows:
            await work.sql(_SENT, {"now": work.now, "ids": [row[0] for row in rows]})
    return bool(rows)
