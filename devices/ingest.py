"""The ingest process: one MQTT connection a lane, each lane stored by itself."""

import asyncio
import contextlib
from typing import Literal

import structlog
from sqlalchemy.exc import SQLAlchemyError

from devices.address import ConnectionState, MqttAddress
from devices.alarm_lane import AlarmLane
from devices.client import MqttClient
from devices.downlink import send_forever
from devices.lane import run_lane
from devices.registry import REFRESH_SECONDS, TerminalRegistry
from devices.topics import UpChannel, up_filter
from devices.vitals_lane import VitalsLane
from services.core.database import Database
from services.core.heartbeat import beat
from services.core.settings import Settings
from services.vitals.service import Judge

log = structlog.get_logger("ingest")

LaneName = Literal["alarms", "vitals", "all"]


async def run(settings: Settings, lane: LaneName = "all") -> None:
    """Serve the lanes until cancelled. ``ValueError`` when an address is missing."""
    if settings.database_url is None or settings.mqtt_url is None:
        raise ValueError("GUOYUAN_DATABASE_URL and GUOYUAN_MQTT_URL must be set, or use `guoyuan up`")
    database = Database(settings.database_url, settings.database_pool_size)
    registry, judge = TerminalRegistry(database), Judge()
    await _first_look(database, registry, judge)
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(registry.refresh_forever())
            if lane in ("alarms", "all"):
                tasks.create_task(beat(database, "ingest-alarms"))
                tasks.create_task(_serve_alarms(settings, database, registry))
            if lane in ("vitals", "all"):
                tasks.create_task(beat(database, "ingest-vitals"))
                tasks.create_task(_serve_vitals(settings, database, registry, judge))
                tasks.create_task(_reload_limits(database, judge))
    finally:
        await database.close()


async def _first_look(database: Database, registry: TerminalRegistry, judge: Judge) -> None:
    """Read what ingest must know; wait for the database as long as it takes."""
    while True:
        try:
            await registry.reload()
            await judge.reload(database)
            return
        except (SQLAlchemyError, OSError) as error:
            log.warning("database_away", error=type(error).__name__)
            await asyncio.sleep(1)


async def _reload_limits(database: Database, judge: Judge) -> None:
    while True:
        await asyncio.sleep(REFRESH_SECONDS)
        with contextlib.suppress(SQLAlchemyError, OSError):
            await judge.reload(database)


def _client(settings: Settings, name: str) -> MqttClient:
    """A persistent session under a fixed name: the broker keeps what arrives while we are away."""
    assert settings.mqtt_url is not None  # noqa: S101  checked by run
    return MqttClient(
        MqttAddress.parse(settings.mqtt_url),
        f"guoyuan-ingest-{name}",
        clean=False,
        queue_size=settings.ingest_queue,
        on_state=lambda state, reason: _on_state(name, state, reason),
    )


def _on_state(name: str, state: ConnectionState, reason: str) -> None:
    log.info("mqtt", lane=name, state=state.value, reason=reason)


async def _serve_alarms(settings: Settings, database: Database, registry: TerminalRegistry) -> None:
    async with _client(settings, "alarms") as client:
        await client.subscribe(up_filter(UpChannel.ALARM))
        lane = AlarmLane(database, client, registry, settings.alarm_payload_limit)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(run_lane(client, lane))
            tasks.create_task(send_forever(database, client))


async def _serve_vitals(settings: Settings, database: Database, registry: TerminalRegistry, judge: Judge) -> None:
    async with _client(settings, "vitals") as client:
        await client.subscribe(up_filter(UpChannel.VITALS), up_filter(UpChannel.STATUS))
        lane = VitalsLane(
            database,
            client,
            registry,
            judge,
            batch_size=settings.ingest_batch,
            payload_limit=settings.vitals_payload_limit,
        )
        await run_lane(client, lane)
