"""Offers to caregivers and the bookings that come of them (FHIR: Task)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Index
from sqlalchemy.dialects.postgresql import INT8RANGE, JSONB, ExcludeConstraint, Range
from sqlmodel import Field, SQLModel

from services.core.columns import UtcDateTime, enum_column
from services.core.ids import new_id
from services.dispatch.states import OfferStatus

_TIME_BITS = 34
"""Seconds since 1970 fit in 34 bits until the year 2514; the caregiver's number stands above them."""


def busy_range(caregiver_number: int, starts_at: datetime, ends_at: datetime) -> Range[int]:
    """Caregiver and time in one ``int8range``, so that a core GiST index can exclude overlaps.

    ``btree_gist`` would allow ``(caregiver_id WITH =, during WITH &&)``, but the embedded PostgreSQL has
    no contrib extensions. Half-open: a visit may start the second another ends.
    """
    base = caregiver_number << _TIME_BITS
    return Range(base + int(starts_at.timestamp()), base + int(ends_at.timestamp()), bounds="[)")


class Offer(SQLModel, table=True):
    """One question to one caregiver: will you take this order at this time?"""

    __tablename__ = "offer"
    __table_args__ = (
        Index(
            "offer_one_pending",
            "order_id",
            "caregiver_id",
            unique=True,
            postgresql_where="status IN ('sent', 'viewed')",
        ),
        Index("offer_expiry", "expires_at", postgresql_where="status IN ('sent', 'viewed')"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    order_id: UUID = Field(foreign_key="service_order.id", index=True)
    caregiver_id: UUID = Field(foreign_key="caregiver.id", index=True)
    resident_id: UUID = Field(foreign_key="resident.id")
    centre_id: UUID = Field(foreign_key="centre.id")
    area_code: str
    status: OfferStatus = Field(sa_column=enum_column(OfferStatus))
    starts_at: datetime = Field(sa_type=UtcDateTime)
    ends_at: datetime = Field(sa_type=UtcDateTime)
    sent_by: UUID
    sent_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    answered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    decline_reason: str | None = None
    version: int = 1


class Booking(SQLModel, table=True):
    """A caregiver's time given to an order. The exclusion constraint makes double booking impossible."""

    __tablename__ = "booking"
    __table_args__ = (
        ExcludeConstraint(("busy", "&&"), name="booking_no_overlap", using="gist", where="is_active"),
        Index("booking_one_active", "order_id", "caregiver_id", unique=True, postgresql_where="is_active"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    order_id: UUID = Field(foreign_key="service_order.id", index=True)
    caregiver_id: UUID = Field(foreign_key="caregiver.id", index=True)
    resident_id: UUID = Field(foreign_key="resident.id")
    centre_id: UUID = Field(foreign_key="centre.id")
    area_code: str
    starts_at: datetime = Field(sa_type=UtcDateTime)
    ends_at: datetime = Field(sa_type=UtcDateTime)
    busy: Any = Field(sa_column=Column(INT8RANGE, nullable=False))
    is_active: bool = True
    offer_id: UUID | None = Field(default=None, foreign_key="offer.id")
    assigned_by: UUID
    assigned_at: datetime = Field(sa_type=UtcDateTime)
    override: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
