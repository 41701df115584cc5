"""Waiting for PostgreSQL's NOTIFY, with a look now and then in case a ring was lost."""

import asyncio
import contextlib
from typing import Any

import asyncpg
import structlog

from services.core.database import asyncpg_url

log = structlog.get_logger("doorbell")


class Doorbell:
    """Rings when PostgreSQL notifies a channel; survives the connection, whose loss rings once as well."""

    def __init__(self, url: str, channel: str) -> None:
        self._url = asyncpg_url(url)
        self._channel = channel
        self._rung = asyncio.Event()

    async def wait(self, seconds: float) -> None:
        """Until it rings, or so long."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._rung.wait(), seconds)
        self._rung.clear()

    async def listen_forever(self) -> None:
        """Keep a listening connection; make it again when it is lost."""
        while True:
            try:
                connection = await asyncpg.connect(self._url, timeout=5)
                try:
                    await self._listen(connection)
                finally:
                    connection.terminate()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("doorbell_away", channel=self._channel, error=type(error).__name__)
            self._ring()
            await asyncio.sleep(0.5)

    async def _listen(self, connection: asyncpg.Connection) -> None:
        lost = asyncio.Event()
        connection.add_termination_listener(lambda *_: lost.set())
        await connection.add_listener(self._channel, self._ring)
        self._ring()
        await lost.wait()

    def _ring(self, *_: Any) -> None:
        self._rung.set()
