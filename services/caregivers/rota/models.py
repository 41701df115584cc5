"""What the API takes and gives of shifts, weeks and templates."""

from datetime import date, datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from services.caregivers.models import AbsenceKind, ShiftKind
from services.caregivers.states import AbsenceStatus, ShiftStatus
from services.core.calendar import Day, Moment
from services.core.refused import refused


def _is_monday(day: date) -> date:
    if day.weekday() != 0:
        raise refused("not_a_monday")
    return day


Monday = Annotated[Day, AfterValidator(_is_monday)]
"""A week, by its first day."""

Clock24 = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Reason = Annotated[str, Field(min_length=2, max_length=300, examples=["同事生病，本人同意加班"])]


class ShiftTimes(BaseModel):
    """From when to when, and what for."""

    model_config = ConfigDict(extra="forbid")

    starts_at: Moment = Field(examples=["2026-11-30T08:00:00+08:00"])
    ends_at: Moment = Field(examples=["2026-11-30T16:00:00+08:00"])
    kind: ShiftKind = ShiftKind.WORK
    override_reason: Reason | None = Field(
        None, description="Passes working-time limits, and leaves booked visits without a shift."
    )

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.ends_at <= self.starts_at:
            raise refused("ends_before_start", "starts_at", "ends_at")
        return self


class NewShift(ShiftTimes):
    """A shift to plan. A draft counts for nothing until its week is published."""

    publish: bool = False


class CancelShift(BaseModel):
    """Why a shift is taken away. Needed where visits are booked on it, which are then to be moved."""

    model_config = ConfigDict(extra="forbid")

    override_reason: Reason | None = Field(None, examples=["临时培训，服务改由同事承担"])


class BookedVisit(BaseModel):
    """A booked visit that is to be moved."""

    model_config = ConfigDict(from_attributes=True)

    booking_id: UUID
    order_id: UUID
    caregiver_id: UUID
    starts_at: datetime
    ends_at: datetime


class BreachPublic(BaseModel):
    """A working-time limit that is passed; a week is named by its Monday."""

    model_config = ConfigDict(from_attributes=True)

    rule: Literal["longest_day", "longest_week", "least_rest"]
    day: date
    minutes: int
    limit: int


class ShiftPublic(BaseModel):
    """One shift, or one stretch of being on call."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    caregiver_id: UUID
    kind: ShiftKind
    status: ShiftStatus
    starts_at: datetime
    ends_at: datetime
    override_reason: str | None
    version: int


class ShiftSaved(ShiftPublic):
    """A shift as it stands now, with the limits it passes and the visits that are left without it."""

    breaches: list[BreachPublic] = []
    to_move: list[BookedVisit] = []


class TemplateShift(BaseModel):
    """One shift of a week that repeats. ``ends`` at or before ``starts`` is on the next day."""

    model_config = ConfigDict(extra="forbid")

    weekday: int = Field(ge=1, le=7, description="1 Monday … 7 Sunday: the day on which it begins.", examples=[1])
    starts: Clock24 = Field(examples=["08:00"])
    ends: Clock24 = Field(examples=["16:00"])
    kind: ShiftKind = ShiftKind.WORK


class TemplateFields(BaseModel):
    """What is written of a template: the week of one caregiver, or of a team."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=60, examples=["早班组"])
    caregiver_ids: list[UUID] = Field(min_length=1, max_length=100)
    pattern: list[TemplateShift] = Field(min_length=1, max_length=40)


class NewTemplate(TemplateFields):
    """A template to make at a centre."""

    centre_id: UUID


class TemplatePublic(BaseModel):
    """One template."""

    id: UUID
    centre_id: UUID
    name: str
    caregiver_ids: list[UUID]
    pattern: list[TemplateShift]
    ended_at: datetime | None
    version: int


class ApplyTemplate(BaseModel):
    """For which weeks."""

    model_config = ConfigDict(extra="forbid")

    mondays: list[Monday] = Field(min_length=1, max_length=12, examples=[["2026-11-30"]])


class CopyWeek(BaseModel):
    """A week to copy onto others, for everybody of the centre or some."""

    model_config = ConfigDict(extra="forbid")

    from_monday: Monday = Field(examples=["2026-11-23"])
    to_mondays: list[Monday] = Field(min_length=1, max_length=12, examples=[["2026-11-30"]])
    caregiver_ids: list[UUID] | None = Field(None, max_length=500)


class PublishWeek(BaseModel):
    """A week whose drafts come into force, for everybody of the centre or some."""

    model_config = ConfigDict(extra="forbid")

    monday: Monday = Field(examples=["2026-11-30"])
    caregiver_ids: list[UUID] | None = Field(None, max_length=500)
    override_reason: Reason | None = Field(None, description="Passes working-time limits.")


class SkippedShift(BaseModel):
    """A shift that was not made: the day has shifts already, another reaches into it, or nobody is there."""

    model_config = ConfigDict(from_attributes=True)

    caregiver_id: UUID
    day: date
    reason: Literal["day_taken", "overlaps", "absent", "left", "past"]


class PlannedWeek(BaseModel):
    """The drafts that were made, and what was skipped."""

    created: list[ShiftPublic]
    skipped: list[SkippedShift]


class CaregiverBreaches(BaseModel):
    """The limits that somebody's week passes."""

    caregiver_id: UUID
    breaches: list[BreachPublic]


class PublishedWeek(BaseModel):
    """How many drafts came into force, and the limits they pass with the reason given."""

    monday: date
    published: int
    breaches: list[CaregiverBreaches]


class AbsenceInWeek(BaseModel):
    """An absence that touches a week."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    kind: AbsenceKind
    status: AbsenceStatus
    starts_at: datetime
    ends_at: datetime


class RotaRow(BaseModel):
    """One caregiver's week."""

    caregiver_id: UUID
    name: str
    work_minutes: int = Field(description="Published work that begins in the week; being on call is not counted.")
    shifts: list[ShiftPublic]
    absences: list[AbsenceInWeek]
    breaches: list[BreachPublic]


class RotaWeek(BaseModel):
    """A centre's week."""

    centre_id: UUID
    monday: date
    rows: list[RotaRow]


class OwnWeek(BaseModel):
    """A caregiver's own week: published shifts, being on call, absences, and the times that are booked."""

    monday: date
    work_minutes: int
    shifts: list[ShiftPublic]
    absences: list[AbsenceInWeek]
    booked: list[BookedVisit]


class ColleagueWeek(BaseModel):
    """A colleague's published week, as far as it matters for a swap."""

    caregiver_id: UUID
    name: str
    shifts: list[ShiftPublic]


class TeamWeek(BaseModel):
    """The published week of the whole team."""

    monday: date
    colleagues: list[ColleagueWeek]
