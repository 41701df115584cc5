"""What one API process holds open: settings, database, Redis, vault."""

from dataclasses import dataclass

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from services.core.clock import Clock, SystemClock
from services.core.crypto import Vault, vault_from
from services.core.database import Database
from services.core.settings import Settings


@dataclass(frozen=True)
class House:
    """The process's open connections; closed with the process."""

    settings: Settings
    database: Database
    redis: Redis
    vault: Vault
    clock: Clock

    async def close(self) -> None:
        """Give everything back."""
        await self.redis.aclose()
        await self.database.close()


def open_redis(url: str) -> Redis:
    """A client that fails fast: whoever waits for Redis has a way on without it."""
    return Redis.from_url(
        url, socket_connect_timeout=1, socket_timeout=2, retry=Retry(NoBackoff(), 1), decode_responses=True
    )


def open_house(settings: Settings, clock: Clock | None = None) -> House:
    """Build the connections; ``ValueError`` when an address or a key is missing."""
    if settings.database_url is None or settings.redis_url is None:
        raise ValueError("GUOYUAN_DATABASE_URL and GUOYUAN_REDIS_URL must be set, or use `guoyuan up`")
    clock = clock or SystemClock()
    return House(
        settings=settings,
        database=Database(settings.database_url, settings.database_pool_size, clock),
        redis=open_redis(settings.redis_url),
        vault=vault_from(settings),
        clock=clock,
    )
