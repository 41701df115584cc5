"""Corrections of a visit after the fact: what was written, what is right, why, who asked and who agreed."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic import Field as Described
from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from services.core.calendar import Moment
from services.core.columns import UtcDateTime, enum_column
from services.core.ids import new_id
from services.core.refused import refused
from services.visits.corrections.states import CorrectionStatus
from services.visits.models import TaskMark, VisitReading
from services.visits.supplies.models import Supply


class CorrectionReason(StrEnum):
    FORGOT_CHECK_IN = "forgot_check_in"
    FORGOT_CHECK_OUT = "forgot_check_out"
    WRONG_TIME = "wrong_time"
    WRONG_TASK = "wrong_task"
    WRONG_SUPPLY = "wrong_supply"
    WRONG_READING = "wrong_reading"
    PHONE_FAILED = "phone_failed"
    OTHER = "other"


class VisitCorrection(SQLModel, table=True):
    """One request with both values. ``before``: as it stood when asked for; ``after``: as it stands now."""

    __tablename__ = "visit_correction"
    __table_args__ = (
        Index("visit_correction_open", "centre_id", "id", postgresql_where="status = 'requested'"),
        Index("visit_correction_one", "visit_id", unique=True, postgresql_where="status = 'requested'"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    visit_id: UUID = Field(foreign_key="visit.id", index=True)
    order_id: UUID = Field(foreign_key="service_order.id")
    resident_id: UUID = Field(foreign_key="resident.id")
    caregiver_id: UUID = Field(foreign_key="caregiver.id")
    centre_id: UUID = Field(foreign_key="centre.id")
    area_code: str = Field(index=True)
    status: CorrectionStatus = Field(sa_column=enum_column(CorrectionStatus))
    reason: CorrectionReason = Field(sa_column=enum_column(CorrectionReason))
    words: str
    visit_version: int
    before: dict[str, Any] = Field(sa_type=JSONB)
    wanted: dict[str, Any] = Field(sa_type=JSONB)
    after: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    requested_by: UUID
    requested_at: datetime = Field(sa_type=UtcDateTime)
    decided_by: UUID | None = None
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    decision_note: str | None = None
    version: int = 1


class CorrectionRequest(BaseModel):
    """What is right. What is left out stays as it is; supplies and readings are voided by id and added anew."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "reason": "forgot_check_out",
                    "words": "离开时忘记签退，实际 10:20 离开，家属可证实",
                    "care_ended_at": "2026-11-24T10:20:00+08:00",
                }
            ]
        },
    )

    reason: CorrectionReason
    words: str = Described(min_length=3, max_length=500)
    care_started_at: Moment | None = None
    care_ended_at: Moment | None = None
    tasks: list[TaskMark] = Described([], max_length=40)
    supplies_void: list[UUID] = Described([], max_length=40)
    supplies_add: list[Supply] = Described([], max_length=40)
    readings_void: list[UUID] = Described([], max_length=40)
    readings_add: list[VisitReading] = Described([], max_length=40, description="`at` must be given.")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        changes = self.model_dump(exclude={"reason", "words"}, exclude_none=True)
        if not any(changes.values()):
            raise refused("nothing_to_correct", "care_started_at", "care_ended_at", "tasks")
        if any(reading.at is None for reading in self.readings_add):
            raise refused("reading_without_time", "readings_add")
        return self


class CorrectionDecision(BaseModel):
    """Why it is right, or is not."""

    model_config = ConfigDict(extra="forbid")

    note: str = Described(min_length=1, max_length=500, examples=["已与家属核实"])


class CorrectionPublic(BaseModel):
    """A correction with both values."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    visit_id: UUID
    order_id: UUID
    resident_id: UUID
    caregiver_id: UUID
    centre_id: UUID
    status: CorrectionStatus
    reason: CorrectionReason
    words: str
    before: dict[str, Any]
    wanted: dict[str, Any]
    after: dict[str, Any] | None
    requested_by: UUID
    requested_at: datetime
    decided_by: UUID | None
    decided_at: datetime | None
    decision_note: str | None
    version: int
