"""Orders (FHIR: ServiceRequest)."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from pydantic import Field as Described
from sqlalchemy import Column, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from services.catalogue.models import Category
from services.catalogue.pricing import Quote
from services.core.columns import TextArray, UtcDateTime, enum_column
from services.core.ids import new_id
from services.orders.states import OrderStatus
from services.orders.wishes import Access, Caller
from services.orders.wishes import OrderCreate as OrderCreate
from services.residents.models import Gender


class Channel(StrEnum):
    """How the order reached us."""

    APP = "app"
    FAMILY = "family"
    VILLAGE_DOCTOR = "village_doctor"
    PHONE = "phone"
    CARE_PLAN = "care_plan"  # made by the platform from a clinician's plan


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
        Index("service_order_quote", "quote_id", unique=True),
        Index("service_order_care_plan", "care_plan_id"),
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
    windows: list[list[str]] = Field(default_factory=list, sa_type=JSONB)
    duration_minutes: int
    caregivers_required: int
    address: str
    latitude: float
    longitude: float
    note: str = ""
    preferred_gender: Gender | None = Field(
        default=None, sa_column=enum_column(Gender, check_name="preferred_gender", nullable=True)
    )
    gender_is_must: bool = False
    preferred_caregiver_id: UUID | None = Field(default=None, foreign_key="caregiver.id")
    preferred_dialect: str = ""
    access: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    caller: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))
    is_urgent: bool = False
    quote_id: UUID | None = Field(default=None, foreign_key="order_quote.id")
    care_plan_id: UUID | None = Field(default=None, foreign_key="care_plan.id")
    start_code: str
    cancel_reason: str | None = None
    version: int = 1


class OrderQuote(SQLModel, table=True):
    """A kept quote: what would be done, when, and what it costs. ``orders.quoting`` reads and uses it.

    ``lines`` are ``OrderLine``s, ``price`` a ``Quote``. ``fingerprint`` tells what was asked for; ``used_at`` is
    set by the one order that takes it.
    """

    __tablename__ = "order_quote"
    __table_args__ = (Index("order_quote_resident", "resident_id", "id"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    resident_id: UUID = Field(foreign_key="resident.id")
    centre_id: UUID = Field(foreign_key="centre.id")
    area_code: str
    channel: Channel = Field(sa_column=enum_column(Channel))
    lines: list[dict[str, Any]] = Field(sa_type=JSONB)
    price: dict[str, Any] = Field(sa_type=JSONB)
    total_fen: int
    windows: list[list[str]] = Field(sa_type=JSONB)
    is_urgent: bool
    priced_for: date = Field(description="The day of service whose tariff was used.")
    fingerprint: str
    quoted_by: UUID = Field(foreign_key="account.id")
    quoted_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class ChangeKind(StrEnum):
    RESCHEDULED = "rescheduled"
    WISHES = "wishes"


class OrderChange(SQLModel, table=True):
    """What an order said before and after somebody changed it; nobody edits these rows."""

    __tablename__ = "order_change"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    order_id: UUID = Field(foreign_key="service_order.id", index=True)
    resident_id: UUID = Field(foreign_key="resident.id")
    area_code: str
    kind: ChangeKind = Field(sa_column=enum_column(ChangeKind))
    before: dict[str, Any] = Field(sa_type=JSONB)
    after: dict[str, Any] = Field(sa_type=JSONB)
    reason: str = ""
    role: str
    account_id: UUID | None = None
    at: datetime = Field(sa_type=UtcDateTime)


class CancelRequest(BaseModel):
    """Why an order is cancelled."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Described(min_length=1, max_length=200, examples=["女儿回来了，不需要了"])


class WindowPublic(BaseModel):
    """A time in which the visit may lie as a whole."""

    start: datetime
    end: datetime


class OrderedItem(BaseModel):
    """One line of an order or a quote. ``entitlement_id``: a package of the resident pays for it."""

    line_no: int
    item_code: str
    item_version: int
    name_zh: str
    name_en: str
    category: Category
    quantity: int
    minutes: int
    entitlement_id: UUID | None


class OrderPublic(BaseModel):
    """An order as its readers see it; ``start_code`` is only there for those who may tell it.

    ``item_code`` and its names are those of the first item; ``window_start`` and ``window_end`` the first start
    and the last end of all windows.
    """

    id: UUID
    resident_id: UUID
    resident_name: str = Described(description="Whole for those who speak with her, else masked.")
    centre_id: UUID
    area_code: str
    item_code: str
    item_name_zh: str
    item_name_en: str
    category: Category
    items: list[OrderedItem]
    status: OrderStatus
    channel: Channel
    placed_at: datetime
    window_start: datetime
    window_end: datetime
    windows: list[WindowPublic]
    duration_minutes: int
    caregivers_required: int
    address: str
    latitude: float
    longitude: float
    note: str
    preferred_gender: Gender | None
    gender_is_must: bool
    preferred_caregiver_id: UUID | None
    preferred_dialect: str
    access: Access
    caller: Caller | None = Described(description="Who called, where the desk ordered on the phone.")
    is_urgent: bool
    start_code: str | None = Described(None, description="Told to the caregiver at the door.")
    cancel_reason: str | None
    quote: Quote
    quote_id: UUID | None
    care_plan_id: UUID | None
    version: int


class QuotePublic(BaseModel):
    """A kept quote. ``package_fen`` of the total would be paid by the resident's packages."""

    id: UUID
    resident_id: UUID
    centre_id: UUID
    area_code: str
    channel: Channel
    items: list[OrderedItem]
    windows: list[WindowPublic]
    duration_minutes: int
    is_urgent: bool
    priced_for: date = Described(description="The day of service whose tariff was used.")
    price: Quote
    total_fen: int
    package_fen: int
    quoted_at: datetime
    expires_at: datetime = Described(description="From this moment on it is refused (`quote_expired`).")
    used_at: datetime | None = Described(description="When an order took it.")


class OrderChangePublic(BaseModel):
    """What an order said before and after a change."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    kind: ChangeKind
    before: dict[str, Any]
    after: dict[str, Any]
    reason: str
    role: str
    at: datetime


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
