"""Whether a client may connect: the platform's own account, or a terminal with its password."""

import asyncio
import hmac
import time
from collections import OrderedDict
from hashlib import sha256
from typing import Protocol
from uuid import UUID

import asyncpg
import structlog

from devices.broker_policy import SERVICE_USER, may_connect
from devices.mqtt_packets import ACCEPTED, CLIENT_ID_REFUSED, NOT_AUTHORIZED, UNAVAILABLE, Connect
from services.terminals.credentials import verify_password

logger = structlog.get_logger("guoyuan.broker")

# A success is remembered this long, so that a storm of reconnecting terminals costs no database time.
# It is also the longest time a withdrawn password can still be used for a new connection.
REMEMBER_SECONDS = 30.0
REMEMBER_AT_MOST = 10_000
CONNECTIONS = 4
TIMEOUT_SECONDS = 5.0

# Only these may connect; the others were never handed out or were withdrawn.
ALLOWED_STATES = ("provisioned", "bound")

_ONE = "SELECT password_hash FROM terminal WHERE id = $1 AND status::text = ANY($2::text[])"
_STILL_ALLOWED = "SELECT id FROM terminal WHERE id = ANY($1) AND status::text = ANY($2::text[])"


class Gate(Protocol):
    """What the broker asks about accounts."""

    async def admit(self, connect: Connect) -> int:
        """The CONNACK return code for this client."""

    async def withdrawn(self, usernames: list[str]) -> set[str]:
        """Which of these connected accounts may not be connected any more."""


class DatabaseGate:
    """Asks the `terminal` table; remembers successes for a short time."""

    def __init__(self, database_url: str, service_password: str) -> None:
        self._url = database_url
        self._service_password = service_password
        self._pool: asyncpg.Pool | None = None
        self._opening = asyncio.Lock()
        # terminal → (fingerprint of the password that was right, until when)
        self._remembered: OrderedDict[str, tuple[bytes, float]] = OrderedDict()

    async def admit(self, connect: Connect) -> int:
        """0 accepted, 2 foreign client id, 3 the database cannot be asked (try again), 5 refused."""
        name = connect.username
        if name == SERVICE_USER:
            if not hmac.compare_digest(connect.password.encode(), self._service_password.encode()):
                return NOT_AUTHORIZED
            return ACCEPTED if may_connect(name, connect.client_id) else CLIENT_ID_REFUSED
        if not may_connect(name, connect.client_id):
            return NOT_AUTHORIZED
        fingerprint = sha256(connect.password.encode()).digest()
        known = self._remembered.get(name)
        if known is not None and known[1] > time.monotonic() and hmac.compare_digest(known[0], fingerprint):
            return ACCEPTED
        try:
            stored = await self._value(_ONE, UUID(name))
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            logger.warning("terminal_check_failed", error=type(error).__name__)
            return UNAVAILABLE
        if stored is None or not verify_password(connect.password, stored):
            return NOT_AUTHORIZED
        self._remember(name, fingerprint)
        return ACCEPTED

    async def withdrawn(self, usernames: list[str]) -> set[str]:
        """Terminals among these that were retired or never existed; none while the database cannot be asked."""
        terminals = [name for name in usernames if name != SERVICE_USER]
        if not terminals:
            return set()
        try:
            pool = await self._open()
            rows = await pool.fetch(
                _STILL_ALLOWED,
                [UUID(name) for name in terminals],
                list(ALLOWED_STATES),
                timeout=TIMEOUT_SECONDS,
            )
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            logger.warning("terminal_check_failed", error=type(error).__name__)
            return set()
        gone = set(terminals) - {str(row["id"]) for row in rows}
        for name in gone:
            self._remembered.pop(name, None)
        return gone

    async def close(self) -> None:
        """Give the connections back."""
        if self._pool is not None:
            await self._pool.close()

    async def _value(self, query: str, terminal: UUID) -> str | None:
        pool = await self._open()
        value: str | None = await pool.fetchval(query, terminal, list(ALLOWED_STATES), timeout=TIMEOUT_SECONDS)
        return value

    async def _open(self) -> asyncpg.Pool:
        async with self._opening:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    self._url, min_size=0, max_size=CONNECTIONS, timeout=TIMEOUT_SECONDS
                )
            return self._pool

    def _remember(self, name: str, fingerprint: bytes) -> None:
        self._remembered[name] = (fingerprint, time.monotonic() + REMEMBER_SECONDS)
        self._remembered.move_to_end(name)
        while len(self._remembered) > REMEMBER_AT_MOST:
            self._remembered.popitem(last=False)
