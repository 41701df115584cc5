"""What can be ordered."""

from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

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


class ServiceItemBase(SQLModel):
    """One item of the menu. ``price_rule`` is read by ``services.billing.pricing``."""

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
    required_licence: str | None = None
    checklist: list[str] = Field(default_factory=list, sa_type=TextArray)
    price_rule: dict[str, Any] = Field(sa_type=JSONB)


class ServiceItem(ServiceItemBase, table=True):
    """A stored item; orders keep a snapshot, so editing it never changes a placed order."""

    __tablename__ = "service_item"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    is_active: bool = True
    version: int = 1


class ServiceItemPublic(ServiceItemBase):
    """An item as the API shows it."""

    id: UUID
