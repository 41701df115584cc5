"""How far an order that nobody took has climbed."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from pydantic import Field as Described
from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from services.catalogue.models import Category
from services.core.columns import UtcDateTime, enum_column
from services.core.ids import new_id
from services.orders.states import OrderStatus


class ClimbLevel(StrEnum):
    """Who sees that the order waits."""

    OWN = "own"
    NEIGHBOUR = "neighbour"
    COUNTY = "county"


class OrderClimb(SQLModel, table=True):
    """One row an order, made when it begins to wait and used again when it waits again.

    ``step`` counts the neighbours asked, ``since`` is when it began to wait; it climbs while ``next_at`` is set.
    """

    __tablename__ = "order_climb"
    __table_args__ = (
        UniqueConstraint("order_id", name="order_climb_once"),
        Index("order_climb_due", "next_at", postgresql_where="next_at IS NOT NULL"),
        Index("order_climb_county", "area_code", postgresql_where="level = 'county' AND ended_at IS NULL"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    order_id: UUID = Field(foreign_key="service_order.id")
    resident_id: UUID = Field(foreign_key="resident.id")
    centre_id: UUID = Field(foreign_key="centre.id")
    area_code: str
    level: ClimbLevel = Field(sa_column=enum_column(ClimbLevel))
    step: int = 0
    policy: dict[str, Any] = Field(sa_type=JSONB)
    since: datetime = Field(sa_type=UtcDateTime)
    next_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    failed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    failed_with: str | None = None


class UntakenOrder(BaseModel):
    """An order that nobody has taken in time, as the county's list shows it: nothing of who it is for."""

    order_id: UUID
    centre_id: UUID
    area_code: str
    item_code: str
    item_name_zh: str
    item_name_en: str
    category: Category
    status: OrderStatus
    is_urgent: bool
    window_start: datetime
    window_end: datetime
    caregivers_required: int
    caregivers_booked: int
    level: ClimbLevel
    neighbours_asked: list[UUID] = Described(description="Centres that see the order.")
    since: datetime
