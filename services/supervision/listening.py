"""Since when ingest has been listening: whoever was silent before then may just not have been heard."""

from datetime import datetime, timedelta
from typing import Final

from services.core.database import Work
from services.supervision import repository
from services.supervision.figures import FIGURES

STATUS_LANE: Final = "vitals"
"""The lane on which terminals say that they are alive."""
_FORGET_AFTER: Final = timedelta(minutes=1)
"""A seat that is free is taken by another process within seconds: this one has been withdrawn."""


async def note_listening(work: Work, lane: str, seat: str, since: datetime | None) -> None:
    """One session of ingest says whether it is connected, storing and not behind, and since when.

    Every few seconds, and at once when that changes. ``None``: it is not.
    """
    await repository.save_listening(work, lane, seat, since)
    await repository.forget_listeners(work, lane, work.now - _FORGET_AFTER)


async def listening_since(work: Work) -> datetime | None:
    """From when silence counts; ``None`` while nobody listens, and then nobody can be late."""
    return await repository.listening_since(work, STATUS_LANE, work.now - FIGURES.listening_late)
