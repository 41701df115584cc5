"""Faults of terminals, and since when ingest has been listening."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from pydantic import Field as ViewField
from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from services.core.columns import UtcDateTime, enum_column
from services.core.ids import new_id
from services.supervision.states import FaultStatus


class FaultKind(StrEnum):
    OFFLINE = "offline"
    LOW_BATTERY = "low_battery"
    WEAK_SIGNAL = "weak_signal"
    SENSOR_OFF = "sensor_off"
    TAMPER = "tamper"


class ClearedBy(StrEnum):
    RECOVERED = "recovered"
    PERSON = "person"
    OUT_OF_SERVICE = "out_of_service"  # the terminal was taken back, or given to somebody else


class TerminalFault(SQLModel, table=True):
    """Something is wrong with a terminal: work for its centre. One live fault a terminal, kind and sensor.

    ``sensor`` is a kind of reading for ``sensor_off`` and empty otherwise. ``told_at``: those on duty were told;
    ``escalated_at``: the centre's manager was, because nobody took it.
    """

    __tablename__ = "terminal_fault"
    __table_args__ = (
        Index(
            "terminal_fault_one_live",
            "terminal_id",
            "kind",
            "sensor",
            unique=True,
            postgresql_where="status IN ('open', 'assigned')",
        ),
        Index("terminal_fault_centre", "centre_id", "id"),
        Index(
            "terminal_fault_untold",
            "opened_at",
            postgresql_where="status = 'open' AND is_life_safety AND escalated_at IS NULL",
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    terminal_id: UUID = Field(foreign_key="terminal.id")
    resident_id: UUID | None = Field(default=None, foreign_key="resident.id")
    centre_id: UUID = Field(foreign_key="centre.id")
    area_code: str
    kind: FaultKind = Field(sa_column=enum_column(FaultKind))
    sensor: str = ""
    is_life_safety: bool
    opened_at: datetime = Field(sa_type=UtcDateTime)
    last_heard_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    status: FaultStatus = Field(sa_column=enum_column(FaultStatus))
    assigned_account_id: UUID | None = Field(default=None, foreign_key="account.id")
    assigned_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    cleared_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    cleared_by: ClearedBy | None = Field(default=None, sa_column=enum_column(ClearedBy, nullable=True))
    note: str = ""
    told_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    escalated_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    version: int = 1


class Listening(SQLModel, table=True):
    """Since when one session of ingest has been connected and storing without interruption; NULL: it is not.

    Silence of a terminal counts from here at the earliest. ``beaten_at`` tells a process that died.
    """

    __tablename__ = "listening"

    lane: str = Field(primary_key=True)
    seat: str = Field(primary_key=True)
    since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    beaten_at: datetime = Field(sa_type=UtcDateTime)


class FaultPublic(BaseModel):
    """A fault as the centre sees it."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    terminal_id: UUID
    resident_id: UUID | None
    centre_id: UUID
    area_code: str
    kind: FaultKind
    sensor: str = ViewField(description="The kind of reading that stays away, for `sensor_off`; else empty.")
    is_life_safety: bool
    opened_at: datetime
    last_heard_at: datetime | None
    status: FaultStatus
    assigned_account_id: UUID | None
    assigned_at: datetime | None
    cleared_at: datetime | None
    cleared_by: ClearedBy | None
    note: str
    version: int
