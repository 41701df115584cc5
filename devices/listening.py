"""Since when a lane has been connected and keeping up: silence before that means nothing to supervision."""

import asyncio
from contextlib import suppress
from datetime import datetime
from typing import Final

import structlog

from devices.address import ConnectionState
from devices.client import MqttClient
from services.core.actor import SYSTEM
from services.core.database import DATABASE_AWAY, Database
from services.supervision.listening import note_listening

log = structlog.get_logger("ingest")

BEAT_SECONDS: Final = 5.0


class LaneEar:
    """One session at the broker. ``seat`` names it: several processes may share a lane, one a seat."""

    def __init__(self, database: Database, client: MqttClient, lane: str, seat: str) -> None:
        self._database = database
        self._client = client
        self._lane = lane
        self._seat = seat
        self._since: datetime | None = None
        self._connection = 0

    def since(self) -> datetime | None:
        """From when on nothing was missed: this connection's begin, or later when we could not keep up.

        With a full queue what a terminal said may still be waiting in it, or at the broker.
        """
        client = self._client
        if client.state is not ConnectionState.CONNECTED or client.paused:
            self._since = None
        elif self._since is None or client.connections != self._connection:
            self._since = self._database.clock.now()
        self._connection = client.connections
        return self._since

    async def tell_forever(self) -> None:
        """Every few seconds, and at once when the connection comes or goes."""
        while True:
            was_connected = self._client.state is ConnectionState.CONNECTED
            try:
                async with self._database.unit_of_work(SYSTEM) as work:
                    await note_listening(work, self._lane, self._seat, self.since())
            except DATABASE_AWAY as error:
                # What cannot write this down cannot store what terminals say either.
                self._since = None
                log.warning("listening_not_told", lane=self._lane, error=type(error).__name__)
            with suppress(TimeoutError):
                async with asyncio.timeout(BEAT_SECONDS):
                    # Compared with what was told: it may have changed while that was written.
                    await (self._client.wait_lost() if was_connected else self._client.wait_ready())
