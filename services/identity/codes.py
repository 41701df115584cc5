"""One-time codes for residents and families: six digits, three minutes, five tries, once.

They live in Redis only, hashed with the look-up key. A number that nobody has is treated the same way up to
the sending, so that neither the answer nor the limits tell whether it is known.
"""

import secrets
from datetime import datetime

from redis.asyncio import Redis

from services.core.clock import business_day
from services.core.crypto import Vault
from services.identity.limits import Limit, count_try, digest

DIGITS = 6
SECONDS = 180
TRIES = 5
PAUSE_SECONDS = 60
PER_DAY = 10
ADDRESS_PER_HOUR = 60
"""Requests from one address: a village station's phones share one, a number-guesser should not get far."""

_DAY_SECONDS = 86_400

# Counts the try before it compares, and forgets the code on a match or on the last try: no race can use a
# code twice or try it a sixth time.
_TAKE = """
local kept = redis.call('HGET', KEYS[1], 'hash')
if not kept then return 0 end
local tries = redis.call('HINCRBY', KEYS[1], 'tries', 1)
local right = kept == ARGV[1]
if right or tries >= tonumber(ARGV[2]) then redis.call('DEL', KEYS[1]) end
if right then return 1 else return 0 end
"""


def draw_code() -> str:
    """A fresh code, every one equally likely."""
    return f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"


async def keep_code(redis: Redis, vault: Vault, phone_lookup: str, code: str) -> None:
    """Remember the code for three minutes; an earlier one stops working."""
    key = _key(phone_lookup)
    async with redis.pipeline(transaction=True) as pipe:
        pipe.delete(key)
        pipe.hset(key, mapping={"hash": _hash(vault, phone_lookup, code), "tries": "0"})
        pipe.expire(key, SECONDS)
        await pipe.execute()


async def take_code(redis: Redis, vault: Vault, phone_lookup: str, code: str) -> bool:
    """Whether this is the code; a right one is used up by asking."""
    answer = await redis.eval(_TAKE, 1, _key(phone_lookup), _hash(vault, phone_lookup, code), str(TRIES))
    return int(answer) == 1


async def count_request(redis: Redis, phone_lookup: str, address: str | None, now: datetime) -> None:
    """Count a request for a code; ``TooManyAttempts`` when it comes too soon or too often."""
    limits = [
        Limit(f"gy:code:pause:{phone_lookup}", 1, PAUSE_SECONDS),
        Limit(f"gy:code:day:{phone_lookup}:{business_day(now)}", PER_DAY, _DAY_SECONDS),
    ]
    if address:
        limits.append(Limit(f"gy:code:address:{digest(address)}:{now:%Y%m%d%H}", ADDRESS_PER_HOUR, 3600))
    await count_try(redis, limits)


def _key(phone_lookup: str) -> str:
    return f"gy:code:{phone_lookup}"


def _hash(vault: Vault, phone_lookup: str, code: str) -> str:
    return vault.lookup(f"{phone_lookup}:{code}", "one_time_code")
