"""What happens to readings: kept as evidence, shown to whom they concern. Rules judge them in services.rules."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from services.audit.service import record_read
from services.core.database import Work
from services.core.errors import Forbidden
from services.residents.service import may_read_health
from services.vitals import repository
from services.vitals.kinds import ReadingKind
from services.vitals.models import Reading
from services.vitals.repository import ReadingRow

CLOCK_AHEAD = timedelta(minutes=5)
CLOCK_BEHIND = timedelta(days=400)
"""A terminal's time outside this window around ours is wrong; see ``clock_shift``."""


def clock_shift(newest: datetime, received_at: datetime) -> timedelta | None:
    """By how much a message's times must be moved because its terminal's clock is far off; ``None``: not.

    All readings of a message move together, the newest to its arrival, so that their spacing stays.
    """
    if received_at - CLOCK_BEHIND <= newest <= received_at + CLOCK_AHEAD:
        return None
    return received_at - newest


async def store_readings(work: Work, rows: Sequence[ReadingRow]) -> Sequence[ReadingRow]:
    """Store a batch, each reading once; gives what was not a repeat of a message with a corrected time."""
    rows = await _without_repeats(work, rows)
    if rows:
        await repository.save_readings(await work.session.connection(), rows)
    return rows


async def _without_repeats(work: Work, rows: Sequence[ReadingRow]) -> Sequence[ReadingRow]:
    """Leave out repeated messages of terminals with a wrong clock.

    The table's key, (terminal, kind, time), tells any other repeat; these got another time when they came first.
    """
    corrected = {(row.terminal_id, row.seq) for row in rows if row.clock_corrected and row.seq is not None}
    if not corrected:
        return rows
    known = await repository.corrected_before(work, corrected)
    return [row for row in rows if (row.terminal_id, row.seq) not in known]


async def latest_vitals(work: Work, resident_id: UUID) -> Sequence[Reading]:
    """The newest measurement of each kind; ``NotFound`` outside the actor's reach. Audited."""
    await may_read(work, resident_id)
    await record_read(work, [resident_id], "vitals.latest", ["vitals"])
    return await repository.latest(work, resident_id)


async def vitals_between(
    work: Work, resident_id: UUID, kind: ReadingKind, start: datetime, end: datetime, limit: int
) -> Sequence[Reading]:
    """Readings of a kind in [start, end), newest first; ``NotFound`` outside the actor's reach. Audited."""
    await may_read(work, resident_id)
    await record_read(work, [resident_id], "vitals", [kind.value])
    return await repository.between(work, resident_id, kind, start, end, limit)


async def may_read(work: Work, resident_id: UUID) -> None:
    """``NotFound`` out of reach, ``Forbidden`` without a reason (or consent) to see health data."""
    if not await may_read_health(work, resident_id):
        raise Forbidden
