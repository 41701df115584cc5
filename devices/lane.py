"""What both lanes of ingest share: take what waits, store it in one transaction, only then acknowledge.

Greedy batches: whatever has arrived while the last commit ran is the next batch. Only when that is a whole batch
already is it read while the one before is still being stored. Nothing is acknowledged to the broker before its
commit; a batch that cannot be stored because the database is away is tried again until
it can, while the bounded queue fills and the socket is left unread: the broker waits.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Protocol, TypeVar
from uuid import UUID

import asyncpg
import structlog
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from devices.client import MqttClient, Published
from services.terminals.repository import Bound

log = structlog.get_logger("ingest")

DATABASE_ERRORS = (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError)
"""Whatever the database may answer to a batch, through SQLAlchemy or from the driver itself."""

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 2.0


B = TypeVar("B")
T = TypeVar("T")


class Outlet(Protocol):
    """Where answers go: the broker, or whoever else asked."""

    def publish_soon(self, topic: str, payload: bytes) -> None:
        """At QoS 1."""
        ...

    def try_publish(self, topic: str, payload: bytes) -> bool:
        """At QoS 0."""
        ...


class Terminals(Protocol):
    """Who may send, and what is known of them."""

    def known(self, terminal_id: UUID) -> Bound | None:
        """Without asking the database."""
        ...

    async def find(self, terminal_id: UUID) -> Bound | None:
        """The terminal, or ``None`` when no such one may send."""
        ...


class Lane(Protocol[B]):
    """One kind of traffic: how to read and to store a batch of it, and what to say afterwards."""

    name: str
    batch_size: int

    async def read(self, batch: Sequence[Published]) -> B:
        """Do what needs no transaction; lets others work in between when it takes long."""
        ...

    async def store(self, found: B) -> None:
        """Store what was read in one transaction, all of it or nothing."""
        ...

    async def store_alone(self, message: Published) -> None:
        """Store one message that spoilt its batch, or keep it as a dead letter."""
        ...

    def answer(self) -> None:
        """Send the receipts of everything stored since the last call."""
        ...


def is_away(error: Exception) -> bool:
    """Whether the database, and not the message, is the trouble. COPY raises the driver's own errors."""
    if isinstance(error, DBAPIError):
        lost = error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)
        return lost or _passes(error.orig)
    if isinstance(error, asyncpg.PostgresError):
        return _passes(error)
    if isinstance(error, asyncpg.InterfaceError):
        return not isinstance(error, ValueError)  # a value that the driver cannot encode
    return isinstance(error, PoolTimeout | OSError | asyncpg.InternalClientError)


def _passes(error: object) -> bool:
    """By the class of its SQLSTATE: connection, rollback, resources, locks, operator."""
    return str(getattr(error, "sqlstate", None) or "")[:2] in ("08", "40", "53", "55", "57")


async def run_lane(client: MqttClient, lane: Lane[B]) -> None:
    """Serve one lane until cancelled."""
    storing: asyncio.Task[None] | None = None
    async with asyncio.TaskGroup() as tasks:
        while True:
            if storing is not None and client.waiting < lane.batch_size:
                await storing
            batch = await client.batch(lane.batch_size)
            found = await _insist(lane, len(batch), partial(lane.read, batch))
            if storing is not None:
                await storing
            storing = tasks.create_task(_settle(client, lane, batch, found))


async def _settle(client: MqttClient, lane: Lane[B], batch: Sequence[Published], found: B) -> None:
    """Store, acknowledge, answer: in this order."""
    try:
        await _insist(lane, len(batch), partial(lane.store, found))
    except DATABASE_ERRORS as error:
        # Something in this batch cannot be stored. One at a time, so that only the culprit is set aside.
        log.error("batch_refused", lane=lane.name, messages=len(batch), error=type(error).__name__)
        for message in batch:
            await _insist(lane, 1, partial(lane.store_alone, message))
    client.ack(batch)
    lane.answer()


async def _insist(lane: Lane[B], messages: int, work: Callable[[], Awaitable[T]]) -> T:
    """Do it, however long the database is away."""
    pause = _FIRST_PAUSE
    while True:
        try:
            return await work()
        except Exception as error:
            if not is_away(error):
                raise
            log.warning("database_away", lane=lane.name, waiting=messages, error=type(error).__name__)
        await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311  spreads retries, guards nothing
        pause = min(pause * 2, _LONGEST_PAUSE)
