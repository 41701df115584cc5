"""Readings, what is counted together from them, and the messages that could not be read."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Column, Identity, Index, Integer, Uuid
from sqlmodel import Field, SQLModel

from services.core.columns import UtcDateTime, enum_column
from services.core.ids import new_id
from services.vitals.kinds import Quality, ReadingKind


class Reading(SQLModel, table=True):
    """One value of one terminal at one time. Partitioned by month of ``measured_at``.

    ``measured_at`` is the terminal's own time unless ``clock_corrected``; ``resident_id`` is who wore the
    terminal then.
    """

    __tablename__ = "reading"
    __table_args__ = (
        Index("reading_resident", "resident_id", "kind", "measured_at"),
        Index("reading_corrected", "terminal_id", "seq", postgresql_where="clock_corrected"),
        {"postgresql_partition_by": "RANGE (measured_at)"},
    )

    terminal_id: UUID = Field(primary_key=True)
    kind: ReadingKind = Field(sa_column=enum_column(ReadingKind, primary_key=True))
    measured_at: datetime = Field(sa_type=UtcDateTime, primary_key=True)
    value: float
    quality: Quality = Field(sa_column=enum_column(Quality))
    seq: int | None = Field(default=None, sa_column=Column(BigInteger))
    resident_id: UUID | None = None
    area_code: str
    received_at: datetime = Field(sa_type=UtcDateTime)
    clock_corrected: bool = False


class DeadLetter(SQLModel, table=True):
    """A message that could not be taken, with the reason. Its payload may be health data: scoped."""

    __tablename__ = "dead_letter"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    received_at: datetime = Field(sa_type=UtcDateTime, index=True)
    topic: str
    terminal_id: UUID | None = Field(default=None, index=True)
    area_code: str
    code: str
    detail: str
    payload_bytes: int
    payload_sha256: str
    payload_head: bytes


class ReadingHourly(SQLModel, table=True):
    """All readings of a resident and kind in one hour. Never added to: recomputed as a whole (ADR 14).

    ``minimum``, ``maximum`` and ``total`` are of good readings, and ``readings`` is how many those are.
    """

    __tablename__ = "reading_hourly"

    resident_id: UUID = Field(primary_key=True)
    kind: ReadingKind = Field(sa_column=enum_column(ReadingKind, primary_key=True))
    hour: datetime = Field(sa_type=UtcDateTime, primary_key=True)
    area_code: str
    minimum: float | None = None
    maximum: float | None = None
    total: float
    readings: int
    no_data: int


class ReadingDaily(SQLModel, table=True):
    """The same for a day of the business calendar (Asia/Shanghai), from the hours."""

    __tablename__ = "reading_daily"

    resident_id: UUID = Field(primary_key=True)
    kind: ReadingKind = Field(sa_column=enum_column(ReadingKind, primary_key=True))
    day: date = Field(primary_key=True)
    area_code: str
    minimum: float | None = None
    maximum: float | None = None
    total: float
    readings: int
    no_data: int


class ReadingNote(SQLModel, table=True):
    """Which hours of which residents one batch touched, pair by pair; written with the batch, taken in soon after.

    ``hours`` counts from 1970. Rows are only ever added by ingest, so ingest never waits for anybody.
    """

    __tablename__ = "reading_note"

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    noted_at: datetime = Field(sa_type=UtcDateTime)
    residents: list[UUID] = Field(sa_column=Column(ARRAY(Uuid), nullable=False))
    hours: list[int] = Field(sa_column=Column(ARRAY(Integer), nullable=False))


class ReadingDirty(SQLModel, table=True):
    """An hour of a resident that has changed since it was computed, and from when on it may be computed."""

    __tablename__ = "reading_dirty"
    __table_args__ = (Index("reading_dirty_due", "due_at"),)

    resident_id: UUID = Field(primary_key=True)
    hour: datetime = Field(sa_type=UtcDateTime, primary_key=True)
    area_code: str
    due_at: datetime = Field(sa_type=UtcDateTime)


class AggregateProgress(SQLModel, table=True):
    """Up to when every note of ingest has been taken in; one row, once the worker has been at it."""

    __tablename__ = "aggregate_progress"
    __table_args__ = (CheckConstraint("id = 1", name="aggregate_progress_one_row"),)

    id: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    merged_at: datetime = Field(sa_type=UtcDateTime)


class RetentionLog(SQLModel, table=True):
    """What was deleted by policy: of which kind, of what time, how many rows, when, by which version."""

    __tablename__ = "retention_log"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)
    what: str
    range_start: datetime = Field(sa_type=UtcDateTime)
    range_end: datetime = Field(sa_type=UtcDateTime)
    rows: int = Field(sa_type=BigInteger)
    policy_version: str
