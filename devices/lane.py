"""What both lanes of ingest share: take what waits, store it in one transaction, only then acknowledge.

Greedy batches: whatever has arrived while the last commit ran is the next batch. Nothing is acknowledged to
the broker before its commit; a batch that cannot be stored because the database is away is tried again until
it can, while the bounded queue fills and the socket is left unread: the broker waits.
"""

import asyncio
import random
from collections.abc import Sequence
from typing import Protocol

import asyncpg
import structlog
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from devices.client import MqttClient, Published

log = structlog.get_logger("ingest")

DATABASE_ERRORS = (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError)
"""Whatever the database may answer to a batch, through SQLAlchemy or from the driver itself."""

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 2.0


class Lane(Protocol):
    """One kind of traffic: how to store a batch of it, and what to say afterwards."""

    name: str
    batch_size: int

    async def store(self, batch: Sequence[Published]) -> None:
        """Store the batch in one transaction, all of it or nothing."""
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


async def run_lane(client: MqttClient, lane: Lane) -> None:
    """Serve one lane until cancelled."""
    while True:
        batch = await client.batch(lane.batch_size)
        await _store(lane, batch)
        client.ack(batch)
        lane.answer()


async def _store(lane: Lane, batch: Sequence[Published]) -> None:
    try:
        await _insist(lane, batch)
    except DATABASE_ERRORS as error:
        # Something in this batch cannot be stored. One at a time, so that only the culprit is set aside.
        log.error("batch_refused", lane=lane.name, messages=len(batch), error=type(error).__name__)
        for message in batch:
            await _insist(lane, [message], alone=True)


async def _insist(lane: Lane, batch: Sequence[Published], *, alone: bool = False) -> None:
    pause = _FIRST_PAUSE
    while True:
        try:
            await (lane.store_alone(batch[0]) if alone else lane.store(batch))
            return
        except Exception as error:
            if not is_away(error):
                raise
            log.warning("database_away", lane=lane.name, waiting=len(batch), error=type(error).__name__)
        await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311  spreads retries, guards nothing
        pause = min(pause * 2, _LONGEST_PAUSE)
