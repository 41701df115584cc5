"""Passwords of staff: argon2id, worked out in threads of their own, never on the event loop."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from services.core.errors import InvalidInput

# Source: OWASP Password Storage Cheat Sheet, argon2id, "m=19456 (19 MiB), t=2, p=1". About 30 ms of one
# core: dear for a guesser, bearable for a centre's small server. Raising them later needs no migration:
# the parameters stand in each hash, and a sign-in renews an old one.
TIME_COST = 2
MEMORY_COST_KIB = 19_456
PARALLELISM = 1

MIN_LENGTH = 10
MAX_LENGTH = 128
"""Ours: long enough against guessing at 5 tries a quarter of an hour; the upper bound keeps hashing cheap."""

_hasher = PasswordHasher(time_cost=TIME_COST, memory_cost=MEMORY_COST_KIB, parallelism=PARALLELISM)

# Two at a time: a storm of sign-ins queues here and leaves cores and memory (19 MiB each) to the alerts.
_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")


def check_strength(password: str) -> None:
    """Refuse what is too short, too long or one character over and over; ``InvalidInput``."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH or len(set(password)) < 4:
        raise InvalidInput(f"{MIN_LENGTH} to {MAX_LENGTH} varied characters", field="password")


def hash_now(password: str) -> str:
    """The encoded hash; blocks for tens of milliseconds, for command lines and demo data."""
    return _hasher.hash(password)


async def hash_password(password: str) -> str:
    """The encoded hash, without holding the event loop."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _hasher.hash, password)


async def verify_password(stored: str | None, password: str) -> bool:
    """Whether the password is right. Without a stored hash the same work is done for nothing, so that the
    time of the answer does not tell whether the login exists."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _verify, stored, password)


def is_outdated(stored: str) -> bool:
    """Whether a hash was made with other parameters than today's."""
    return _hasher.check_needs_rehash(stored)


def _verify(stored: str | None, password: str) -> bool:
    try:
        _hasher.verify(stored or _dummy_hash(), password)
    except (VerificationError, InvalidHashError):
        return False
    return bool(stored)  # the stand-in's own password opens nothing


@lru_cache(maxsize=1)
def _dummy_hash() -> str:
    return _hasher.hash("nobody signs in with this")
