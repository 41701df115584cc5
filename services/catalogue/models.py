"""What can be ordered."""

from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from services.catalogue.pricing import PriceRule
from services.core.columns import TextArray, enum_column
from services.core.ids import new_id


class Category(StrEnum):
    """The kinds of service of the county's menu (domain facts §9)."""

    MEAL = "meal"  # 助餐
    CLEANING = "cleaning"  # 助洁
    BATHING = "bathing"  # 助浴
    WALKING = "walking"  # 助行
    ESCORT = "escort"  # 助医 陪诊
    EMERGENCY = "emergency"  # 助急
    ROUND_VISIT = "round_visit"  # 巡诊
    NURSING = "nursing"  # 护理
    REHABILITATION = "rehabilitation"  # 康复
    CHINESE_MEDICINE = "chinese_medicine"  # 中医
    CHECK_UP = "check_up"  # 体检
    COMPANIONSHIP = "companionship"  # 心理关爱, 探访


class ServiceItem(SQLModel, table=True):
    """A stored item; orders keep a snapshot, so editing it never changes a placed order.

    ``price_rule`` is a ``services.catalogue.pricing.PriceRule``, ``checklist`` a list of ``Task``.
    """

    __tablename__ = "service_item"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    code: str = Field(unique=True)
    category: Category = Field(sa_column=enum_column(Category))
    name_zh: str
    name_en: str
    description_zh: str = ""
    description_en: str = ""
    unit: str
    duration_minutes: int
    caregivers_required: int = 1
    required_skill: str
    required_licences: list[str] = Field(default_factory=list, sa_type=TextArray)
    practice_years: int = 0
    checklist: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)
    price_rule: dict[str, Any] = Field(sa_type=JSONB)
    is_active: bool = True
    version: int = 1


class Task(BaseModel):
    """One thing to do at the visit; a check-out names the codes of those done."""

    code: str
    zh: str
    en: str


class ItemFacts(BaseModel):
    """What an order keeps of the item as it was on the day."""

    model_config = ConfigDict(from_attributes=True)

    code: str
    category: Category
    name_zh: str
    name_en: str
    description_zh: str = ""
    description_en: str = ""
    unit: str
    duration_minutes: int = Field(ge=1, le=1440)
    caregivers_required: int = Field(ge=1, le=4)
    required_skill: str
    required_licences: list[str] = Field([], description="All of them are needed.")
    practice_years: int = Field(0, ge=0, le=40, description="Years in the profession on the day of service.")
    checklist: list[Task] = []
    price_rule: PriceRule


class ServiceItemPublic(ItemFacts):
    """An item as the API shows it."""

    id: UUID
    version: int


class CatalogueSection(BaseModel):
    """The items of one category."""

    category: Category
    items: list[ServiceItemPublic]


class CataloguePublic(BaseModel):
    """Everything that can be ordered now."""

    sections: list[CatalogueSection]
