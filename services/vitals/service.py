"""What happens to readings: kept as evidence, shown to whom they concern. Rules judge them in services.rules."""

from collections.abc import Mapping, Sequence
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

NO_SHIFTS: Mapping[tuple[UUID, int], timedelta] = {}


def clock_shift(newest: datetime, received_at: datetime) -> timedelta | None:
    """By how much a message's times must be moved because its terminal's clock is far off; ``None``: not.

    All readings of a message move together, the newest to its arrival, so that their spacing stays.
    """
    if received_at - CLOCK_BEHIND <= newest <= received_at + CLOCK_AHEAD:
        return None
    return received_at - newest


async def store_readings(
    work: Work, rows: Sequence[ReadingRow], shifts: Mapping[tuple[UUID, int], timedelta] = NO_SHIFTS
) -> Sequence[ReadingRow]:
    """Store a batch, each reading once; gives what was not a repeat of a message with a corrected time.

    ``shifts`` names messages, (terminal, seq), that may stand under another time already, because their terminal's
    clock is or was wrong: with the move of their times in this batch, zero for none.
    """
    rows = await _without_repeats(work, rows, shifts)
    if rows:
        await repository.save_readings(await work.session.connection(), rows)
    return rows


async def _without_repeats(
    work: Work, rows: Sequence[ReadingRow], shifts: Mapping[tuple[UUID, int], timedelta]
) -> Sequence[ReadingRow]:
    """Leave out repeated messages of terminals with a wrong clock.

    The table's key, (terminal, kind, time), tells any other repeat; these got another time when they came first.
    """
    corrected = {(row.terminal_id, row.seq) for row in rows if row.clock_corrected and row.seq is not None}
    asked = corrected | shifts.keys()
    if not asked:
        return rows
    known = await repository.corrected_before(work, asked)
    # Before its clock was measured, the same message may have been stored at the time that its terminal said.
    said = [
        row._replace(measured_at=row.measured_at - shifts[row.terminal_id, row.seq])
        for row in rows
        if row.clock_corrected and row.seq is not None and (row.terminal_id, row.seq) in shifts.keys() - known
    ]
    if said:
        known |= await repository.stored_as_said(work, said)
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
