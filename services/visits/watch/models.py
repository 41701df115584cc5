"""What the worker sees of a visit that goes wrong while it can still be helped."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from pydantic import Field as Described
from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from services.core.columns import UtcDateTime, enum_column
from services.core.ids import new_id
from services.visits.watch.states import IssueStatus


class IssueKind(StrEnum):
    LATE_START = "late_start"  # the start is late, or will be too late for the window
    MISSED = "missed"  # the planned end has come, and nobody has checked in
    OVERRUN = "overrun"  # still there long after the planned end
    LEFT_EARLY = "left_early"
    IMPOSSIBLE_TRAVEL = "impossible_travel"  # nobody gets from the visit before to this one in that time


class VisitIssue(SQLModel, table=True):
    """One of each kind a visit, however often the worker looks."""

    __tablename__ = "visit_issue"
    __table_args__ = (
        UniqueConstraint("visit_id", "kind", name="visit_issue_once"),
        Index("visit_issue_open", "centre_id", "id", postgresql_where="status = 'open'"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    visit_id: UUID = Field(foreign_key="visit.id")
    order_id: UUID = Field(foreign_key="service_order.id")
    resident_id: UUID = Field(foreign_key="resident.id")
    caregiver_id: UUID = Field(foreign_key="caregiver.id")
    centre_id: UUID = Field(foreign_key="centre.id")
    area_code: str = Field(index=True)
    kind: IssueKind = Field(sa_column=enum_column(IssueKind))
    status: IssueStatus = Field(sa_column=enum_column(IssueStatus))
    detail: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    seen_at: datetime = Field(sa_type=UtcDateTime)
    cleared_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    version: int = 1


class IssuePublic(BaseModel):
    """One thing that goes wrong."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    visit_id: UUID
    order_id: UUID
    resident_id: UUID
    caregiver_id: UUID
    centre_id: UUID
    kind: IssueKind
    status: IssueStatus
    detail: dict[str, Any]
    seen_at: datetime
    cleared_at: datetime | None
    version: int


class ClearIssue(BaseModel):
    """What was done about it."""

    model_config = ConfigDict(extra="forbid")

    note: str = Described(min_length=1, max_length=500, examples=["已联系护理员，十分钟内到达"])
