"""Monitoring terminals and their profiles, who wears them, and the messages on their way down to them."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Identity, Index, UniqueConstraint, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlmodel import Field, SQLModel

from services.core.columns import UtcDateTime, enum_column
from services.core.ids import new_id
from services.terminals.states import TerminalStatus

DOWNLINK_CHANNEL = "guoyuan_downlink"
"""A statement trigger on ``downlink`` notifies here; see the first migration."""

CHANGE_CHANNEL = "guoyuan_terminal"
"""A trigger on ``terminal`` notifies the id of every changed row here: brokers and ingest hold copies."""


class TerminalKind(StrEnum):
    PENDANT = "pendant"
    WRISTBAND = "wristband"
    BEDSIDE_MONITOR = "bedside_monitor"
    SMOKE_DETECTOR = "smoke_detector"
    GAS_DETECTOR = "gas_detector"
    HELP_CORD = "help_cord"
    BLOOD_PRESSURE_METER = "blood_pressure_meter"
    GLUCOMETER = "glucometer"


_PROFILE_IDS: Final = {
    kind.value: UUID(f"0193a000-0000-7000-8000-{place:012d}") for place, kind in enumerate(TerminalKind, 1)
}


def default_profile_id(kind: TerminalKind) -> UUID:
    """The profile that a terminal of this kind has unless another is named (``data/profiles.json``)."""
    return _PROFILE_IDS[kind]


def _profile_of_kind(context: DefaultExecutionContext) -> UUID:
    kind = context.get_current_parameters()["kind"]  # type: ignore[no-untyped-call]
    return default_profile_id(TerminalKind(kind))


class TerminalProfile(SQLModel, table=True):
    """What holds for every terminal of a model: what it can do, how it reports, and when that is a worry.

    ``heartbeat_seconds`` is how often it says that it is alive, ``inactivity_seconds`` how long its silence may
    last before somebody must look; both are NULL for one that speaks only when it is used. Without
    ``battery_low_percent``, ``signal_weak_dbm`` or ``test_interval_days`` there is nothing to watch.
    ``default_rules`` is a list of rule documents (``services.rules``), the layer under the county's.

    ``data_version`` is the version of the project's own data that the row follows; NULL once the county has
    edited it. ``verified`` says whether somebody answers for the figures.
    """

    __tablename__ = "terminal_profile"
    __table_args__ = (
        CheckConstraint("NOT allow_new OR intake_centre_id IS NOT NULL", name="new_terminals_have_a_centre"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    code: str = Field(unique=True)
    name_zh: str
    name_en: str
    kind: TerminalKind = Field(sa_column=enum_column(TerminalKind))
    capabilities: dict[str, Any] = Field(sa_type=JSONB)  # a Capabilities
    codec: str = "native_json"
    heartbeat_seconds: int | None = None
    inactivity_seconds: int | None = None
    battery_low_percent: int | None = None
    signal_weak_dbm: int | None = None
    test_interval_days: int | None = None
    is_life_safety: bool = False
    default_rules: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)
    provision_key: str | None = Field(default=None, unique=True)
    provision_secret_hash: str | None = None
    allow_new: bool = False
    intake_centre_id: UUID | None = Field(default=None, foreign_key="centre.id")
    is_active: bool = True
    source: str
    data_version: str | None = None
    effective_date: date | None = None
    verified: bool = False
    version: int = 1


class Terminal(SQLModel, table=True):
    """One terminal. Its id is its MQTT user name and its place in the topics.

    ``password_hash`` is in Mosquitto's own format, so one hash serves every broker. ``credential_ended_at`` is
    when a password that may be in use was last replaced or withdrawn: connections that are older must end.
    """

    __tablename__ = "terminal"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    serial: str = Field(unique=True)
    kind: TerminalKind = Field(sa_column=enum_column(TerminalKind))
    profile_id: UUID = Field(
        sa_column=Column(
            Uuid, ForeignKey("terminal_profile.id"), index=True, nullable=False, default=_profile_of_kind
        )
    )
    status: TerminalStatus = Field(sa_column=enum_column(TerminalStatus))
    area_code: str = Field(index=True)
    centre_id: UUID = Field(foreign_key="centre.id", index=True)
    resident_id: UUID | None = Field(default=None, foreign_key="resident.id", index=True)
    room: str = ""
    password_hash: str | None = None
    credential_ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)
    version: int = 1


class TerminalBinding(SQLModel, table=True):
    """Which resident a terminal belonged to, in which room, from when to when, and by whose hand.

    ``centre_id`` and ``area_code`` are those of the resident at the time: what is old stays with who had it.
    """

    __tablename__ = "terminal_binding"
    __table_args__ = (
        Index("terminal_binding_live", "terminal_id", unique=True, postgresql_where="unbound_at IS NULL"),
        CheckConstraint("unbound_at >= bound_at", name="binding_forwards"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    terminal_id: UUID = Field(foreign_key="terminal.id", index=True)
    resident_id: UUID = Field(foreign_key="resident.id", index=True)
    area_code: str
    centre_id: UUID = Field(foreign_key="centre.id")
    room: str = ""
    bound_at: datetime = Field(sa_type=UtcDateTime)
    unbound_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    bound_by: UUID | None = None
    unbound_by: UUID | None = None


class ProvisionOutcome(StrEnum):
    """How an attempt of a factory-new terminal ended."""

    GRANTED = "granted"
    WRONG_SECRET = "wrong_secret"  # noqa: S105  a word, not a secret
    UNKNOWN_SERIAL = "unknown_serial"
    WRONG_PROFILE = "wrong_profile"
    ALREADY_PROVISIONED = "already_provisioned"
    NOT_IN_STOCK = "not_in_stock"


class ProvisionAttempt(SQLModel, table=True):
    """Somebody presented a profile's key and secret: who, when, for which serial, and what came of it."""

    __tablename__ = "provision_attempt"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)
    area_code: str
    profile_id: UUID | None = Field(default=None, foreign_key="terminal_profile.id")
    terminal_id: UUID | None = Field(default=None, foreign_key="terminal.id", index=True)
    serial: str
    address: str | None = None
    outcome: ProvisionOutcome = Field(sa_column=enum_column(ProvisionOutcome))


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
    tamper: bool | None = None
    sensors: dict[str, str] | None = Field(default=None, sa_type=JSONB)  # kind of reading → on | off, as it said
    clock_offset_seconds: float | None = None  # its clock minus ours, with the way here in it; NULL: never told
    clock_measured_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    greeted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # its last status that was no goodbye


