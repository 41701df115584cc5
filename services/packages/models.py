"""Service packages (个性服务包): what a package holds, who has one, and what orders have drawn on it."""

from datetime import date, datetime
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic import Field as Described
from sqlalchemy import CheckConstraint, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from services.core.calendar import Day
from services.core.columns import UtcDateTime, enum_column
from services.core.ids import new_id
from services.core.refused import refused
from services.packages.states import DrawStatus, PackageStatus


class PackageTemplate(SQLModel, table=True):
    """A package that can be granted. ``items`` are ``PackageItem``s; a change makes the next version."""

    __tablename__ = "package_template"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    code: str = Field(unique=True)
    name_zh: str
    name_en: str
    description_zh: str = ""
    description_en: str = ""
    items: list[dict[str, Any]] = Field(sa_type=JSONB)
    validity_days: int
    price_fen: int
    source: str
    verified: bool = False
    is_active: bool = True
    version: int = 1


class ResidentPackage(SQLModel, table=True):
    """A package of one resident, as its template was on the day it was granted."""

    __tablename__ = "resident_package"
    __table_args__ = (
        Index("resident_package_resident", "resident_id", "id"),
        Index("resident_package_running", "valid_until", postgresql_where="status = 'active'"),
        CheckConstraint("valid_until >= valid_from", name="resident_package_days"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    resident_id: UUID = Field(foreign_key="resident.id")
    area_code: str = Field(index=True)
    template_id: UUID = Field(foreign_key="package_template.id")
    template_version: int
    name_zh: str
    name_en: str
    price_fen: int
    price_verified: bool
    contract_reference: str
    valid_from: date
    valid_until: date
    status: PackageStatus = Field(sa_column=enum_column(PackageStatus))
    granted_by: UUID = Field(foreign_key="account.id")
    granted_at: datetime = Field(sa_type=UtcDateTime)
    end_reason: str | None = None
    version: int = 1


class Entitlement(SQLModel, table=True):
    """So many units of one item. What is left is ``granted - reserved - used``; ``released`` only counts."""

    __tablename__ = "entitlement"
    __table_args__ = (
        CheckConstraint("granted > 0", name="entitlement_granted"),
        CheckConstraint("reserved >= 0 AND used >= 0 AND released >= 0", name="entitlement_never_negative"),
        CheckConstraint("reserved + used <= granted", name="entitlement_never_overdrawn"),
        Index("entitlement_resident_item", "resident_id", "item_code"),
        Index("entitlement_package_item", "package_id", "item_code", unique=True),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    package_id: UUID = Field(foreign_key="resident_package.id")
    resident_id: UUID = Field(foreign_key="resident.id")
    area_code: str
    item_code: str
    granted: int
    reserved: int = 0
    used: int = 0
    released: int = 0


class EntitlementDraw(SQLModel, table=True):
    """What one order line has taken of an entitlement: once, whatever is repeated."""

    __tablename__ = "entitlement_draw"
    __table_args__ = (
        Index("entitlement_draw_line", "order_id", "line_no", unique=True),
        Index("entitlement_draw_entitlement", "entitlement_id", "id"),
        CheckConstraint("quantity > 0", name="entitlement_draw_quantity"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    entitlement_id: UUID = Field(foreign_key="entitlement.id")
    order_id: UUID = Field(foreign_key="service_order.id")
    line_no: int
    resident_id: UUID = Field(foreign_key="resident.id")
    area_code: str
    quantity: int
    status: DrawStatus = Field(sa_column=enum_column(DrawStatus))
    reserved_at: datetime = Field(sa_type=UtcDateTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    version: int = 1


class PackageItem(BaseModel):
    """So many units of one catalogue item."""

    model_config = ConfigDict(extra="forbid")

    item_code: str = Described(min_length=1, max_length=60)
    quantity: int = Described(ge=1, le=1000)


class TemplateContent(BaseModel):
    """What a package is. ``verified`` is false while its price or contents are placeholders."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "name_zh": "失能照护包（示例）",
                    "name_en": "Care at home package (example)",
                    "items": [
                        {"item_code": "bathing", "quantity": 4},
                        {"item_code": "round_visit", "quantity": 12},
                    ],
                    "validity_days": 365,
                    "price_fen": 120000,
                    "source": "示例，金额未经核实",
                }
            ]
        },
    )

    name_zh: str = Described(min_length=1, max_length=60)
    name_en: str = Described(min_length=1, max_length=60)
    description_zh: str = Described("", max_length=500)
    description_en: str = Described("", max_length=500)
    items: list[PackageItem] = Described(min_length=1, max_length=40)
    validity_days: int = Described(ge=1, le=1096, description="Days from the first, both included.")
    price_fen: int = Described(ge=0, le=10_000_000)
    source: str = Described(min_length=1, max_length=300, description="Contract, tender or decision behind it.")
    verified: bool = False
    is_active: bool = Described(True, description="Whether it can be granted.")

    @model_validator(mode="after")
    def _items_once(self) -> Self:
        codes = [item.item_code for item in self.items]
        if len(set(codes)) < len(codes):
            raise refused("same_item_twice", "items")
        return self


class TemplateCreate(TemplateContent):
    """A new package of the county; ``code`` is its name for good."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "code": "bathing_half_year",
                    "name_zh": "半年助浴包（示例）",
                    "name_en": "Half a year of bathing (example)",
                    "items": [{"item_code": "bathing", "quantity": 26}],
                    "validity_days": 183,
                    "price_fen": 120000,
                    "source": "示例，金额未经核实",
                }
            ]
        },
    )

    code: str = Described(pattern=r"^[a-z][a-z0-9_]{1,39}$")


class TemplatePublic(TemplateContent):
    """A package as the API shows it."""

    model_config = ConfigDict(from_attributes=True, extra="ignore")

    id: UUID
    code: str
    version: int


class PackageGrant(BaseModel):
    """Give a resident a package, from a day on."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "resident_id": "019329a4-5b1c-7d2e-8f30-0a1b2c3d4e5f",
                    "template_id": "019329a4-6c00-7a11-9f42-0a1b2c3d4e5f",
                    "valid_from": "2026-12-01",
                    "contract_reference": "签约协议 示例-001",
                }
            ]
        },
    )

    resident_id: UUID
    template_id: UUID
    valid_from: Day = Described(description="The first day of service that it pays for.")
    contract_reference: str = Described(min_length=1, max_length=120, description="The agreement behind it.")


class RevokeRequest(BaseModel):
    """Why a package is taken back. What orders have reserved stays theirs."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Described(min_length=1, max_length=200, examples=["解约，已退款"])


class EntitlementPublic(BaseModel):
    """``left`` is ``granted - reserved - used``; ``released`` counts what cancelled orders gave back."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    item_code: str
    granted: int
    reserved: int
    used: int
    released: int
    left: int


class DrawPublic(BaseModel):
    """What an order has taken."""

    model_config = ConfigDict(from_attributes=True)

    entitlement_id: UUID
    order_id: UUID
    line_no: int
    quantity: int
    status: DrawStatus
    reserved_at: datetime
    closed_at: datetime | None


class PackagePublic(BaseModel):
    """A resident's package and what is left of it."""

    id: UUID
    resident_id: UUID
    area_code: str
    template_id: UUID
    template_version: int
    name_zh: str
    name_en: str
    price_fen: int
    price_verified: bool
    contract_reference: str
    valid_from: date
    valid_until: date
    status: PackageStatus
    granted_by: UUID
    granted_at: datetime
    end_reason: str | None
    version: int
    entitlements: list[EntitlementPublic]


class PackageDetail(PackagePublic):
    """The same with everything that was drawn, newest first."""

    draws: list[DrawPublic]
