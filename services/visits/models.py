"""Visits (FHIR: Encounter) and the evidence that they took place."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic import Field as Described
from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from services.catalogue.models import Task
from services.core.calendar import Moment
from services.core.columns import TextArray, UtcDateTime, enum_column
from services.core.ids import new_id
from services.core.refused import refused
from services.visits.states import VisitStatus
from services.visits.supplies.models import Supply


class Visit(SQLModel, table=True):
    """One caregiver at one home for one order.

    ``*_device_at`` is the phone's time, ``check_*_at`` the server's, ``care_*_at`` the time that counts
    (see ``verification.care_time``). ``flags`` are reasons for review; they never block care. ``tasks``, ``notes``
    and ``readings`` are as shown; where each reading comes from stands in ``visit_reading``. ``confirmed_at``: the
    resident has signed.
    """

    __tablename__ = "visit"
    __table_args__ = (
        Index("visit_flagged", "centre_id", postgresql_where="status = 'flagged'"),
        Index("visit_to_begin", "starts_at", postgresql_where="status IN ('scheduled', 'en_route')"),
        Index("visit_in_service", "ends_at", postgresql_where="status = 'in_service'"),
        Index("visit_begun", "caregiver_id", "care_started_at", postgresql_where="care_started_at IS NOT NULL"),
        Index("visit_checked_in", "check_in_at", postgresql_where="check_in_at IS NOT NULL"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    order_id: UUID = Field(foreign_key="service_order.id", index=True)
    booking_id: UUID = Field(foreign_key="booking.id", unique=True)
    caregiver_id: UUID = Field(foreign_key="caregiver.id", index=True)
    resident_id: UUID = Field(foreign_key="resident.id", index=True)
    centre_id: UUID = Field(foreign_key="centre.id")
    area_code: str = Field(index=True)
    status: VisitStatus = Field(sa_column=enum_column(VisitStatus))
    starts_at: datetime = Field(sa_type=UtcDateTime)
    ends_at: datetime = Field(sa_type=UtcDateTime)
    en_route_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    check_in_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    check_in_device_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    check_in_device: str | None = None
    check_in_evidence: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    care_started_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    check_out_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    check_out_device_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    check_out_evidence: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    care_ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    tasks: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)
    readings: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)
    note: str = ""
    notes: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)
    confirmed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    flags: list[str] = Field(default_factory=list, sa_type=TextArray)
    review_note: str | None = None
    reviewed_by: UUID | None = None
    version: int = 1


class Evidence(BaseModel):
    """What the phone says of time and place."""

    model_config = ConfigDict(extra="forbid")

    device_at: Moment = Described(
        description="The phone's own time of the act.", examples=["2026-11-24T09:02:00+08:00"]
    )
    sent_at: Moment | None = Described(
        None, description="The phone's clock when this is sent; later than `device_at` after waiting offline."
    )
    latitude: float | None = Described(None, ge=-90, le=90)
    longitude: float | None = Described(None, ge=-180, le=180)
    accuracy_m: float | None = Described(None, ge=0, le=100_000)
    mock_location: bool = Described(False, description="The phone says that its position is made up.")


class CheckIn(Evidence):
    """At the door."""

    start_code: str | None = Described(None, max_length=8, description="Told by the resident.", examples=["8307"])
    card: str | None = Described(
        None, max_length=120, description="What the QR code on the card at the door says; instead of the code."
    )


class SetOut(Evidence):
    """On the way. The phone's time and place are kept where it tells them."""


class TaskState(StrEnum):
    DONE = "done"
    SKIPPED = "skipped"


class TaskMark(BaseModel):
    """What became of one task of the checklist."""

    model_config = ConfigDict(extra="forbid")

    code: str = Described(min_length=1, max_length=60, examples=["clean"])
    state: TaskState = Described(TaskState.DONE, examples=["done"])
    reason: str = Described("", max_length=200, description="Why it was skipped.", examples=["长者今日不愿意"])

    @model_validator(mode="after")
    def _skipped_for_a_reason(self) -> Self:
        if self.state is TaskState.SKIPPED and not self.reason.strip():
            raise refused("skipped_without_reason", "reason")
        return self


