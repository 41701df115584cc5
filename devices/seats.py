"""Seats: which of several ingest processes serves which session at the broker, one process a seat.

A session at the broker (its client id) belongs to a seat, a seat to whoever holds its advisory lock in the
database. Alarms have one seat: a second process stands by and takes over within a second of a ``kill -9``, and
one terminal's alarms never spread over processes, so they stay in order. Vitals have ``GUOYUAN_INGEST_SHARE``
seats, one member of the shared subscription each. A broker keeps sending to a dead member's session (Mosquitto
2.0, measured: what it had sent without an acknowledgement stays there too), so a living process takes the free
seat as well, as a guest, and leaves it again for a process that has none.

The database ends the connection that holds the locks when it hears nothing for some seconds: a process that hangs,
or a machine that is gone, loses its seats as a killed one does.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import asyncpg
import structlog

from services.core.database import asyncpg_url

log = structlog.get_logger("ingest")

MOST_SEATS: Final = 8
LOOK_SECONDS: Final = 0.5
SILENT_SECONDS: Final = 5
"""Also for transactions of ingest: one that hangs in the middle would hold its rows against whoever takes over."""
GUEST_AFTER_SECONDS: Final = 5.0
"""A process that is started again comes back to its own seat within this time."""
_STANDING: Final = 0
"""Held (shared) by processes without a seat."""
_LOCKS: Final = """
    SELECT objid::int FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND classid::bigint = $1
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""

Serve = Callable[[int], Awaitable[None]]
Tidy = Callable[[int], Awaitable[bool]]
"""Within a second; whether it is done. It is asked again until it is."""


class Seats:
    """The seats of one lane as one process sees them. ``room`` tells the lanes' locks apart."""

    def __init__(self, url: str, room: int, number: int, serve: Serve, tidy: Tidy | None = None) -> None:
        """``serve`` runs a seat's session until cancelled; ``tidy`` ends that of a seat beyond ``number``."""
        self._url = asyncpg_url(url)
        self._room = room
        self._wanted = range(1, number + 1)
        self._serve = serve
        self._tidy = tidy
        self._superfluous = set() if tidy is None else set(range(number + 1, MOST_SEATS + 1))
        self._held: dict[int, asyncio.Task[None]] = {}
        self._free_since: dict[int, float] = {}
        self._standing = False

    async def serve_forever(self) -> None:
        """Take seats and serve them until cancelled; raises what ``serve`` raises."""
        while True:
            try:
                connection = await self._connect()
                try:
                    await self._attend(connection)
                finally:
                    await self._leave_all()
                    connection.terminate()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:  # TimeoutError is an OSError
                log.warning("seats_lost", room=self._room, error=type(error).__name__)
            await asyncio.sleep(LOOK_SECONDS)

    async def _connect(self) -> asyncpg.Connection:
        settings = {"application_name": "guoyuan-seats", "idle_session_timeout": f"{SILENT_SECONDS}s"}
        return await asyncpg.connect(self._url, timeout=5, command_timeout=5, server_settings=settings)

    async def _attend(self, connection: asyncpg.Connection) -> None:
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _: lost.set())
        while not lost.is_set():
            locked = {row[0] for row in await connection.fetch(_LOCKS, self._room)}
            if not self._held:
                await self._take_first(connection, locked)
            elif len(self._held) > 1 and _STANDING in locked:
                await self._leave(connection, max(self._held))
            else:
                await self._take_deserted(connection, locked)
            if self._held:
                await self._tidy_up(connection, locked)
            await self._pause(lost)

    async def _pause(self, lost: asyncio.Event) -> None:
        """Until the next look, sooner when the locks are lost or a served session failed."""
        waiting = asyncio.create_task(lost.wait())
        done, _ = await asyncio.wait(
            (waiting, *self._held.values()), timeout=LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED
        )
        waiting.cancel()
        for task in done - {waiting}:
            task.result()

    async def _take_first(self, connection: asyncpg.Connection, locked: set[int]) -> None:
        for seat in self._wanted:
            if seat not in locked and await self._take(connection, seat):
                if self._standing:
                    await connection.execute("SELECT pg_advisory_unlock_shared($1, $2)", self._room, _STANDING)
                    self._standing = False
                return
        if not self._standing:
            await connection.execute("SELECT pg_advisory_lock_shared($1, $2)", self._room, _STANDING)
            self._standing = True
            log.info("standing_by", room=self._room)

    async def _take_deserted(self, connection: asyncpg.Connection, locked: set[int]) -> None:
        now = asyncio.get_running_loop().time()
        free = {seat for seat in self._wanted if seat not in locked}
        self._free_since = {seat: self._free_since.get(seat, now) for seat in free}
        for seat, since in self._free_since.items():
            if now - since >= GUEST_AFTER_SECONDS:
                await self._take(connection, seat)

    async def _take(self, connection: asyncpg.Connection, seat: int) -> bool:
        if not await connection.fetchval("SELECT pg_try_advisory_lock($1, $2)", self._room, seat):
            return False
        log.info("seat_taken", room=self._room, seat=seat)
        self._held[seat] = asyncio.create_task(self._run(seat), name=f"seat {seat}")
        return True

    async def _run(self, seat: int) -> None:
        await self._serve(seat)

    async def _leave(self, connection: asyncpg.Connection, seat: int) -> None:
        await _ended([self._held.pop(seat)])
        await connection.execute("SELECT pg_advisory_unlock($1, $2)", self._room, seat)
        self._free_since.clear()
        log.info("seat_left", room=self._room, seat=seat)

    async def _leave_all(self) -> None:
        tasks = list(self._held.values())
        self._held.clear()
        self._free_since.clear()
        self._standing = False
        await _ended(tasks)

    async def _tidy_up(self, connection: asyncpg.Connection, locked: set[int]) -> None:
        """End the session of a seat that a smaller number leaves over: the broker would fill it for ever."""
        left = self._superfluous - locked
        if self._tidy is None or not left:
            return
        seat = min(left)  # one a look: a slow broker must not keep us from the locks
        if await connection.fetchval("SELECT pg_try_advisory_lock($1, $2)", self._room, seat):
            if await self._tidy(seat):
                self._superfluous.discard(seat)
            await connection.execute("SELECT pg_advisory_unlock($1, $2)", self._room, seat)


async def _ended(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
