"""Care workers, nurses, therapists and village doctors: what they may do, when they work, and what is kept of it.

All tables of the domain stand here; what the API takes and gives stands in ``file_models`` and in the rooms
``rota``, ``absences``, ``swaps`` and ``pairs``.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, Identity, Index
from sqlalchemy.dialects.postgresql import INT8RANGE, JSONB, ExcludeConstraint
from sqlmodel import Field, SQLModel

from services.caregivers.states import AbsenceStatus, CredentialStatus, ShiftStatus, ShiftSwapStatus
from services.core.columns import TextArray, UtcDateTime, enum_column
from services.core.ids import new_id
from services.residents.models import Gender


class TravelMode(StrEnum):
    WALK = "walk"
    BICYCLE = "bicycle"
    SCOOTER = "scooter"
    CAR = "car"


class ShiftKind(StrEnum):
    WORK = "work"
    ON_CALL = "on_call"  # 待命: a reserve at home, for urgent orders only


class AbsenceKind(StrEnum):
    LEAVE = "leave"
    SICK = "sick"  # in force at once: nobody asks for permission to be ill
    TRAINING = "training"


class AskedBy(StrEnum):
    """Who wished that two people do not meet."""

    RESIDENT = "resident"
    FAMILY = "family"
    CAREGIVER = "caregiver"
    CENTRE = "centre"


class Caregiver(SQLModel, table=True):
    """One caregiver. ``number`` is a small integer that goes into the double-booking range.

    ``practice_since`` is the first day in the profession, from which years of practice are counted.
    ``institution_id`` is the provider that she belongs to; without one she is the centre's own. Phone and
    identity number are kept sealed; the keyed hash of the latter keeps one person from having two files.
    """

    __tablename__ = "caregiver"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    number: int | None = Field(
        default=None, sa_column=Column(BigInteger, Identity(always=True), unique=True, nullable=False)
    )
    centre_id: UUID = Field(foreign_key="centre.id", index=True)
    institution_id: UUID | None = Field(default=None, foreign_key="institution.id", index=True)
    area_code: str = Field(index=True)
    name: str
    gender: Gender = Field(sa_column=enum_column(Gender))
    profession: str
    skills: list[str] = Field(default_factory=list, sa_type=TextArray)
    dialects: list[str] = Field(default_factory=list, sa_type=TextArray)
    travel_mode: TravelMode = Field(sa_column=enum_column(TravelMode))
    home_latitude: float
    home_longitude: float
    phone_encrypted: str | None = None
    id_number_encrypted: str | None = None
    id_number_lookup: str | None = Field(default=None, unique=True)
    practice_since: date | None = None
    left_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    version: int = 1


class Credential(SQLModel, table=True):
    """A licence or certificate, valid on both of its days. Only a verified one counts.

    A revoked one counts for no day from that of the revocation on. ``level`` is the skill grade of a care
    worker's certificate, 1 (highest) to 5.
    """

    __tablename__ = "credential"
    __table_args__ = (Index("credential_ends", "valid_until", postgresql_where="status = 'verified'"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    caregiver_id: UUID = Field(foreign_key="caregiver.id", index=True)
    area_code: str
    kind: str
    issuer: str
    number_encrypted: str | None = None
    scope: str = ""
    level: int | None = None
    valid_from: date
    valid_until: date
    status: CredentialStatus = Field(default=CredentialStatus.RECORDED, sa_column=enum_column(CredentialStatus))
    checked_by: UUID | None = None
    checked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    check_note: str = ""
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    version: int = 1


class CredentialWarning(SQLModel, table=True):
    """That caregiver and manager were warned of an end, once for each number of days before it."""

    __tablename__ = "credential_warning"

    credential_id: UUID = Field(foreign_key="credential.id", primary_key=True)
    valid_until: date = Field(primary_key=True)
    days: int = Field(primary_key=True)
    area_code: str
    at: datetime = Field(sa_type=UtcDateTime)


class Shift(SQLModel, table=True):
    """A stretch of time in which a caregiver works, or is on call.

    ``busy`` is number and time in one range, written by a trigger of the table: whoever writes a shift, and
    whosever it becomes, two that count never overlap. Deferrable, so that two may change hands in one statement.
    ``override_reason``: why working-time limits were passed, or booked visits left without a shift.
    """

    __tablename__ = "shift"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="shift_forward"),
        ExcludeConstraint(
            ("busy", "&&"),
            name="shift_no_overlap",
            using="gist",
            where="status <> 'cancelled'",
            deferrable=True,
            initially="IMMEDIATE",
        ),
        Index("shift_caregiver_starts", "caregiver_id", "starts_at"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    caregiver_id: UUID = Field(foreign_key="caregiver.id")
    area_code: str
    kind: ShiftKind = Field(default=ShiftKind.WORK, sa_column=enum_column(ShiftKind))
    status: ShiftStatus = Field(default=ShiftStatus.PUBLISHED, sa_column=enum_column(ShiftStatus))
    starts_at: datetime = Field(sa_type=UtcDateTime)
    ends_at: datetime = Field(sa_type=UtcDateTime)
    busy: Any = Field(default=None, sa_column=Column(INT8RANGE, nullable=False))
    override_reason: str | None = None
    version: int = 1


class RotaTemplate(SQLModel, table=True):
    """A week that repeats, for one caregiver or a team. ``pattern`` is a list of ``TemplateShift``."""

    __tablename__ = "rota_template"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    centre_id: UUID = Field(foreign_key="centre.id", index=True)
    area_code: str
    name: str
    caregiver_ids: list[str] = Field(default_factory=list, sa_type=TextArray)
    pattern: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    version: int = 1


class Absence(SQLModel, table=True):
    """A stretch of time in which a caregiver is not there, whatever the rota says. Only approved ones count."""

    __tablename__ = "absence"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="absence_forward"),
        Index("absence_caregiver_ends", "caregiver_id", "ends_at"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    caregiver_id: UUID = Field(foreign_key="caregiver.id")
    centre_id: UUID = Field(foreign_key="centre.id", index=True)
    area_code: str
    kind: AbsenceKind = Field(sa_column=enum_column(AbsenceKind))
    status: AbsenceStatus = Field(sa_column=enum_column(AbsenceStatus))
    starts_at: datetime = Field(sa_type=UtcDateTime)
    ends_at: datetime = Field(sa_type=UtcDateTime)
    note: str = ""
    requested_by: UUID | None = None
    requested_at: datetime = Field(sa_type=UtcDateTime)
    decided_by: UUID | None = None
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    decision_note: str = ""
    version: int = 1


class ShiftSwap(SQLModel, table=True):
    """One asks a colleague to take a shift, perhaps for one of the colleague's own."""

    __tablename__ = "shift_swap"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    centre_id: UUID = Field(foreign_key="centre.id", index=True)
    area_code: str
    from_caregiver_id: UUID = Field(foreign_key="caregiver.id", index=True)
    to_caregiver_id: UUID = Field(foreign_key="caregiver.id", index=True)
    shift_id: UUID = Field(foreign_key="shift.id", index=True)
    return_shift_id: UUID | None = Field(default=None, foreign_key="shift.id")
    status: ShiftSwapStatus = Field(sa_column=enum_column(ShiftSwapStatus))
    reason: str
    requested_at: datetime = Field(sa_type=UtcDateTime)
    answered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    decided_by: UUID | None = None
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    decision_note: str = ""
    version: int = 1


