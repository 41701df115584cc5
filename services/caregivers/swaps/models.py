"""What the API takes and gives of swaps."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.caregivers.rota.models import BookedVisit, BreachPublic, Reason, ShiftPublic
from services.caregivers.states import ShiftSwapStatus


class NewShiftSwap(BaseModel):
    """A shift of one's own that a colleague is asked to take; perhaps one of the colleague's in return."""

    model_config = ConfigDict(extra="forbid")

    shift_id: UUID
    to_caregiver_id: UUID
    return_shift_id: UUID | None = None
    reason: str = Field(min_length=2, max_length=200, examples=["家里有事"])


class SwapDecision(BaseModel):
    """What the manager says; the reason passes working-time limits and leaves booked visits to be moved."""

    model_config = ConfigDict(extra="forbid")

    note: str = Field("", max_length=200, examples=["同意"])
    override_reason: Reason | None = None


class ShiftSwapPublic(BaseModel):
    """One swap with both sides."""

    id: UUID
    from_caregiver_id: UUID
    from_name: str
    to_caregiver_id: UUID
    to_name: str
    shift: ShiftPublic
    return_shift: ShiftPublic | None
    status: ShiftSwapStatus
    reason: str
    missing_skills: list[str] = Field(description="Skills of who gives that who takes does not have; no bar.")
    requested_at: datetime
    answered_at: datetime | None
    decided_at: datetime | None
    decision_note: str
    version: int


class ShiftSwapSaved(ShiftSwapPublic):
    """A swap as it stands now; after its approval with the limits it passes and the visits to be moved."""

    breaches: list[BreachPublic] = []
    to_move: list[BookedVisit] = []
