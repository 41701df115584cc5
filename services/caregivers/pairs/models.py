"""What the API takes and gives of people who must not meet."""

from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.caregivers.models import AskedBy
from services.caregivers.rota.models import BookedVisit
from services.core.calendar import Day


class NewPair(BaseModel):
    """A resident and a caregiver to keep apart."""

    model_config = ConfigDict(extra="forbid")

    resident_id: UUID
    caregiver_id: UUID
    asked_by: AskedBy = Field(examples=["family"])
    reason: str = Field(min_length=2, max_length=300, description="For managers only.", examples=["曾有口角"])
    until: Day | None = Field(None, description="The last day; null: until it is lifted.")


class LiftPair(BaseModel):
    """Why they may meet again."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=2, max_length=300, examples=["双方同意恢复服务"])


class PairPublic(BaseModel):
    """Two who are kept apart. Who is no manager does not see why."""

    id: UUID
    resident_id: UUID
    caregiver_id: UUID
    asked_by: AskedBy
    reason: str | None = Field(description="null for all but managers.")
    until: date | None
    created_by: UUID | None
    created_at: datetime
    lifted_at: datetime | None
    lift_reason: str | None = Field(description="null for all but managers.")
    version: int


class PairSaved(PairPublic):
    """The pair as it stands now, with the booked visits between the two, which are to be moved."""

    to_move: list[BookedVisit] = []
