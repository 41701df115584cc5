"""Which terminal belongs to whom, as ingest sees it: a copy of the table, refreshed behind the stream."""

import asyncio
import time
from typing import Final
from uuid import UUID

import structlog

from services.core.database import DATABASE_AWAY, Database
from services.core.doorbell import Doorbell
from services.terminals.models import CHANGE_CHANNEL
from services.terminals.repository import Bound, all_bound, one_bound

log = structlog.get_logger("ingest")

REFRESH_SECONDS: Final = 10.0
_AGAIN_SECONDS: Final = 1.0
_FORGET_UNKNOWN_SECONDS: Final = 5.0
_UNKNOWN_LIMIT: Final = 10_000
_ONE_BY_ONE: Final = 50
"""So many changed terminals at once are read one by one; for more, all are."""


class TerminalRegistry:
    """Bound terminals by id. An unknown one is asked for again now and then, so a new one is heard at once.

    A changed one is read again when the database tells of it: what a terminal sends after it changed hands must
    not go to who had it before.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._bell = Doorbell(database.url, CHANGE_CHANNEL)
        self._bound: dict[UUID, Bound] = {}
        self._unknown: dict[UUID, float] = {}

    async def reload(self) -> None:
        """Read all of them."""
        read: dict[UUID, Bound] = {}
        async with self._database.engine.connect() as connection:
            async for part in all_bound(connection):
                read.update((bound.terminal_id, bound) for bound in part)
        self._bound = read

    def known(self, terminal_id: UUID) -> Bound | None:
        """Without asking the database."""
        return self._bound.get(terminal_id)

    async def find(self, terminal_id: UUID) -> Bound | None:
        """The terminal, or ``None`` when no such one may send."""
        bound = self._bound.get(terminal_id)
        if bound is not None or time.monotonic() < self._unknown.get(terminal_id, 0):
            return bound
        async with self._database.engine.connect() as connection:
            bound = await one_bound(connection, terminal_id)
        if bound is not None:
            self._bound[terminal_id] = bound
        elif len(self._unknown) < _UNKNOWN_LIMIT:
            self._unknown[terminal_id] = time.monotonic() + _FORGET_UNKNOWN_SECONDS
        else:
            self._unknown.clear()
        return bound

    async def refresh_forever(self) -> None:
        """Keep the copy fresh; while the database is away the old copy serves."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._bell.listen_forever())
            due = time.monotonic() + REFRESH_SECONDS
            while True:
                await self._bell.wait(max(0, due - time.monotonic()))
                changed = self._bell.words()
                try:
                    if time.monotonic() >= due or "" in changed or len(changed) > _ONE_BY_ONE:
                        due = time.monotonic() + REFRESH_SECONDS
                        await self.reload()
                    elif changed:
                        await self._read_again(changed)
                except DATABASE_AWAY as error:
                    log.warning("registry_stale", error=type(error).__name__)
                    due = time.monotonic() + _AGAIN_SECONDS

    async def _read_again(self, changed: set[str]) -> None:
        async with self._database.engine.connect() as connection:
            for terminal_id in map(UUID, changed):
                self._unknown.pop(terminal_id, None)
                bound = await one_bound(connection, terminal_id)
                if bound is None:
                    self._bound.pop(terminal_id, None)
                else:
                    self._bound[terminal_id] = bound
