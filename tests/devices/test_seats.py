"""Who serves which session: one process a seat, the next one as soon as it is free, nobody without one."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import asyncpg
import pytest

from devices import seats
from devices.ingest import ShareRefused, run
from devices.seats import Seats
from ops.cli.ingest import first_of
from services.core.database import asyncpg_url
from services.core.settings import Settings

ROOM = 4301299
SECONDS = 20.0


class Process:
    """Stands for one ingest process: its seats, and a record of what it served and ended."""

    def __init__(self, url: str, number: int, *, tidies: bool = False) -> None:
        self.serving: set[int] = set()
        self.tidied: list[int] = []
        self._changed = asyncio.Condition()
        self._seats = Seats(url, ROOM, number, self._serve, self._tidy if tidies else None)
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Process":
        self._task = asyncio.create_task(self._seats.serve_forever())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def serves(self, *wanted: int) -> None:
        """Wait until it serves exactly these."""
        await self._until(lambda: self.serving == set(wanted))

    async def has_tidied(self, *wanted: int) -> None:
        """Wait until it has ended the sessions of exactly these."""
        await self._until(lambda: sorted(self.tidied) == list(wanted))

    async def _until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(SECONDS), self._changed:
            await self._changed.wait_for(holds)

    async def _serve(self, seat: int) -> None:
        await self._note(self.serving.add, seat)
        try:
            await asyncio.Event().wait()
        finally:
            await self._note(self.serving.discard, seat)

    async def _tidy(self, seat: int) -> bool:
        await self._note(self.tidied.append, seat)
        return True

    async def _note(self, change: Callable[[int], None], seat: int) -> None:
        change(seat)
        async with self._changed:
            self._changed.notify_all()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks often, and takes a free seat soon."""
    monkeypatch.setattr(seats, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(seats, "GUEST_AFTER_SECONDS", 0.2)


@pytest.fixture
def url(settings: Settings) -> str:
    assert settings.database_url is not None
    return settings.database_url


@pytest.fixture
async def connection(url: str) -> AsyncIterator[asyncpg.Connection]:
    """For looking at the locks, and for ending the connections that hold them."""
    made = await asyncpg.connect(asyncpg_url(url))
    yield made
    await made.close()


async def lose_locks(connection: asyncpg.Connection) -> None:
    """As a restart of PostgreSQL does."""
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'guoyuan-seats'"
    )


async def test_the_second_process_stands_by_and_takes_over(url: str) -> None:
    async with Process(url, 1) as first:
        await first.serves(1)
        async with Process(url, 1) as standby:
            await first.__aexit__()
            await standby.serves(1)
            assert first.serving == set()


async def test_two_processes_serve_one_seat_each(url: str) -> None:
    async with Process(url, 2) as one:
        await one.serves(1)
        async with Process(url, 2) as other:
            await other.serves(2)
            assert one.serving == {1}


async def test_a_free_seat_gets_a_guest_who_leaves_for_a_process_without_one(url: str) -> None:
    async with Process(url, 2) as alone:
        await alone.serves(1, 2)
        async with Process(url, 2) as newcomer:
            await newcomer.serves(2)
            assert alone.serving == {1}


async def test_whoever_loses_the_lock_serves_no_more_until_it_has_it_again(
    url: str, connection: asyncpg.Connection
) -> None:
    async with Process(url, 1) as process:
        await process.serves(1)
        await lose_locks(connection)
        await process.serves()
        await process.serves(1)


async def test_sessions_of_seats_that_are_no_more_are_ended_once(url: str) -> None:
    async with Process(url, 1, tidies=True) as process:
        await process.has_tidied(2, 3, 4, 5, 6, 7, 8)


async def test_a_seat_that_is_served_elsewhere_is_not_tidied_away(url: str) -> None:
    async with Process(url, 2) as older:
        await older.serves(1, 2)
        async with Process(url, 1, tidies=True) as newer:
            await older.__aexit__()
            await newer.has_tidied(2, 3, 4, 5, 6, 7, 8)
            assert older.serving == set()


async def test_what_fails_inside_a_seat_is_raised(url: str) -> None:
    async def fail(_seat: int) -> None:
        raise LookupError("broken")

    with pytest.raises(LookupError, match="broken"):
        await Seats(url, ROOM, 1, fail).serve_forever()


async def test_a_broker_without_shared_subscriptions_is_refused_with_a_reason(settings: Settings) -> None:
    sharing = settings.model_copy(update={"ingest_share": 2})
    with pytest.raises(ExceptionGroup) as caught:
        await asyncio.wait_for(run(sharing, "vitals"), SECONDS)
    refused = caught.value.subgroup(ShareRefused)
    assert refused is not None
    assert "GUOYUAN_INGEST_SHARE=2 needs a broker" in str(first_of(refused))
