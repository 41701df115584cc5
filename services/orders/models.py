"""Orders (FHIR: ServiceRequest)."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from services.core.columns import UtcDateTime, enum_column
from services.core.ids import new_id
from services.orders.states import OrderStatus
from services.residents.models import Gender


class Channel(StrEnum):
    """How the order reached us."""

    APP = "app"
    FAMILY = "family"
    VILLAGE_DOCTOR = "village_doctor"
    PHONE = "phone"


class Order(SQLModel, table=True):
    """One ordered service. ``item`` is a snapshot of the catalogue item, ``quote`` of the price lines.

    ``start_code`` is told by the resident at the door; no caregiver's answer ever carries it.
    """

    __tablename__ = "service_order"
    __table_args__ = (
        Index("service_order_board", "centre_id", "status", "window_start"),
        Index("service_order_resident", "resident_id", "id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    resident_id: UUID = Field(foreign_key="resident.id")
    centre_id: UUID = Field(foreign_key="centre.id")
    area_code: str = Field(index=True)
    item_code: str
    item: dict[str, Any] = Field(sa_type=JSONB)
    quote: dict[str, Any] = Field(sa_type=JSONB)
    status: OrderStatus = Field(sa_column=enum_column(OrderStatus))
    channel: Channel = Field(sa_column=enum_column(Channel))
    placed_by: UUID = Field(foreign_key="account.id")
    placed_at: datetime = Field(sa_type=UtcDateTime)
    window_start: datetime = Field(sa_type=UtcDateTime)
    window_end: datetime = Field(sa_type=UtcDateTime)
    duration_minutes: int
    caregivers_required: int
    address: str
    latitude: float
    longitude: float
    note: str = ""
    preferred_gender: Gender | None = Field(
        default=None, sa_column=enum_column(Gender, check_name="preferred_gender", nullable=True)
    )
    is_urgent: bool = False
    start_code: str
    cancel_reason: str | None = None
    version: int = 1
