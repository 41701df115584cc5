"""Ends connections on a broker that asks us who may connect, but not again once a client is in.

MQTT has one way for that, and every broker has it (3.1.1, MQTT-3.1.4-2): a new connection under a client id ends
the one before it. The platform connects under the terminal's id with its own account, which the policy allows it,
and leaves again. The embedded brokers look for themselves (``guoyuan broker``).
"""

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog

from devices.address import ConnectionRefused, MqttAddress
from devices.client import MqttClient, MqttClosedError
from services.core.database import DATABASE_AWAY, Database
from services.core.doorbell import Doorbell
from services.terminals.models import CHANGE_CHANNEL
from services.terminals.queries import credentials_ended

log = structlog.get_logger("takeover")

LOOK_SECONDS: Final = 5.0
LOOK_BACK: Final = timedelta(hours=1)
"""So old an ending is still acted on, once, after a start: it may have come while nobody was there."""
CONNECT_SECONDS: Final = 5.0
AT_ONCE: Final = 20

Ended = tuple[UUID, datetime]


async def end_withdrawn_forever(database: Database, address: MqttAddress) -> None:
    """End the connection of every terminal whose credential has ended, within seconds; tries again on failure."""
    bell = Doorbell(database.url, CHANGE_CHANNEL)
    done: set[Ended] = set()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(bell.listen_forever())
        while True:
            try:
                ended = await credentials_ended(database, database.clock.now() - LOOK_BACK)
            except DATABASE_AWAY as error:
                log.warning("takeover_waits", error=type(error).__name__)
                ended = []
            done &= set(ended)
            done |= await _end_all(address, [one for one in ended if one not in done])
            await bell.wait(LOOK_SECONDS)


async def _end_all(address: MqttAddress, wanted: Iterable[Ended]) -> set[Ended]:
    """Those that are done."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(ended: Ended) -> Ended | None:
        async with gate:
            return ended if await end_connection(address, ended[0]) else None

    return {ended for ended in await asyncio.gather(*map(one, wanted)) if ended is not None}


async def end_connection(address: MqttAddress, terminal_id: UUID) -> bool:
    """Take the terminal's place at the broker and leave it; whether that was done."""
    try:
        async with MqttClient(address, str(terminal_id), clean=True) as client:
            await client.wait_connected(CONNECT_SECONDS)
    except (ConnectionRefused, MqttClosedError, TimeoutError, OSError) as error:
        log.warning("takeover_failed", terminal_id=str(terminal_id), error=type(error).__name__)
        return False
    log.info("connection_ended", terminal_id=str(terminal_id))
    return True
