"""How often somebody may try, counted in Redis.

Counting comes before trying, so that parallel tries cannot slip past the limit together.
"""

import hashlib
from dataclasses import dataclass

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from services.identity.errors import TooManyAttempts

log = structlog.get_logger("identity")

LOGIN_FAILURES = 5
ADDRESS_FAILURES = 50
LOCK_SECONDS = 15 * 60
"""Five failures lock a login for a quarter of an hour. An address stands for a whole centre behind one
router, so its limit is wider."""

# KEYS: counters; ARGV: pairs of (limit, seconds). Counts a try on each and gives 0, or gives the seconds to
# wait. The time runs from the last try let through: hammering a locked login does not lock it for ever.
_TRY = """
for i, key in ipairs(KEYS) do
    local seen = tonumber(redis.call('GET', key) or '0')
    if seen >= tonumber(ARGV[2 * i - 1]) then return math.max(redis.call('TTL', key), 1) end
end
for i, key in ipairs(KEYS) do
    redis.call('INCR', key)
    redis.call('EXPIRE', key, ARGV[2 * i])
end
return 0
"""


@dataclass(frozen=True, slots=True)
class Limit:
    """One counter: so many tries within so many seconds."""

    key: str
    tries: int
    seconds: int


def sign_in_limits(login: str, address: str | None) -> list[Limit]:
    """The counters of one password sign-in. Keys are hashed: Redis need not know who tries."""
    limits = [Limit(f"gy:tries:login:{digest(login)}", LOGIN_FAILURES, LOCK_SECONDS)]
    if address:
        limits.append(Limit(f"gy:tries:address:{digest(address)}", ADDRESS_FAILURES, LOCK_SECONDS))
    return limits


async def count_try(redis: Redis, limits: list[Limit]) -> None:
    """Count a try on all counters, or raise ``TooManyAttempts`` when one of them is full.

    Raises ``RedisError`` when Redis is away; the caller decides what that means.
    """
    arguments = [str(n) for limit in limits for n in (limit.tries, limit.seconds)]
    answer = await redis.eval(_TRY, len(limits), *[limit.key for limit in limits], *arguments)
    wait = int(answer)
    if wait:
        raise TooManyAttempts(retry_after=wait)


async def count_sign_in(redis: Redis, limits: list[Limit]) -> None:
    """Like ``count_try``, but a Redis that is away locks nobody out: staff must reach the alerts."""
    try:
        await count_try(redis, limits)
    except (RedisError, OSError) as error:
        log.warning("sign_in_not_limited", error=type(error).__name__)


async def forget_tries(redis: Redis, limits: list[Limit]) -> None:
    """After a success: the login starts again at zero, the address gets this one try back."""
    try:
        await redis.delete(limits[0].key)
        for limit in limits[1:]:
            if await redis.decr(limit.key) <= 0:
                await redis.delete(limit.key)
    except (RedisError, OSError) as error:
        log.warning("sign_in_tries_kept", error=type(error).__name__)


def digest(value: str) -> str:
    """A name for a key that does not show whose it is."""
    return hashlib.sha256(value.encode()).hexdigest()[:32]
