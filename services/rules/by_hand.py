"""Readings that somebody takes by hand go the way of a terminal's: stored, then judged by the same rules."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.core.database import Work
from services.rules import repository
from services.rules.service import DEFAULTS, Judge, take_readings
from services.terminals.repository import Bound
from services.vitals.kinds import ReadingKind

_KINDS = frozenset(kind.value for kind in ReadingKind)


class Measured(NamedTuple):
    """One value that somebody measured. ``source_id`` is the record of the measurement, in place of a terminal."""

    source_id: UUID
    resident_id: UUID
    centre_id: UUID
    area_code: str
    measured_at: datetime
    received_at: datetime
    values: Sequence[tuple[str, float]]


async def take_by_hand(work: Work, measured: Measured) -> None:
    """Put a measurement into the resident's vital record and raise what its rules call for. Idempotent.

    A kind that the vital record does not keep (weight) stays with the visit. For the worker: nobody else writes
    readings.
    """
    source = Bound(
        terminal_id=measured.source_id,
        resident_id=measured.resident_id,
        centre_id=measured.centre_id,
        area_code=measured.area_code,
        version=0,
        by_hand=True,
    )
    judge = Judge()
    judge.book = await repository.read_book(
        await work.session.connection(), DEFAULTS, resident_id=measured.resident_id
    )
    rows, breaches = [], []
    for kind, value in measured.values:
        if kind not in _KINDS:
            continue
        row, breach = judge.row(source, kind, value, measured.measured_at, None, 0, measured.received_at)
        rows.append(row._replace(seq=None))
        breaches += [] if breach is None else [breach]
    if rows:
        await take_readings(work, rows, breaches)
