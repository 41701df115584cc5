"""Keys and chances that depend on the seed alone, so that two loads give the same people."""

import hashlib
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

FIXED = datetime(2026, 1, 1, tzinfo=UTC)
"""The moment in the key of everything that does not depend on the day of the load."""


@dataclass(frozen=True, slots=True)
class Seed:
    """The root of everything that looks like chance."""

    value: int

    def key(self, *path: object, at: datetime = FIXED) -> UUID:
        """A UUIDv7 for this path: the moment in front, so that lists sort as with keys made in service."""
        digest = hashlib.sha256(self._name(path).encode()).digest()
        milliseconds = int(at.timestamp() * 1000)
        number = milliseconds << 80 | int.from_bytes(digest[:10], "big")
        number = number & ~(0xF << 76) | 7 << 76
        number = number & ~(0b11 << 62) | 0b10 << 62
        return UUID(int=number)

    def dice(self, *path: object) -> random.Random:
        """Chance that belongs to this path and to nothing else."""
        return random.Random(self._name(path))  # noqa: S311 - repeatable on purpose; no secret comes from it

    def _name(self, path: tuple[object, ...]) -> str:
        return "|".join(str(part) for part in (self.value, *path))
