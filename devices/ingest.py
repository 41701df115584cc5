"""The ingest process: one MQTT connection a lane, each lane stored by itself.

Several processes may serve a lane; ``devices/seats.py`` says which of them serves which session at the broker.
"""

import asyncio
from functools import partial
from typing import Final, Literal

import structlog

from devices.address import ConnectionRefused, ConnectionState, MqttAddress
from devices.alarm_lane import AlarmLane
from devices.client import MqttClient, MqttClosedError
from devices.downlink import send_forever
from devices.lane import run_lane
from devices.listening import LaneEar
from devices.registry import TerminalRegistry
from devices.seats import SILENT_SECONDS, Seats
from devices.takeover import end_withdrawn_forever
from devices.topics import UpChannel, up_filter
from devices.vitals_lane import VitalsLane
from services.core.database import DATABASE_AWAY, Database
from services.core.heartbeat import beat
from services.core.settings import Settings
from services.rules.service import Judge, keep_fresh
from services.supervision.listening import STATUS_LANE

log = structlog.get_logger("ingest")

LaneName = Literal["alarms", "vitals", "all"]

SHARE_GROUP: Final = "guoyuan-ingest"
"""The group of the shared subscription."""
_ALARM_ROOM: Final = 4301211
_VITALS_ROOM: Final = 4301212
_TAKEOVER_ROOM: Final = 4301213
"""Classes of the advisory locks on seats."""
_TIDY_SECONDS: Final = 1.0


class ShareRefused(ValueError):
    """The broker knows no shared subscriptions."""

    def __init__(self, share: int) -> None:
        super().__init__(
            f"消息代理不支持共享订阅：请设 GUOYUAN_INGEST_SHARE=1，或改用 Mosquitto。 GUOYUAN_INGEST_SHARE={share}"
            " needs a broker that knows shared subscriptions ($share), such as Mosquitto; the built-in one does"
            " not. Set it to 1."
        )


async def run(settings: Settings, lane: LaneName = "all") -> None:
    """Serve the lanes until cancelled. ``ValueError`` when an address is missing, ``ShareRefused``."""
    if settings.database_url is None or settings.mqtt_url is None:
        raise ValueError("GUOYUAN_DATABASE_URL and GUOYUAN_MQTT_URL must be set, or use `guoyuan up`")
    database = Database(
        settings.database_url, settings.database_pool_size, idle_transaction_seconds=SILENT_SECONDS
    )
    registry, judge = TerminalRegistry(database), Judge()
    await _first_look(database, registry, judge)
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(registry.refresh_forever())
            if lane in ("alarms", "all"):
                if settings.broker_hook_secret is not None:
                    takeovers = partial(_serve_takeovers, settings, database)
                    tasks.create_task(Seats(settings.database_url, _TAKEOVER_ROOM, 1, takeovers).serve_forever())
                alarms = partial(_serve_alarms, settings, database, registry)
                tasks.create_task(Seats(settings.database_url, _ALARM_ROOM, 1, alarms).serve_forever())
            if lane in ("vitals", "all"):
                vitals = partial(_serve_vitals, settings, database, registry, judge)
                tidy = partial(_end_session, settings)
                share = settings.ingest_share
                tasks.create_task(Seats(settings.database_url, _VITALS_ROOM, share, vitals, tidy).serve_forever())
                tasks.create_task(keep_fresh(database, judge))
    finally:
        await database.close()


async def _serve_takeovers(settings: Settings, database: Database, _seat: int) -> None:
    """A broker that asks over HTTP is told of ended credentials by one process."""
    await end_withdrawn_forever(database, MqttAddress.parse(settings.mqtt_url or ""))


async def _first_look(database: Database, registry: TerminalRegistry, judge: Judge) -> None:
    """Read what ingest must know; wait for the database as long as it takes."""
    while True:
        try:
            await registry.reload()
            await judge.reload(database)
            return
        except DATABASE_AWAY as error:
            log.warning("database_away", error=type(error).__name__)
            await asyncio.sleep(1)


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


async def _serve_alarms(settings: Settings, database: Database, registry: TerminalRegistry, _seat: int) -> None:
    async with _client(settings, "alarms") as client:
        await client.subscribe(up_filter(UpChannel.ALARM))
        lane = AlarmLane(database, client, registry, settings.alarm_payload_limit)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(beat(database, "ingest-alarms"))
            tasks.create_task(run_lane(client, lane))
            tasks.create_task(send_forever(database, client, registry))


async def _serve_vitals(
    settings: Settings, database: Database, registry: TerminalRegistry, judge: Judge, seat: int
) -> None:
    is_shared = settings.ingest_share > 1
    group = SHARE_GROUP if is_shared else None
    async with _client(settings, f"vitals-{seat}" if is_shared else "vitals") as client:
        await client.subscribe(*(up_filter(c, share=group) for c in (UpChannel.VITALS, UpChannel.STATUS)))
        ear = LaneEar(database, client, STATUS_LANE, client.client_id)
        lane = VitalsLane(
            database,
            client,
            registry,
            judge,
            batch_size=settings.ingest_batch,
            payload_limit=settings.vitals_payload_limit,
            since=ear.since,
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(beat(database, "ingest-vitals"))
            tasks.create_task(ear.tell_forever())
            tasks.create_task(run_lane(client, lane))
            if seat == 1:
                tasks.create_task(_end_other_session(settings))
            if is_shared:
                tasks.create_task(_must_share(client, settings.ingest_share))


async def _must_share(client: MqttClient, share: int) -> None:
    """Raises ``ShareRefused``, and waits through everything else that may keep us from the broker."""
    while True:
        try:
            await client.wait_connected()
        except ConnectionRefused as refusal:
            if "$share" in refusal.reason:
                raise ShareRefused(share) from None
            await asyncio.sleep(1)
        else:
            return


async def _end_other_session(settings: Settings) -> None:
    """The first seat has one name alone and another one among several: the broker must not go on filling that."""
    other = 1 if settings.ingest_share == 1 else None
    while not await _end_session(settings, other):  # noqa: ASYNC110  asked again, not watched
        await asyncio.sleep(1)


async def _end_session(settings: Settings, seat: int | None) -> bool:
    """End what the broker keeps for a seat (``None``: for the only process). Its messages are sent again."""
    name = "guoyuan-ingest-vitals" if seat is None else f"guoyuan-ingest-vitals-{seat}"
    assert settings.mqtt_url is not None  # noqa: S101  checked by run
    try:
        async with MqttClient(MqttAddress.parse(settings.mqtt_url), name, clean=True) as client:
            await client.wait_connected(_TIDY_SECONDS)
    except (OSError, ConnectionRefused, MqttClosedError):  # TimeoutError is an OSError
        return False
    return True
