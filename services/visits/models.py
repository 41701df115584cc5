"""Visits (FHIR: Encounter) and the evidence that they took place."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from services.core.columns import TextArray, UtcDateTime, enum_column
from services.core.ids import new_id
from services.visits.states import VisitStatus


class Visit(SQLModel, table=True):
    """One caregiver at one home for one order. ``*_device_at`` is the phone's time, ``*_at`` ours.

    ``flags`` are reasons for review (``wrong_start_code``, ``far_from_home``, …); they never block care.
    """

    __tablename__ = "visit"

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
    check_in_evidence: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    check_out_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    check_out_device_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    check_out_evidence: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    tasks: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)
    readings: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)
    note: str = ""
    flags: list[str] = Field(default_factory=list, sa_type=TextArray)
    review_note: str | None = None
    reviewed_by: UUID | None = None
    version: int = 1
