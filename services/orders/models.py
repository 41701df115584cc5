"""Orders (FHIR: ServiceRequest)."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from pydantic import Field as Described
from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from services.catalogue.models import Category
from services.catalogue.pricing import Quote
from services.core.calendar import Moment
from services.core.columns import TextArray, UtcDateTime, enum_column
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
    """One ordered visit. ``lines`` hold snapshots of the catalogue items (``orders.lines.OrderLine``), ``quote``
    the price; ``item_code`` names the first line, ``skills``, ``licences`` and ``practice_years`` are what all
    lines need together, for the planning of a whole day.

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
    lines: list[dict[str, Any]] = Field(sa_type=JSONB)
    skills: list[str] = Field(default_factory=list, sa_type=TextArray)
    licences: list[str] = Field(default_factory=list, sa_type=TextArray)
    practice_years: int = 0
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


class OrderCreate(BaseModel):
    """What somebody orders, for whom and when. Where the order goes and how it came are ours to tell."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "resident_id": "019329a4-5b1c-7d2e-8f30-0a1b2c3d4e5f",
                    "item_code": "wound_dressing",
                    "window_start": "2026-11-24T09:00:00+08:00",
                    "window_end": "2026-11-24T11:30:00+08:00",
                    "note": "大门在屋后",
                }
            ]
        },
    )

    resident_id: UUID
    item_code: str = Described(min_length=1, max_length=60)
    window_start: Moment = Described(description="Earliest start; in the future.")
    window_end: Moment = Described(description="Latest end; at most 90 days ahead.")
    quantity: int = Described(1, ge=1, le=12, description="Units of the item: meals, hours, visits.")
    note: str = Described("", max_length=500)
    preferred_gender: Gender | None = None
    is_urgent: bool = False


class CancelRequest(BaseModel):
    """Why an order is cancelled."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Described(min_length=1, max_length=200, examples=["女儿回来了，不需要了"])


class OrderPublic(BaseModel):
    """An order as its readers see it; ``start_code`` is only there for those who may tell it."""

    id: UUID
    resident_id: UUID
    resident_name: str = Described(description="Whole for those who speak with her, else masked.")
    centre_id: UUID
    area_code: str
    item_code: str
    item_name_zh: str
    item_name_en: str
    category: Category
    status: OrderStatus
    channel: Channel
    placed_at: datetime
    window_start: datetime
    window_end: datetime
    duration_minutes: int
    caregivers_required: int
    address: str
    latitude: float
    longitude: float
    note: str
    preferred_gender: Gender | None
    is_urgent: bool
    start_code: str | None = Described(None, description="Told to the caregiver at the door.")
    cancel_reason: str | None
    quote: Quote
    version: int


class StatusChangePublic(BaseModel):
    """One line of an order's history, its offers' and visits' included."""

    model_config = ConfigDict(from_attributes=True)

    entity: str
    entity_id: UUID
    from_status: str | None
    to_status: str
    reason: str | None
    role: str
    at: datetime
