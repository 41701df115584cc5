"""What is given already and can no longer stand, as work for a centre."""

from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field


class WhyMove(StrEnum):
    LEFT = "left"
    INSTITUTION_CLOSED = "institution_closed"
    LICENCE_NOT_VALID = "licence_not_valid"
    ABSENT = "absent"
    NOT_ON_SHIFT = "not_on_shift"
    KEPT_APART = "kept_apart"


class WorkItem(BaseModel):
    """One booked visit or open offer ahead, and why it must go to somebody else."""

    kind: Literal["booking", "offer"]
    id: UUID
    order_id: UUID
    resident_id: UUID
    caregiver_id: UUID
    caregiver_name: str
    centre_id: UUID
    item_code: str
    starts_at: datetime
    ends_at: datetime
    reasons: list[WhyMove]
    licences: list[str] = Field(description="The kinds of credential that are not valid on that day.")


class WorkToMove(BaseModel):
    """By start. ``truncated``: there is more than is shown."""

    at: datetime
    items: list[WorkItem]
    truncated: bool
