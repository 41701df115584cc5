"""Rotas, replacements and swaps of people on duty."""

from datetime import date, datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic import Field as ViewField
from sqlalchemy import CheckConstraint, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from services.core.actor import Role
from services.core.calendar import Day, Moment
from services.core.columns import UtcDateTime, enum_column
from services.core.ids import new_id
from services.core.refused import refused
from services.duty.states import SwapStatus

DUTY_ROLES = frozenset({Role.DISPATCHER, Role.CENTRE_MANAGER, Role.COUNTY_OFFICER, Role.CLINICIAN, Role.CAREGIVER})
"""Who may stand in a rota."""


class DutyRota(SQLModel, table=True):
    """A weekly pattern of one role at one centre, or of the county (``centre_id`` null) for its own people.

    ``pattern`` is a ``Pattern``; days and hours are those of the business calendar. Every version of it stays
    in ``duty_rota_change``.
    """

    __tablename__ = "duty_rota"
    __table_args__ = (Index("duty_rota_place", "area_code", "role"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    centre_id: UUID | None = Field(default=None, foreign_key="centre.id")
    area_code: str
    role: Role = Field(sa_column=enum_column(Role))
    name: str
    pattern: dict[str, Any] = Field(sa_type=JSONB)
    valid_from: date
    valid_to: date | None = None
    created_at: datetime = Field(sa_type=UtcDateTime)
    version: int = 1


class DutyRotaChange(SQLModel, table=True):
    """What a rota said from a moment on, and who wrote it."""

    __tablename__ = "duty_rota_change"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    rota_id: UUID = Field(foreign_key="duty_rota.id", index=True)
    area_code: str
    version: int
    name: str
    pattern: dict[str, Any] = Field(sa_type=JSONB)
    valid_from: date
    valid_to: date | None = None
    account_id: UUID | None = None
    at: datetime = Field(sa_type=UtcDateTime)


class DutyOverride(SQLModel, table=True):
    """Somebody takes another's place for a while, or (no ``absent_account_id``) is there besides."""

    __tablename__ = "duty_override"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="duty_override_forward"),
        CheckConstraint("num_nonnulls(absent_account_id, account_id) >= 1", name="duty_override_somebody"),
        Index("duty_override_time", "rota_id", "ends_at"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    rota_id: UUID = Field(foreign_key="duty_rota.id")
    area_code: str
    absent_account_id: UUID | None = Field(default=None, foreign_key="account.id")
    account_id: UUID | None = Field(default=None, foreign_key="account.id")
    starts_at: datetime = Field(sa_type=UtcDateTime)
    ends_at: datetime = Field(sa_type=UtcDateTime)
    reason: str
    swap_id: UUID | None = None
    created_by: UUID | None = None
    created_at: datetime = Field(sa_type=UtcDateTime)
    cancelled_by: UUID | None = None
    cancelled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    version: int = 1


class DutySwap(SQLModel, table=True):
    """One asks another to take a stretch of duty, and may offer a stretch of the other's in return."""

    __tablename__ = "duty_swap"
    __table_args__ = (CheckConstraint("ends_at > starts_at", name="duty_swap_forward"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    rota_id: UUID = Field(foreign_key="duty_rota.id", index=True)
    area_code: str
    from_account_id: UUID = Field(foreign_key="account.id", index=True)
    to_account_id: UUID = Field(foreign_key="account.id", index=True)
    starts_at: datetime = Field(sa_type=UtcDateTime)
    ends_at: datetime = Field(sa_type=UtcDateTime)
    return_starts_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    return_ends_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    reason: str
    status: SwapStatus = Field(sa_column=enum_column(SwapStatus))
    created_at: datetime = Field(sa_type=UtcDateTime)
    answered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    version: int = 1


Clock24 = Annotated[str, ViewField(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class ShiftPattern(BaseModel):
    """One shift of the week. ``ends`` at or before ``starts`` is on the next day; the same hour is a whole day.

    ``turns`` are the people week by week: the first list in the week of the rota's ``valid_from``, then the
    next, and round again.
    """

    model_config = ConfigDict(extra="forbid")

    name: str = ViewField(min_length=1, max_length=40, examples=["夜班"])
    weekdays: list[Annotated[int, ViewField(ge=1, le=7)]] = ViewField(
        min_length=1,
        max_length=7,
        description="1 Monday … 7 Sunday: the day on which it begins.",
        examples=[[1, 2]],
    )
    starts: Clock24 = ViewField(examples=["20:00"])
    ends: Clock24 = ViewField(examples=["08:00"])
    turns: list[Annotated[list[UUID], ViewField(max_length=20)]] = ViewField(
        min_length=1, max_length=53, examples=[[["019ab1c2-0000-7000-8000-000000000001"]]]
    )


class Pattern(BaseModel):
    """All shifts of a rota."""

    model_config = ConfigDict(extra="forbid")

    shifts: list[ShiftPattern] = ViewField(min_length=1, max_length=60)


class RotaFields(BaseModel):
    """What is written of a rota."""

    name: str = ViewField(min_length=1, max_length=60, examples=["调度值班"])
    shifts: list[ShiftPattern] = ViewField(min_length=1, max_length=60)
    valid_from: Day = ViewField(examples=["2026-11-23"])
    valid_to: Day | None = ViewField(None, description="The last day; null: until further notice.")

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.valid_to is not None and self.valid_to < self.valid_from:
            raise refused("last_day_before_first", "valid_from", "valid_to")
        return self


class NewRota(RotaFields):
    """A rota to make. Without a centre it is the county's own."""

    centre_id: UUID | None = None
    role: Role = ViewField(examples=["dispatcher"])


class RotaPublic(BaseModel):
    """One rota."""

    id: UUID
    centre_id: UUID | None
    area_code: str
    role: Role
    name: str
    shifts: list[ShiftPattern]
    valid_from: date
    valid_to: date | None
    version: int


class _Stretch(BaseModel):
    starts_at: Moment = ViewField(examples=["2026-11-30T20:00:00+08:00"])
    ends_at: Moment = ViewField(examples=["2026-12-01T08:00:00+08:00"])
    reason: str = ViewField(min_length=2, max_length=200, examples=["临时请病假"])

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.ends_at <= self.starts_at:
            raise refused("ends_before_start", "starts_at", "ends_at")
        return self


class NewOverride(_Stretch):
    """Somebody instead of somebody; leave one out for "absent, nobody instead" or "there besides"."""

    absent_account_id: UUID | None = None
    account_id: UUID | None = None

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if self.account_id is None and self.absent_account_id is None:
            raise refused("nobody_named", "absent_account_id", "account_id")
        if self.account_id == self.absent_account_id:
            raise refused("same_person", "absent_account_id", "account_id")
        return self


class OverridePublic(BaseModel):
    """One replacement."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    rota_id: UUID
    absent_account_id: UUID | None
    account_id: UUID | None
    starts_at: datetime
    ends_at: datetime
    reason: str
    swap_id: UUID | None
    created_by: UUID | None
    cancelled_at: datetime | None
    version: int


class NewSwap(_Stretch):
    """A stretch of one's own duty that another is asked to take; maybe one of the other's in return."""

    rota_id: UUID
    to_account_id: UUID
    return_starts_at: Moment | None = None
    return_ends_at: Moment | None = None

    @model_validator(mode="after")
    def _return_is_whole(self) -> Self:
        if (self.return_starts_at is None) != (self.return_ends_at is None):
            raise refused("start_and_end_together", "return_starts_at", "return_ends_at")
        if self.return_starts_at and self.return_ends_at and self.return_ends_at <= self.return_starts_at:
            raise refused("ends_before_start", "return_starts_at", "return_ends_at")
        return self


class SwapPublic(BaseModel):
    """One swap with both sides."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    rota_id: UUID
    from_account_id: UUID
    to_account_id: UUID
    starts_at: datetime
    ends_at: datetime
    return_starts_at: datetime | None
    return_ends_at: datetime | None
    reason: str
    status: SwapStatus
    created_at: datetime
    answered_at: datetime | None
    version: int


class DutyPerson(BaseModel):
    """Somebody on duty, and until when at least as the rota stands."""

    account_id: UUID
    display_name: str
    until: datetime | None = ViewField(
        description="null: further than two weeks ahead, or no rota is kept and everybody with the role counts."
    )


class DutyChange(BaseModel):
    """Who is on duty from a moment on."""

    at: datetime
    people: list[DutyPerson]


class DutyNow(BaseModel):
    """Who is on duty at a centre in a role, and what comes next."""

    centre_id: UUID
    role: Role
    at: datetime
    has_rota: bool
    now: list[DutyPerson]
    next: DutyChange | None = ViewField(description="The next change; null: none within two weeks.")


class Gap(BaseModel):
    """A time with nobody on duty."""

    role: Role
    starts_at: datetime
    ends_at: datetime
