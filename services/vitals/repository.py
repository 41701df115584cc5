"""SQL about readings and dead letters. The writing half is thin: it is what ingest lives by."""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg
from sqlalchemy import bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col, select

from services.core.columns import UtcDateTime
from services.core.database import Work
from services.core.ids import new_id
from services.vitals.kinds import Quality, ReadingKind
from services.vitals.models import DeadLetter, Reading

READING_COLUMNS = (
    "terminal_id",
    "kind",
    "measured_at",
    "value",
    "quality",
    "seq",
    "resident_id",
    "area_code",
    "received_at",
    "clock_corrected",
)
_TYPES = "uuid[], text[], timestamptz[], float8[], text[], int8[], uuid[], text[], timestamptz[], bool[]"
_UNNEST = ", ".join(f"${i + 1}::{kind}" for i, kind in enumerate(_TYPES.split(", ")))
_INSERT = (
    f"INSERT INTO reading ({', '.join(READING_COLUMNS)})"  # noqa: S608  only our own column names
    f" SELECT * FROM unnest({_UNNEST}) ON CONFLICT DO NOTHING"
)
_NOTE = "INSERT INTO reading_note (noted_at, residents, hours) VALUES (now(), $1, $2)"
_CORRECTED = text(
    "SELECT DISTINCT terminal_id, seq FROM reading"
    " JOIN unnest(CAST(:terminals AS uuid[]), CAST(:seqs AS bigint[])) AS sent(terminal_id, seq)"
    " USING (terminal_id, seq) WHERE clock_corrected"
)
_AS_SAID = text(
    "SELECT DISTINCT terminal_id, reading.seq FROM reading"
    " JOIN unnest(CAST(:terminals AS uuid[]), CAST(:kinds AS text[]), CAST(:times AS timestamptz[]),"
    " CAST(:seqs AS bigint[])) AS said(terminal_id, kind, measured_at, seq)"
    " USING (terminal_id, kind, measured_at) WHERE reading.seq = said.seq AND NOT clock_corrected"
)
_VOID = text(
    "UPDATE reading SET quality = 'no_data' WHERE terminal_id = :source_id AND measured_at = :measured_at"
    " RETURNING resident_id, measured_at"
).bindparams(bindparam("measured_at", type_=UtcDateTime()))
HEAD_BYTES = 2_048
"""How much of an unreadable payload is kept for finding out what is wrong with its sender."""


class ReadingRow(NamedTuple):
    """One row of ``reading``, in the order of ``READING_COLUMNS``."""

    terminal_id: UUID
    kind: str
    measured_at: datetime
    value: float
    quality: str
    seq: int | None
    resident_id: UUID | None
    area_code: str
    received_at: datetime
    clock_corrected: bool


async def raw(connection: AsyncConnection) -> asyncpg.Connection:
    """The driver's own connection, inside the same transaction."""
    return (await connection.get_raw_connection()).driver_connection


async def save_readings(connection: AsyncConnection, rows: Sequence[ReadingRow]) -> None:
    """Store readings once each. COPY first; only a batch that repeats something takes the slower way.

    The key is (terminal, kind, time): what came twice is stored once, whoever sent it again. Which hours of which
    residents the batch touches is noted with it, for the aggregates (ADR 14).
    """
    driver = await raw(connection)
    try:
        async with connection.begin_nested():
            await driver.copy_records_to_table("reading", records=rows, columns=READING_COLUMNS)
    except (asyncpg.UniqueViolationError, asyncpg.CheckViolationError):
        # The second one: a partition was made for rows that were on their way into the catch-all.
        await driver.execute(_INSERT, *zip(*rows, strict=True))
    touched = _touched(rows)
    if touched:
        await driver.execute(_NOTE, [pair[0] for pair in touched], [pair[1] for pair in touched])


