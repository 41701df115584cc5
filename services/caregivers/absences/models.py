"""What the API takes and gives of leave and sickness."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.caregivers.models import AbsenceKind
from services.caregivers.rota.models import BookedVisit
from services.caregivers.states import AbsenceStatus
from services.core.calendar import Moment
from services.core.refused import refused


class NewAbsence(BaseModel):
    """Leave or training to ask for, or sickness to report, which is in force at once."""

    model_config = ConfigDict(extra="forbid")

    kind: AbsenceKind = Field(examples=["leave"])
    starts_at: Moment = Field(examples=["2026-12-01T00:00:00+08:00"])
    ends_at: Moment = Field(examples=["2026-12-02T00:00:00+08:00"])
    note: str = Field("", max_length=200, description="For the manager. Nothing about health is needed.")

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.ends_at <= self.starts_at:
            raise refused("ends_before_start", "starts_at", "ends_at")
        return self


class AbsenceChange(BaseModel):
    """Back sooner, or later."""

    model_config = ConfigDict(extra="forbid")

    ends_at: Moment = Field(examples=["2026-12-03T00:00:00+08:00"])


class Decision(BaseModel):
    """What the manager says to it."""

    model_config = ConfigDict(extra="forbid")

    note: str = Field("", max_length=200, examples=["已安排同事代班"])


class AbsencePublic(BaseModel):
    """One absence."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    caregiver_id: UUID
    kind: AbsenceKind
    status: AbsenceStatus
    starts_at: datetime
    ends_at: datetime
    note: str = Field(description="Empty for all but the manager and the caregiver.")
    requested_at: datetime
    decided_at: datetime | None
    decision_note: str
    version: int


class AbsenceSaved(AbsencePublic):
    """An absence as it stands now, with the booked visits in it, which are to be moved."""

    to_move: list[BookedVisit] = []
