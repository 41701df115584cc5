"""The worker's turn at the hours and days (ADR 14)."""

from datetime import datetime, timedelta
from typing import Final

from services.core.database import Work
from services.vitals.aggregates import repository

SETTLE: Final = timedelta(minutes=10)
"""An hour is computed so long after its end: most of it has come by then. What comes later marks it again."""

DEBOUNCE: Final = timedelta(seconds=15)
"""A late reading waits so long for others of its hour."""

NOTES_A_TURN: Final = 20_000
HOURS_A_STATEMENT: Final = 500
HOURS_A_TURN: Final = 4_000


async def mark_stored(work: Work, start: datetime, end: datetime) -> None:
    """For readings that did not come through ingest, which notes its own: their hours are to be computed."""
    await repository.mark(work, start, end)


async def aggregate_due(work: Work) -> int:
    """Take in what ingest noted and compute the hours that are due. Returns how many hours.

    One transaction, one leader: whatever stops it half-way leaves the marks, and the next turn does it again.
    """
    if not await repository.lead(work):
        return 0
    if await repository.merge_notes(work, SETTLE, DEBOUNCE, NOTES_A_TURN) < NOTES_A_TURN:
        await repository.note_progress(work)
    await repository.forget_deleted(work)
    computed = 0
    while computed < HOURS_A_TURN:
        due = await repository.due_hours(work, HOURS_A_STATEMENT)
        if not due:
            break
        await repository.compute(work, due)
        computed += len(due)
    return computed