async def void_source(work: Work, source_id: UUID, measured_at: datetime) -> None:
    """A measurement by hand was found wrong: it stays as evidence and counts as a reading no more."""
    rows = (await work.sql(_VOID, {"source_id": source_id, "measured_at": measured_at})).all()
    touched = {(row[0], int(row[1].timestamp()) // 3600) for row in rows}
    if touched:
        driver = await raw(await work.session.connection())
        await driver.execute(_NOTE, [pair[0] for pair in touched], [pair[1] for pair in touched])


def _touched(rows: Sequence[ReadingRow]) -> set[tuple[UUID, int]]:
    """Residents and hours since 1970, each pair once. The readings of one message mostly share both."""
    touched: set[tuple[UUID, int]] = set()
    resident_id = at = None
    for row in rows:
        if row[6] is resident_id and row[2] is at:
            continue
        resident_id, at = row[6], row[2]
        if resident_id is not None:
            touched.add((resident_id, int(at.timestamp()) // 3600))
    return touched


async def corrected_before(work: Work, sent: Collection[tuple[UUID, int]]) -> set[tuple[UUID, int]]:
    """Which of these messages, (terminal, seq), are stored under a time that we gave them."""
    values = {"terminals": [terminal for terminal, _ in sent], "seqs": [seq for _, seq in sent]}
    return {(row[0], row[1]) for row in await work.sql(_CORRECTED, values)}


async def stored_as_said(work: Work, rows: Sequence[ReadingRow]) -> set[tuple[UUID, int]]:
    """Which messages, (terminal, seq), of these rows are stored under just these times, uncorrected."""
    values = {
        "terminals": [row.terminal_id for row in rows],
        "kinds": [row.kind for row in rows],
        "times": [row.measured_at for row in rows],
        "seqs": [row.seq for row in rows],
    }
    return {(row[0], row[1]) for row in await work.sql(_AS_SAID, values)}


async def save_dead_letter(
    work: Work, topic: str, terminal_id: UUID | None, area_code: str, code: str, detail: str, payload: bytes
) -> None:
    """Keep a message that could not be taken, with the reason."""
    work.session.add(
        DeadLetter(
            id=new_id(),
            received_at=work.now,
            topic=topic[:200].replace("\x00", ""),
            terminal_id=terminal_id,
            area_code=area_code,
            code=code,
            detail=detail[:500],
            payload_bytes=len(payload),
            payload_sha256=hashlib.sha256(payload).hexdigest(),
            payload_head=payload[:HEAD_BYTES],
        )
    )


async def latest(
    work: Work, resident_id: UUID, kinds: Iterable[ReadingKind] = tuple(ReadingKind)
) -> Sequence[Reading]:
    """The newest good reading of each kind of one resident (in scope by the caller's check).

    One short look into the index a kind, whatever the length of the history.
    """
    newest = [
        select(Reading)
        .where(Reading.resident_id == resident_id, Reading.kind == kind, Reading.quality == Quality.GOOD)
        .order_by(col(Reading.measured_at).desc())
        .limit(1)
        for kind in kinds
    ]
    found = [(await work.session.exec(statement)).first() for statement in newest]
    return [reading for reading in found if reading is not None]


async def between(
    work: Work, resident_id: UUID, kind: ReadingKind, start: datetime, end: datetime, limit: int
) -> Sequence[Reading]:
    """Readings of a kind in [start, end), newest first, ``no_data`` ones included."""
    statement = (
        select(Reading)
        .where(
            Reading.resident_id == resident_id,
            Reading.kind == kind,
            Reading.measured_at >= start,
            Reading.measured_at < end,
        )
        .order_by(col(Reading.measured_at).desc())
        .limit(limit)
    )
    return (await work.session.exec(statement)).all()


async def list_dead_letters(work: Work, limit: int, cursor: UUID | None) -> Sequence[DeadLetter]:
    """Dead letters in the actor's area, newest first."""
    statement = (
        select(DeadLetter)
        .where(col(DeadLetter.area_code).startswith(work.actor.area_code))
        .order_by(col(DeadLetter.id).desc())
        .limit(limit)
    )
    if cursor is not None:
        statement = statement.where(DeadLetter.id < cursor)
    return (await work.session.exec(statement)).all()
