"""Alerts, each press or breach of theirs, the ladder that climbs until somebody comes, and who was paged."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, computed_field
from pydantic import Field as ViewField
from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from services.alerts.durations import Durations, durations_of
from services.alerts.resolutions import CallOutcome, Classification
from services.alerts.states import AlertStatus, HandoverStatus
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
    CAREGIVER_PANIC = "caregiver_panic"  # a caregiver calls for help for herself


class Alert(SQLModel, table=True):
    """One live alert a subject and kind, by a partial unique index.

    ``subject_id`` is the resident, the terminal when nobody is bound to it, or a caregiver who calls for
    herself. The chain of times:
    ``pressed_at`` t0 (terminal's clock), ``received_at`` t1, ``acknowledged_at`` t2, ``responding_at`` t4,
    ``on_scene_at`` t5, ``resolved_at`` t6 (t3, classification, is ``classified_at``). A time that may come twice
    (a second acknowledgement after an expired lease) is the first; every one stands in ``status_change``.
    ``taken_back_at``: the resident took the alarm back on the terminal; a person decides what follows.
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
    reviewed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    cancelled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    taken_back_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    classification: Classification | None = Field(
        default=None, sa_column=enum_column(Classification, nullable=True)
    )
    responder_account_id: UUID | None = None
    lease_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    resolution: str | None = None
    note: str | None = None
    checklist: dict[str, str] | None = Field(default=None, sa_type=JSONB)
    version: int = 1


class AlertOccurrence(SQLModel, table=True):
    """One press, fall or breach. The same message twice is one row: (terminal, alarm id) is unique.

    ``terminal_id`` is where it came from: a terminal, or else a caregiver's own button or a reading taken by hand.
    """

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
    """The ladder of one alert. The policy is a snapshot: editing the policy never changes a running alert.

    The snapshot is the default until ``frozen_at``, when the policy of the centre, severity and hour is chosen:
    before the first page, or when somebody acts first. ``step`` -1: nobody has been paged yet. Three things may
    be due: the next rung or the end of a lease (``next_at``), people who must all acknowledge (``repage_at``),
    and a new press (``called_at``).
    """

    __tablename__ = "escalation"
    __table_args__ = (
        Index("escalation_due", "next_at", postgresql_where="next_at IS NOT NULL"),
        Index("escalation_repage", "repage_at", postgresql_where="repage_at IS NOT NULL"),
        Index("escalation_called", "called_at", postgresql_where="called_at IS NOT NULL"),
    )

    alert_id: UUID = Field(foreign_key="alert.id", primary_key=True)
    area_code: str
    policy: dict[str, Any] = Field(sa_type=JSONB)
    severity: int | None = None
    frozen_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    step: int = -1
    repeat: int = 0
    loops: int = 0
    next_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    last_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    repage_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    called_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    nobody_since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    failed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    failed_with: str | None = None
    hold_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    audited_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class AlertPage(SQLModel, table=True):
    """One person paged once: an account, or a resident's emergency contact. ``why`` is the step's own word.

    ``must_acknowledge``: of a step whose people must all acknowledge; ``acknowledged_at`` is that person's own.
    """

    __tablename__ = "alert_page"
    __table_args__ = (
        CheckConstraint("num_nonnulls(account_id, contact_id) = 1", name="alert_page_one_recipient"),
        Index("alert_page_alert", "alert_id", "id"),
        Index("alert_page_account", "account_id", "id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    alert_id: UUID = Field(foreign_key="alert.id")
    area_code: str
    loop: int
    step: int
    repeat: int
    why: str
    account_id: UUID | None = Field(default=None, foreign_key="account.id")
    contact_id: UUID | None = Field(default=None, foreign_key="emergency_contact.id")
    must_acknowledge: bool = False
    paged_at: datetime = Field(sa_type=UtcDateTime)
    acknowledged_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class AlertHandover(SQLModel, table=True):
    """One responder asks another to take over. Until it is accepted the responsibility stays where it was."""

    __tablename__ = "alert_handover"
    __table_args__ = (
        Index("alert_handover_one_open", "alert_id", unique=True, postgresql_where="status = 'requested'"),
        Index("alert_handover_alert", "alert_id", "id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    alert_id: UUID = Field(foreign_key="alert.id")
    area_code: str
    from_account_id: UUID = Field(foreign_key="account.id")
    to_account_id: UUID = Field(foreign_key="account.id")
    status: HandoverStatus = Field(sa_column=enum_column(HandoverStatus))
    note: str = ""
    requested_at: datetime = Field(sa_type=UtcDateTime)
    answered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    answer_note: str = ""
    version: int = 1


class AlertAid(SQLModel, table=True):
    """A neighbouring centre may see and take this alert, and read its resident's card, until it is over."""

    __tablename__ = "alert_aid"
    __table_args__ = (
        UniqueConstraint("alert_id", "centre_id", name="alert_aid_once"),
        Index("alert_aid_centre", "centre_id", postgresql_where="ended_at IS NULL"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    alert_id: UUID = Field(foreign_key="alert.id")
    resident_id: UUID | None = Field(default=None, foreign_key="resident.id")
    centre_id: UUID = Field(foreign_key="centre.id")
    area_code: str
    granted_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class EmergencyCall(SQLModel, table=True):
    """That 120 was called: by whom, when, what was said and answered, and who took the resident over."""

    __tablename__ = "emergency_call"
    __table_args__ = (Index("emergency_call_alert", "alert_id", "id"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    alert_id: UUID = Field(foreign_key="alert.id")
    resident_id: UUID | None = Field(default=None, foreign_key="resident.id")
    area_code: str
    called_at: datetime = Field(sa_type=UtcDateTime)
    called_by: UUID = Field(foreign_key="account.id")
    said: str
    outcome: CallOutcome = Field(sa_column=enum_column(CallOutcome))
    handed_over_to: str | None = None
    handed_over_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    recorded_at: datetime = Field(sa_type=UtcDateTime)


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
    reviewed_at: datetime | None
    cancelled_at: datetime | None
    taken_back_at: datetime | None = ViewField(
        description="When the resident took the alarm back on the terminal."
    )
    classification: Classification | None
    responder_account_id: UUID | None
    lease_until: datetime | None
    resolution: str | None
    note: str | None
    version: int

    @computed_field(description="How long each step took, in seconds.")  # type: ignore[prop-decorator]
    @property
    def durations(self) -> Durations:
        """From the receipt to each step."""
        return durations_of(self)


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


class PagePublic(BaseModel):
    """One person who was paged."""

    model_config = ConfigDict(from_attributes=True)

    loop: int
    step: int
    repeat: int
    why: str
    account_id: UUID | None
    contact_id: UUID | None
    must_acknowledge: bool
    paged_at: datetime
    acknowledged_at: datetime | None


class HandoverPublic(BaseModel):
    """One handover, with both sides."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    from_account_id: UUID
    to_account_id: UUID
    status: HandoverStatus
    note: str
    requested_at: datetime
    answered_at: datetime | None
    answer_note: str


class AlertDetail(AlertPublic):
    """An alert with everything that happened to it."""

    pressed: list[OccurrencePublic]
    log: list[LogLine]
    pages: list[PagePublic]
    handovers: list[HandoverPublic]
    checklist: dict[str, str] | None