class TerminalWatch(SQLModel, table=True):
    """When a terminal in service must be looked at next: when it *would* be late, not whenever it speaks.

    ``memory`` is what the last look left for the next one (``services.supervision.faults``). ``went_away_at`` is
    when it last said goodbye or vanished: a hint that brings the look forward, never a fault by itself.
    """

    __tablename__ = "terminal_watch"

    terminal_id: UUID = Field(foreign_key="terminal.id", primary_key=True)
    area_code: str
    next_check_at: datetime = Field(sa_type=UtcDateTime, index=True)
    went_away_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    memory: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)


class TerminalHint(SQLModel, table=True):
    """Something that a terminal said makes a look at it worth while; the worker takes hints away with the look."""

    __tablename__ = "terminal_hint"

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    terminal_id: UUID
    at: datetime = Field(sa_type=UtcDateTime)
    went_away: bool


class HowTested(StrEnum):
    """How it was shown that a terminal reaches the centre."""

    PRESS = "press"  # an alert that a person resolved as a test
    COMMAND = "command"  # a test call that the centre asked for came back done
    TERMINAL_KIND = "terminal_kind"  # an alarm of the kind `test`


class TerminalTest(SQLModel, table=True):
    """One test call, the same one once."""

    __tablename__ = "terminal_test"
    __table_args__ = (UniqueConstraint("terminal_id", "at", "how", name="terminal_test_once"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    terminal_id: UUID = Field(foreign_key="terminal.id")
    area_code: str
    at: datetime = Field(sa_type=UtcDateTime)
    how: HowTested = Field(sa_column=enum_column(HowTested))
    ok: bool = True


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
