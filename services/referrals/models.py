"""Hand-overs of a resident to an ambulance, a hospital or a clinic (转诊)."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from pydantic import Field as ViewField
from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from services.core.calendar import Moment
from services.core.columns import UtcDateTime, enum_column
from services.core.ids import new_id
from services.referrals.states import ReferralStatus


class ReferralKind(StrEnum):
    AMBULANCE_120 = "ambulance_120"
    HOSPITAL = "hospital"
    CLINIC = "clinic"


class Referral(SQLModel, table=True):
    """One hand-over, of an alert or without one. Institution, reason and outcome are health data."""

    __tablename__ = "referral"
    __table_args__ = (Index("referral_centre", "centre_id", "id"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    resident_id: UUID = Field(foreign_key="resident.id", index=True)
    alert_id: UUID | None = Field(default=None, foreign_key="alert.id", index=True)
    centre_id: UUID = Field(foreign_key="centre.id")
    area_code: str
    kind: ReferralKind = Field(sa_column=enum_column(ReferralKind))
    status: ReferralStatus = Field(sa_column=enum_column(ReferralStatus))
    institution: str
    reason: str
    outcome: str = ""
    handed_over_at: datetime = Field(sa_type=UtcDateTime)
    handed_over_by: UUID | None = None
    received_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    version: int = 1


class ReferralCreate(BaseModel):
    """To whom the resident is handed over, and why."""

    kind: ReferralKind = ViewField(examples=["ambulance_120"])
    institution: str = ViewField(min_length=1, max_length=100, examples=["县第一人民医院急诊科"])
    reason: str = ViewField(min_length=1, max_length=1000, examples=["跌倒后右髋疼痛，不能站立"])
    handed_over_at: Moment | None = ViewField(
        None, description="When it happened, if earlier than now; not in the future."
    )


class ReferralMove(BaseModel):
    """How far it has come, with what the institution said."""

    status: ReferralStatus = ViewField(examples=["received"])
    note: str = ViewField("", max_length=1000, examples=["已收入骨科"])


class ReferralPublic(BaseModel):
    """One hand-over."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    resident_id: UUID
    alert_id: UUID | None
    centre_id: UUID
    area_code: str
    kind: ReferralKind
    status: ReferralStatus
    institution: str
    reason: str
    outcome: str
    handed_over_at: datetime
    handed_over_by: UUID | None
    received_at: datetime | None
    ended_at: datetime | None
    version: int
