"""Readings, the rules' state about them, and the messages that could not be read."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Column, Index
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


class VitalThreshold(SQLModel, table=True):
    """A resident's own limits for one kind of reading; ``None`` means the rule set's default."""

    __tablename__ = "vital_threshold"

    resident_id: UUID = Field(foreign_key="resident.id", primary_key=True)
    kind: ReadingKind = Field(sa_column=enum_column(ReadingKind, primary_key=True))
    area_code: str
    low: float | None = None
    high: float | None = None
    set_by: UUID | None = None
    set_at: datetime = Field(sa_type=UtcDateTime)
    version: int = 1


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
