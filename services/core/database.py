"""The database and the unit of work: the only place that commits.

A unit of work is one HTTP request, one ingest batch or one due job. People's units run under the
``guoyuan_app`` role with the actor's scope set for the transaction, so that row-level security holds the
wall a second time; system processes stay the owner.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from sqlalchemy import CursorResult, Executable, event, text
from sqlalchemy.exc import InvalidatePoolError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession

from services.core.actor import Actor
from services.core.clock import Clock, SystemClock
from services.core.outbox import Event, OutboxEvent, outbox_row

APP_ROLE = "guoyuan_app"

DATABASE_AWAY = (
    SQLAlchemyError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
)
"""What a database that is away may raise. SQLAlchemy lets the driver's own errors through while it connects."""
IDLE_TRANSACTION_SECONDS = 60

_ENTER_SCOPE = text(
    "SELECT set_config('role', :role, true), set_config('guoyuan.area', :area, true),"
    " set_config('guoyuan.residents', :residents, true), set_config('guoyuan.account', :account, true),"
    " set_config('guoyuan.alerts', :alerts, true), set_config('guoyuan.aided', :aided, true),"
    " set_config('guoyuan.orders', :orders, true), set_config('guoyuan.visited', :visited, true),"
    " set_config('guoyuan.lent', :lent, true)"
)


@dataclass(slots=True)
class Work:
    """One unit of work: a session, who acts, and the one moment at which all of it happens."""

    session: AsyncSession
    actor: Actor
    now: datetime

    async def sql(
        self, statement: Executable, parameters: Mapping[str, Any] | None = None
    ) -> CursorResult[*tuple[Any, ...]]:
        """Thin SQL in this transaction, after everything that the session still holds back.

        A good deal cheaper than the session's own machinery; for hot paths and for what no model expresses.
        """
        if self.session.new or self.session.dirty or self.session.deleted:
            await self.session.flush()
        return await (await self.session.connection()).execute(statement, parameters)

    def record(self, event: Event, also: Sequence[UUID] = ()) -> OutboxEvent:
        """Store an event in the same transaction; the worker relays it after the commit.

        ``also``: centres whose screens show it besides those of the event's own.
        """
        row = outbox_row(event, self.now, also)
        self.session.add(row)
        return row


class Database:
    """An engine, its pool and the clock that stamps units of work."""

    def __init__(
        self,
        url: str,
        pool_size: int = 10,
        clock: Clock | None = None,
        *,
        idle_transaction_seconds: int = IDLE_TRANSACTION_SECONDS,
    ) -> None:
        """A transaction in which nothing happens for `idle_transaction_seconds` is ended: its process hangs."""
        self.url = url
        self.clock = clock or SystemClock()
        self.engine: AsyncEngine = create_async_engine(
            sqlalchemy_url(url),
            pool_size=pool_size,
            max_overflow=0,  # a connection made for one request and closed after it costs more than waiting
            pool_timeout=10,
            pool_use_lifo=True,  # the connection used last has its statements prepared and its caches warm
            hide_parameters=True,  # an error text must not carry health data into a log
            json_serializer=_dumps,
            json_deserializer=msgspec.json.decode,
            connect_args={
                "timeout": 5,
                "server_settings": {
                    "timezone": "UTC",
                    "statement_timeout": "30000",
                    "lock_timeout": "10000",
                    "idle_in_transaction_session_timeout": f"{idle_transaction_seconds}s",
                },
            },
        )
        event.listen(self.engine.sync_engine, "checkout", _refuse_dead)

    @asynccontextmanager
    async def unit_of_work(self, actor: Actor) -> AsyncIterator[Work]:
        """Run a block as the actor; commit when it ends, roll back when it raises."""
        async with AsyncSession(self.engine, expire_on_commit=False) as session, session.begin():
            if not actor.is_system:
                await (await session.connection()).execute(_ENTER_SCOPE, scope_parameters(actor))
            yield Work(session=session, actor=actor, now=self.clock.now())

    async def close(self) -> None:
        """Give all connections back."""
        await self.engine.dispose()


def _refuse_dead(_connection: Any, record: Any, _proxy: Any) -> None:
    """Hand out no connection that the server has closed; the pool then makes new ones of all its old ones.

    The driver knows it without asking. SQLAlchemy itself would learn it from a failed statement of its own, and
    never from one on the driver's connection: after a restart of PostgreSQL such callers would fail for ever.
    """
    if record.driver_connection.is_closed():
        raise InvalidatePoolError


def scope_parameters(actor: Actor) -> dict[str, str]:
    """The settings that the row-level policies read. An empty area sees nothing."""
    residents = "*" if actor.resident_ids is None else ",".join(str(i) for i in sorted(actor.resident_ids))
    account = "" if actor.account_id is None else str(actor.account_id)
    return {
        "role": APP_ROLE,
        "area": actor.area_code,
        "residents": residents,
        "account": account,
        "alerts": _listed(actor.aided_alerts),
        "aided": _listed(actor.aided_residents),
        "orders": _listed(actor.aided_orders),
        "visited": _listed(actor.visited_residents),
        "lent": _listed(actor.lent_caregivers),
    }


def _listed(ids: Collection[UUID]) -> str:
    return ",".join(str(i) for i in sorted(ids))


def sqlalchemy_url(url: str) -> str:
    """``postgresql://`` as SQLAlchemy wants it for asyncpg."""
    scheme, _, rest = url.partition("://")
    if scheme not in ("postgresql", "postgres", "postgresql+asyncpg"):
        raise ValueError("GUOYUAN_DATABASE_URL must start with postgresql://")
    return f"postgresql+asyncpg://{rest}"


def asyncpg_url(url: str) -> str:
    """The same address for asyncpg itself."""
    return url.replace("postgresql+asyncpg://", "postgresql://", 1)


def _dumps(value: Any) -> str:
    return msgspec.json.encode(value).decode()
