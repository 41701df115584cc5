"""How long messages are kept, with every channel tried for them. The figures are in ``data/retention.json``."""

from datetime import timedelta
from functools import lru_cache
from importlib.resources import files
from typing import Final

import msgspec

from services.core.clearing import Cleared
from services.core.database import Work
from services.notifications import repository

_BATCH: Final = 1000


class Keeping(msgspec.Struct, frozen=True):
    """How many days messages are kept."""

    version: str
    source: str
    life_safety_days: int
    ordinary_days: int


@lru_cache(maxsize=1)
def load_keeping() -> Keeping:
    """The file's content."""
    raw = (files("services.notifications") / "data" / "retention.json").read_bytes()
    return msgspec.json.decode(raw, type=Keeping)


async def clear_notifications(work: Work, batch: int = _BATCH) -> list[Cleared]:
    """Forget the oldest messages whose time is over, a batch a turn. One that still waits to be sent stays.

    What the alert itself says of who was paged is not touched.
    """
    keeping = load_keeping()
    cleared = []
    for what, is_life_safety, days in (
        ("notification_life_safety", True, keeping.life_safety_days),
        ("notification", False, keeping.ordinary_days),
    ):
        before = work.now - timedelta(days=days)
        old = await repository.delete_older(work, is_life_safety, before, batch)
        if old:
            cleared.append(Cleared(what, len(old), old[0], old[-1], keeping.version))
    return cleared
