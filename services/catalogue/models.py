"""What can be ordered: items in versions, what must be true before them, and which centre offers them."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from pydantic import Field as Described
from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from services.catalogue.pricing import PriceRule
from services.core.columns import UtcDateTime
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


class Precondition(StrEnum):
    """What must be true before a service. The first two block the order, the last one the visit itself."""

    INSTITUTION_ASSESSMENT = "institution_assessment"  # 机构首次评估
    INFORMED_CONSENT = "informed_consent"  # 知情同意
    VITAL_CHECK = "vital_check"  # 服务前测生命体征


class OrderedBy(StrEnum):
    """Who may order an item, by the way an order comes; the same words as ``orders.models.Channel``."""

    APP = "app"
    FAMILY = "family"
    VILLAGE_DOCTOR = "village_doctor"
    PHONE = "phone"
    CARE_PLAN = "care_plan"


class Income(StrEnum):
    """Whose ledger the money belongs in: eldercare income is booked apart (长县政办发〔2023〕2号)."""

    MEDICAL = "medical"
    ELDERCARE = "eldercare"


class NursingList(StrEnum):
    """Provinces publish what may and what may not be nursed at home (互联网+护理服务)."""

    POSITIVE = "positive"
    NEGATIVE = "negative"  # shown, and refused
    NONE = "none"  # no home nursing, or on no list


class Effect(StrEnum):
    BLOCK = "block"
    WARN = "warn"


MEDICAL_CATEGORIES = frozenset(
    {
        Category.ROUND_VISIT,
        Category.NURSING,
        Category.REHABILITATION,
        Category.CHINESE_MEDICINE,
        Category.CHECK_UP,
    }
)


class ServiceItem(SQLModel, table=True):
    """An item's name for good. What it says stands in its versions; ``version`` counts changes to any of them."""

    __tablename__ = "service_item"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    code: str = Field(unique=True)
    version: int = 1


class ServiceItemVersion(SQLModel, table=True):
    """One state of an item: a draft (one an item at most), published, or discarded. ``facts`` is ``ItemContent``.

    The published version that counts on a day is the latest by ``effective_from``, then ``number``. A version that
    has been in force never changes: it is the item's history. One that has not may be recalled (``discarded_at``).
    """

    __tablename__ = "service_item_version"
    __table_args__ = (
        UniqueConstraint("item_id", "number", name="service_item_version_once"),
        Index(
            "service_item_version_one_draft",
            "item_id",
            unique=True,
            postgresql_where="published_at IS NULL AND discarded_at IS NULL",
        ),
        Index("service_item_version_effective", "item_id", "effective_from", "number"),
        CheckConstraint(
            "(published_at IS NULL) = (effective_from IS NULL)",
            name="service_item_version_effective_when_published",
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    item_id: UUID = Field(foreign_key="service_item.id")
    number: int
    facts: dict[str, Any] = Field(sa_type=JSONB)
    is_active: bool = True
    saved_by: UUID | None = Field(default=None, foreign_key="account.id")
    saved_at: datetime = Field(sa_type=UtcDateTime)
    published_by: UUID | None = Field(default=None, foreign_key="account.id")
    published_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    effective_from: date | None = None
    reason: str = ""
    discarded_by: UUID | None = Field(default=None, foreign_key="account.id")
    discarded_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class CentreItem(SQLModel, table=True):
    """A centre's own word on an item; without a row it offers what the county lists for its area."""

    __tablename__ = "centre_item"
    __table_args__ = (UniqueConstraint("centre_id", "item_id", name="centre_item_once"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    centre_id: UUID = Field(foreign_key="centre.id")
    item_id: UUID = Field(foreign_key="service_item.id", index=True)
    area_code: str
    is_offered: bool
    reason: str = ""
    changed_by: UUID | None = Field(default=None, foreign_key="account.id")
    changed_at: datetime = Field(sa_type=UtcDateTime)
    version: int = 1


class Task(BaseModel):
    """One thing to do at the visit; a check-out names the codes of those done."""

    code: str
    zh: str
    en: str


class Contraindication(BaseModel):
    """A condition of the resident's record that blocks an item or calls for a look. Nobody's diagnosis.

    It holds when its words stand in the name of a recorded condition. ``verified`` is false for what no clinician
    of the county has gone through: the project's own defaults.
    """

    condition: str = Described(examples=["凝血功能障碍"])
    effect: Effect
    zh: str
    en: str
    source: str
    verified: bool = False


def _usual_income(facts: dict[str, Any]) -> Income:
    return Income.MEDICAL if facts.get("category") in MEDICAL_CATEGORIES else Income.ELDERCARE


class ItemContent(BaseModel):
    """What an item says. Snapshots in old orders lack the later fields, so these have defaults."""

    model_config = ConfigDict(from_attributes=True)

    code: str
    category: Category
    name_zh: str
    name_en: str
    description_zh: str = ""
    description_en: str = ""
    unit: str
    duration_minutes: int = Described(ge=1, le=1440)
    caregivers_required: int = Described(ge=1, le=4)
    required_skill: str
    required_licences: list[str] = Described([], description="All of them are needed.")
    practice_years: int = Described(0, ge=0, le=40, description="Years in the profession on the day of service.")
    checklist: list[Task] = []
    preconditions: list[Precondition] = []
    contraindications: list[Contraindication] = []
    may_order: list[OrderedBy] = Described(list(OrderedBy), description="The ways an order for it may come.")
    offered_areas: list[str] = Described(
        [], description="Area codes, a town's for its centre; empty: the whole county."
    )
    income: Income = Described(default_factory=_usual_income)
    nursing_list: NursingList = NursingList.NONE
    list_source: str = Described("", description="Where the positive or negative list says so.")
    list_verified: bool = False
    price_rule: PriceRule


class ItemFacts(ItemContent):
    """What an order keeps of the item as it was on the day. ``version`` is the number of the published version."""

    version: int = 1


class ServiceItemPublic(ItemFacts):
    """An item as the API shows it."""

    id: UUID


class Barrier(BaseModel):
    """Why an item cannot be ordered, or what to look at first. ``code``: negative_list, not_offered_here,
    may_not_order_this, contraindication, institution_assessment, informed_consent."""

    code: str
    zh: str
    en: str


class MenuItem(ServiceItemPublic):
    """An item, and whether the reader can order it (for the resident who was named)."""

    orderable: bool = True
    refusals: list[Barrier] = []
    warnings: list[Barrier] = []


class CatalogueSection(BaseModel):
    """The items of one category."""

    category: Category
    items: list[MenuItem]


class CataloguePublic(BaseModel):
    """Everything on the menu; what is on the negative list is shown as refused."""

    resident_id: UUID | None = None
    centre_id: UUID | None = None
    sections: list[CatalogueSection]