class TaskAct(TaskMark):
    """One task, when. A later word about the same task stands."""

    device_at: Moment
    sent_at: Moment | None = None


class NoteAct(BaseModel):
    """Something to write down."""

    model_config = ConfigDict(extra="forbid")

    text: str = Described(min_length=1, max_length=1000, examples=["一切正常"])
    device_at: Moment
    sent_at: Moment | None = None


class NoShow(Evidence):
    """The caregiver is at the door, and nobody opens."""

    waited_minutes: int = Described(0, ge=0, le=480, examples=[15])
    tried: str = Described(
        "", max_length=500, description="Whom she called.", examples=["拨打长者及女儿电话均未接"]
    )


class ReadingKind(StrEnum):
    """What is measured at a visit, in the units of the terminals."""

    HEART_RATE = "heart_rate"
    SPO2 = "spo2"
    BLOOD_PRESSURE = "blood_pressure"
    TEMPERATURE = "temperature"
    RESPIRATORY_RATE = "respiratory_rate"
    GLUCOSE = "glucose"
    WEIGHT = "weight"


class VisitReading(BaseModel):
    """One value taken by hand: /min, %, mm[Hg], Cel, /min, mmol/L, kg."""

    model_config = ConfigDict(extra="forbid")

    kind: ReadingKind = Described(examples=["heart_rate"])
    value: float | None = Described(None, gt=0, lt=1_000, examples=[72])
    systolic: int | None = Described(None, gt=0, lt=400)
    diastolic: int | None = Described(None, gt=0, lt=300)
    at: Moment | None = None

    @model_validator(mode="after")
    def _has_its_values(self) -> Self:
        pressures = self.systolic is not None and self.diastolic is not None
        if self.kind is ReadingKind.BLOOD_PRESSURE:
            if not pressures or self.value is not None:
                raise refused("pressure_needs_both", "systolic", "diastolic")
        elif self.value is None or self.systolic is not None or self.diastolic is not None:
            raise refused("reading_needs_value", "value")
        return self


class ReadingAct(VisitReading):
    """One value taken by hand, when."""

    device_at: Moment
    sent_at: Moment | None = None


class CheckOut(Evidence):
    """Leaving: what was done and seen."""

    tasks_done: list[str] = Described(
        [], max_length=40, description="Codes of the item's checklist.", examples=[["identity", "clean"]]
    )
    tasks_skipped: list[TaskMark] = Described([], max_length=40, description="With the reason of each.")
    supplies: list[Supply] = Described([], max_length=40)
    readings: list[VisitReading] = Described([], max_length=40)
    note: str = Described("", max_length=1000)


class ReviewRequest(BaseModel):
    """A person has looked at the flags."""

    model_config = ConfigDict(extra="forbid")

    accept: bool = Described(True, description="Let the visit count; false keeps it flagged, with the note.")
    note: str = Described(min_length=1, max_length=500, examples=["已电话核实，长者在家"])


class VisitPublic(BaseModel):
    """A visit as its readers see it. Name and address are whole for its caregiver while it is to be done."""

    id: UUID
    order_id: UUID
    caregiver_id: UUID
    caregiver_name: str
    resident_id: UUID
    resident_name: str
    centre_id: UUID
    area_code: str
    status: VisitStatus
    item_code: str
    item_name_zh: str
    item_name_en: str
    checklist: list[Task]
    order_note: str
    address: str | None
    latitude: float | None
    longitude: float | None
    starts_at: datetime
    ends_at: datetime
    en_route_at: datetime | None
    check_in_at: datetime | None = Described(description="When we heard of it.")
    check_in_device_at: datetime | None = Described(description="By the phone's clock.")
    care_started_at: datetime | None = Described(description="The time that counts.")
    check_out_at: datetime | None
    check_out_device_at: datetime | None
    care_ended_at: datetime | None
    tasks: list[dict[str, Any]]
    readings: list[dict[str, Any]]
    note: str
    confirmed_at: datetime | None = Described(description="When the resident signed for the service.")
    flags: list[str]
    review_note: str | None
    version: int
