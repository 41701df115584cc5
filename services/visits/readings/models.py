"""Readings that a caregiver takes by hand, and where each comes from."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Field, SQLModel

from services.core.columns import UtcDateTime
from services.core.ids import new_id


class VisitReading(SQLModel, table=True):
    """One measurement at one visit: who measured, when. Its ``id`` is the source of the rows in ``reading``.

    A corrected one is voided, never changed: ``voided_at`` with the correction that did it.
    """

    __tablename__ = "visit_reading"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    visit_id: UUID = Field(foreign_key="visit.id", index=True)
    resident_id: UUID = Field(foreign_key="resident.id")
    caregiver_id: UUID = Field(foreign_key="caregiver.id")
    centre_id: UUID = Field(foreign_key="centre.id")
    area_code: str = Field(index=True)
    kind: str
    value: float | None = None
    systolic: int | None = None
    diastolic: int | None = None
    measured_at: datetime = Field(sa_type=UtcDateTime)
    received_at: datetime = Field(sa_type=UtcDateTime)
    taken_by: UUID | None = None
    correction_id: UUID | None = None
    voided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    voided_by_correction: UUID | None = None
