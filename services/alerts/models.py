"""Alerts, each press or breach that belongs to them, and the ladder that climbs until somebody comes."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from pydantic import Field as ViewField
from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from services.alerts.states import AlertStatus
from services.core.columns import UtcDateTime, enum_column
from services.core.ids import new_id


class AlertKind(StrEnum):
    """What happened. Sos, fall and help_cord are life safety; see ``services.alerts.severity``."""

    SOS = "sos"
    FALL = "fall"
    HELP_CORD = "help_cord"
    SMOKE = "smoke"
    GAS = "gas"
    WATER = "water"
    UNREADABLE_ALARM = "unreadable_alarm"
    OTHER = "other"
    HEART_RATE = "heart_rate"
    SPO2 = "spo2"
    BLOOD_PRESSURE = "blood_pressure"
    TEMPERATURE = "temperature"
    RESPIRATORY_RATE = "respiratory_rate"
    GLUCOSE = "glucose"
    EARLY_WARNING = "early_warning"  # a partial early-warning score of several kinds together
    NO_READINGS = "no_readings"  # a kind of reading that a rule expects has stayed away


class Alert(SQLModel, table=True):
    """One live alert a subject and kind, by a partial unique index.

    ``subject_id`` is the resident, or the terminal when nobody is bound to it. The chain of times:
    ``pressed_at`` t0 (terminal's clock), ``received_at`` t1, ``acknowledged_at`` t2, ``responding_at`` t4,
    ``on_scene_at`` t5, ``resolved_at`` t6 (t3, classification, is ``classified_at``).
    """

    __tablename__ = "alert"
    __table_args__ = (
        Index(
            "alert_one_live",
            "subject_id",
            "kind",
            unique=True,
            postgresql_where="status IN ('open', 'acknowledged', 'responding', 'on_scene')",
        ),
        Index("alert_centre", "centre_id", "id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    subject_id: UUID
    resident_id: UUID | None = Field(default=None, foreign_key="resident.id", index=True)
    terminal_id: UUID | None = Field(default=None, foreign_key="terminal.id")
    centre_id: UUID = Field(foreign_key="centre.id")
    area_code: str = Field(index=True)
    kind: AlertKind = Field(sa_column=enum_column(AlertKind))
    severity: int
    status: AlertStatus = Field(sa_column=enum_column(AlertStatus))
    occurrences: int = 1
    last_occurrence_at: datetime = Field(sa_type=UtcDateTime)
    pressed_at: datetime = Field(sa_type=UtcDateTime)
    received_at: datetime = Field(sa_type=UtcDateTime)
    acknowledged_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    classified_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    responding_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    on_scene_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    resolved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    responder_account_id: UUID | None = None
    lease_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    resolution: str | None = None
    note: str | None = None
    version: int = 1


class AlertOccurrence(SQLModel, table=True):
    """One press, fall or breach. The same message twice is one row: (terminal, alarm id) is unique."""

    __tablename__ = "alert_occurrence"
    __table_args__ = (UniqueConstraint("terminal_id", "alarm_id", name="alert_occurrence_once"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    alert_id: UUID = Field(foreign_key="alert.id", index=True)
    terminal_id: UUID
    alarm_id: str
    area_code: str
    pressed_at: datetime = Field(sa_type=UtcDateTime)
    received_at: datetime = Field(sa_type=UtcDateTime)
    detail: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)


class Escalation(SQLModel, table=True):
    """The ladder of one alert. The policy is a snapshot: editing the policy never changes a running alert."""

    __tablename__ = "escalation"
    __table_args__ = (Index("escalation_due", "next_at", postgresql_where="next_at IS NOT NULL"),)

    alert_id: UUID = Field(foreign_key="alert.id", primary_key=True)
    area_code: str
    policy: dict[str, Any] = Field(sa_type=JSONB)
    step: int = 0
    loops: int = 0
    next_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    last_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class AlertLog(SQLModel, table=True):
    """What was done about an alert besides its status: pages, occurrences, expired leases, nobody on duty."""

    __tablename__ = "alert_log"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    alert_id: UUID = Field(foreign_key="alert.id", index=True)
    area_code: str
    at: datetime = Field(sa_type=UtcDateTime)
    what: str
    detail: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    account_id: UUID | None = None


class AlertPublic(BaseModel):
    """One alert with its chain of times: t0 pressed, t1 received, t2 acknowledged, … t6 resolved."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    kind: AlertKind
    severity: int = ViewField(description="1 notice, 2 warning, 3 high, 4 life safety.")
    status: AlertStatus
    resident_id: UUID | None
    terminal_id: UUID | None
    centre_id: UUID
    area_code: str
    occurrences: int
    last_occurrence_at: datetime
    pressed_at: datetime
    received_at: datetime
    acknowledged_at: datetime | None
    classified_at: datetime | None
    responding_at: datetime | None
    on_scene_at: datetime | None
    resolved_at: datetime | None
    responder_account_id: UUID | None
    lease_until: datetime | None
    resolution: str | None
    note: str | None
    version: int


class OccurrencePublic(BaseModel):
    """One press or breach of an alert."""

    model_config = ConfigDict(from_attributes=True)

    terminal_id: UUID
    alarm_id: str
    pressed_at: datetime
    received_at: datetime
    detail: dict[str, Any]


class LogLine(BaseModel):
    """One thing that was done about an alert."""

    model_config = ConfigDict(from_attributes=True)

    at: datetime
    what: str
    detail: dict[str, Any]
    account_id: UUID | None


class AlertDetail(AlertPublic):
    """An alert with everything that happened to it."""

    pressed: list[OccurrencePublic]
    log: list[LogLine]