class WorkLimit(SQLModel, table=True):
    """One caregiver's own working-time limits, minutes, with the reason; what is null is the general one."""

    __tablename__ = "work_limit"

    caregiver_id: UUID = Field(foreign_key="caregiver.id", primary_key=True)
    area_code: str
    day_minutes: int | None = None
    week_minutes: int | None = None
    rest_minutes: int | None = None
    reason: str
    set_by: UUID | None = None
    set_at: datetime = Field(sa_type=UtcDateTime)
    version: int = 1


class BlockedPair(SQLModel, table=True):
    """A resident and a caregiver who must not meet, until a day (inclusive) or until it is lifted.

    The reason is for managers; the caregiver is told neither of the row nor of its reason.
    """

    __tablename__ = "blocked_pair"
    __table_args__ = (
        Index(
            "blocked_pair_once", "resident_id", "caregiver_id", unique=True, postgresql_where="lifted_at IS NULL"
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    resident_id: UUID = Field(foreign_key="resident.id")
    caregiver_id: UUID = Field(foreign_key="caregiver.id", index=True)
    area_code: str
    asked_by: AskedBy = Field(sa_column=enum_column(AskedBy))
    reason: str
    until: date | None = None
    created_by: UUID | None = None
    created_at: datetime = Field(sa_type=UtcDateTime)
    lifted_by: UUID | None = None
    lifted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    lift_reason: str = ""
    version: int = 1


class CaregiverLog(SQLModel, table=True):
    """Who did what to a caregiver's file, or opened a number in it. Names of fields, never values."""

    __tablename__ = "caregiver_log"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    caregiver_id: UUID = Field(foreign_key="caregiver.id", index=True)
    area_code: str
    act: str
    subject_id: UUID | None = None
    fields: list[str] = Field(default_factory=list, sa_type=TextArray)
    reason: str = ""
    account_id: UUID | None = None
    role: str
    actor_name: str
    at: datetime = Field(sa_type=UtcDateTime)
