"""Whether a client may connect: the platform's own account, or a terminal with its password."""

import asyncio
import hmac
import time
from collections import OrderedDict
from hashlib import sha256
from typing import NamedTuple, Protocol
from uuid import UUID

import asyncpg
import structlog

from devices.mqtt_packets import ACCEPTED, CLIENT_ID_REFUSED, NOT_AUTHORIZED, UNAVAILABLE, Connect
from services.core.doorbell import Doorbell
from services.terminals.broker_policy import ALLOWED_STATES, SERVICE_USER, may_connect
from services.terminals.credentials import verify_password
from services.terminals.models import CHANGE_CHANNEL

logger = structlog.get_logger("guoyuan.broker")

# A success is remembered this long, so that a storm of reconnecting terminals costs no database time. A changed
# account is forgotten at once: the database tells of it.
REMEMBER_SECONDS = 30.0
REMEMBER_AT_MOST = 10_000
CONNECTIONS = 4
TIMEOUT_SECONDS = 5.0

_ONE = "SELECT password_hash FROM terminal WHERE id = $1 AND status::text = ANY($2::text[])"
_STILL_ALLOWED = "SELECT id, password_hash FROM terminal WHERE id = ANY($1) AND status::text = ANY($2::text[])"


class Gate(Protocol):
    """What the broker asks about accounts."""

    async def admit(self, connect: Connect) -> int:
        """The CONNACK return code for this client."""

    async def withdrawn(self, usernames: list[str]) -> set[str]:
        """Which of these connected accounts may not be there any more, or not with the password they showed."""

    async def wait_for_change(self, seconds: float) -> None:
        """Until some account may have changed, or so long."""


class _Success(NamedTuple):
    """A password that was right: its fingerprint, until when it is remembered, and the stored hash it fitted."""

    fingerprint: bytes
    until: float
    stored: str


class DatabaseGate:
    """Asks the `terminal` table; remembers successes for a short time."""

    def __init__(self, database_url: str, service_password: str) -> None:
        self._url = database_url
        self._service_password = service_password
        self._pool: asyncpg.Pool | None = None
        self._opening = asyncio.Lock()
        self._bell = Doorbell(database_url, CHANGE_CHANNEL)
        self._remembered: OrderedDict[str, _Success] = OrderedDict()
        # terminal → the stored hash that its connection was let in with
        self._let_in: dict[str, str] = {}

    async def listen_forever(self) -> None:
        """Hear of changed accounts as they are committed."""
        await self._bell.listen_forever()

    async def wait_for_change(self, seconds: float) -> None:
        """What has changed is no longer remembered when this returns."""
        await self._bell.wait(seconds)
        self._forget_changed()

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
        self._forget_changed()
        known = self._remembered.get(name)
        if (
            known is not None
            and known.until > time.monotonic()
            and hmac.compare_digest(known.fingerprint, fingerprint)
        ):
            self._let_in[name] = known.stored
            return ACCEPTED
        try:
            stored = await self._value(_ONE, UUID(name))
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            logger.warning("terminal_check_failed", error=type(error).__name__)
            return UNAVAILABLE
        if stored is None or not verify_password(connect.password, stored):
            return NOT_AUTHORIZED
        self._remember(name, _Success(fingerprint, time.monotonic() + REMEMBER_SECONDS, stored))
        self._let_in[name] = stored
        return ACCEPTED

    async def withdrawn(self, usernames: list[str]) -> set[str]:
        """Terminals among these that are out of service or have another password by now.

        None while the database cannot be asked: nobody is put out because of that.
        """
        terminals = [name for name in usernames if name != SERVICE_USER]
        self._let_in = {name: self._let_in.get(name, "") for name in terminals}
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
        stored = {str(row["id"]): row["password_hash"] for row in rows}
        gone = {name for name in terminals if stored.get(name) != self._let_in.get(name)}
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

    def _forget_changed(self) -> None:
        changed = self._bell.words()
        if "" in changed:
            self._remembered.clear()
        for name in changed:
            self._remembered.pop(name, None)

    def _remember(self, name: str, success: "_Success") -> None:
        self._remembered[name] = success
        self._remembered.move_to_end(name)
        while len(self._remembered) > REMEMBER_AT_MOST:
            self._remembered.popitem(last=False)
