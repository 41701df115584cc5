"""Mutual aid with one order: which centre was asked, and what it is shown."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from pydantic import Field as Described
from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from services.catalogue.models import Category
from services.core.columns import UtcDateTime
from services.core.ids import new_id
from services.orders.states import OrderStatus


class OrderAid(SQLModel, table=True):
    """A grant: the centre sees this order and may offer its caregivers. ``from_centre_id`` stays responsible."""

    __tablename__ = "order_aid"
    __table_args__ = (
        UniqueConstraint("order_id", "centre_id", name="order_aid_once"),
        Index("order_aid_centre", "centre_id", postgresql_where="ended_at IS NULL"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    order_id: UUID = Field(foreign_key="service_order.id")
    resident_id: UUID = Field(foreign_key="resident.id")
    centre_id: UUID = Field(foreign_key="centre.id")
    from_centre_id: UUID = Field(foreign_key="centre.id")
    area_code: str
    asked_by: UUID | None = None
    granted_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class AidAsk(BaseModel):
    """Which centre is asked; empty: the next of the centre's neighbours."""

    model_config = ConfigDict(extra="forbid")

    centre_id: UUID | None = Described(None, examples=["0198c6f0-5b5e-7c3e-9d0f-3c0a8f3d2b11"])


class AidPublic(BaseModel):
    """A centre that sees an order of another one."""

    model_config = ConfigDict(from_attributes=True)

    order_id: UUID
    centre_id: UUID
    from_centre_id: UUID
    granted_at: datetime
    ended_at: datetime | None


class AidedOrder(BaseModel):
    """Another centre's order as a helper sees it: what is to be done, when and roughly where; not for whom."""

    order_id: UUID
    from_centre_id: UUID
    area_code: str = Described(description="Town or street.")
    item_code: str
    item_name_zh: str
    item_name_en: str
    category: Category
    status: OrderStatus
    is_urgent: bool
    window_start: datetime
    window_end: datetime
    duration_minutes: int
    caregivers_required: int
    caregivers_booked: int
    skills: list[str]
    licences: list[str]
    distance_m: int = Described(description="From the helping centre, straight line, to 500 m.")
    granted_at: datetime
    version: int


class AidedOrders(BaseModel):
    """The orders that a centre was asked to help with and that still look for somebody."""

    items: list[AidedOrder]
