"""Monitoring terminals, who wears them, and the messages on their way down to them."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, Identity, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from services.core.columns import UtcDateTime, enum_column
from services.core.ids import new_id
from services.terminals.states import TerminalStatus

DOWNLINK_CHANNEL = "guoyuan_downlink"
"""A statement trigger on ``downlink`` notifies here; see the first migration."""


class TerminalKind(StrEnum):
    PENDANT = "pendant"
    WRISTBAND = "wristband"
    BEDSIDE_MONITOR = "bedside_monitor"
    SMOKE_DETECTOR = "smoke_detector"
    GAS_DETECTOR = "gas_detector"
    HELP_CORD = "help_cord"
    BLOOD_PRESSURE_METER = "blood_pressure_meter"
    GLUCOMETER = "glucometer"


class Terminal(SQLModel, table=True):
    """One terminal. Its id is its MQTT user name and its place in the topics.

    ``password_hash`` is in Mosquitto's own format, so one hash serves every broker.
    """

    __tablename__ = "terminal"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    serial: str = Field(unique=True)
    kind: TerminalKind = Field(sa_column=enum_column(TerminalKind))
    status: TerminalStatus = Field(sa_column=enum_column(TerminalStatus))
    area_code: str = Field(index=True)
    centre_id: UUID = Field(foreign_key="centre.id", index=True)
    resident_id: UUID | None = Field(default=None, foreign_key="resident.id", index=True)
    room: str = ""
    password_hash: str | None = None
    version: int = 1


class TerminalBinding(SQLModel, table=True):
    """Which resident a terminal belonged to, from when to when."""

    __tablename__ = "terminal_binding"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    terminal_id: UUID = Field(foreign_key="terminal.id", index=True)
    resident_id: UUID = Field(foreign_key="resident.id", index=True)
    area_code: str
    bound_at: datetime = Field(sa_type=UtcDateTime)
    unbound_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class TerminalState(SQLModel, table=True):
    """The last word heard of a terminal; apart from ``terminal`` because it changes with every message."""

    __tablename__ = "terminal_state"

    terminal_id: UUID = Field(foreign_key="terminal.id", primary_key=True)
    area_code: str
    is_online: bool
    seen_at: datetime = Field(sa_type=UtcDateTime)
    battery_percent: int | None = None
    signal_dbm: int | None = None
    firmware: str | None = None


class Downlink(SQLModel, table=True):
    """A message for a terminal, stored with the change that caused it, sent by the ingest process."""

    __tablename__ = "downlink"
    __table_args__ = (Index("downlink_unsent", "id", postgresql_where="sent_at IS NULL"),)

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    terminal_id: UUID = Field(foreign_key="terminal.id")
    area_code: str
    branch: str  # receipt | command
    payload: dict[str, Any] = Field(sa_type=JSONB)
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
