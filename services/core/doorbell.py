"""Waiting for PostgreSQL's NOTIFY, with a look now and then in case a ring was lost."""

import asyncio
import contextlib
from typing import Any

import asyncpg
import structlog

from services.core.database import asyncpg_url

log = structlog.get_logger("doorbell")

_MOST_WORDS = 10_000  # of which nobody has asked; then it is simply "anything"


class Doorbell:
    """Rings when PostgreSQL notifies a channel; survives the connection, whose loss rings once as well."""

    def __init__(self, url: str, channel: str) -> None:
        self._url = asyncpg_url(url)
        self._channel = channel
        self._rung = asyncio.Event()
        self._words: set[str] = set()

    async def wait(self, seconds: float) -> None:
        """Until it rings, or so long."""
        # Not wait_for: it swallows a cancellation that comes with the ring, and its caller would run for ever.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        self._rung.clear()

    def words(self) -> set[str]:
        """What was notified since the last call; an empty word says that some may have been missed.

        It stands there whenever listening has begun, the first time or again.
        """
        heard, self._words = self._words, set()
        return heard

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
            self._rung.set()  # without a word: what was known before goes on until it can be asked for
            await asyncio.sleep(0.5)

    async def _listen(self, connection: asyncpg.Connection) -> None:
        lost = asyncio.Event()
        connection.add_termination_listener(lambda *_: lost.set())
        await connection.add_listener(self._channel, self._ring)
        self._ring()
        await lost.wait()

    def _ring(self, *notified: Any) -> None:
        """Called by asyncpg with connection, process, channel and word; by ourselves with nothing."""
        word = str(notified[3]) if notified else ""
        if len(self._words) >= _MOST_WORDS:
            word = ""
            self._words.clear()
        self._words.add(word)
        self._rung.set()
