"""What caregivers did, and the allowances it earns them (工作量、上门服务补助、值班补助). Rows are only added."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from pydantic import Field as Described
from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from services.catalogue.models import Category
from services.core.calendar import Day
from services.core.columns import UtcDateTime, enum_column
from services.core.ids import new_id


class WorkKind(StrEnum):
    """What earns an allowance."""

    HOME_VISIT = "home_visit"  # 上门服务补助: a visit that was verified, or reviewed
    ON_CALL = "on_call"  # 值班补助: a stretch of 待命 that has passed


class AllowanceRate(SQLModel, table=True):
    """What one unit earns from a day on: a visit, or an hour on call. Set by the county; never changed.

    ``profession`` empty is for all that have no rate of their own.
    """

    __tablename__ = "allowance_rate"
    __table_args__ = (
        Index("allowance_rate_once", "area_code", "kind", "profession", "effective_from", unique=True),
        CheckConstraint("unit_fen >= 0", name="allowance_rate_amount"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    area_code: str
    kind: WorkKind = Field(sa_column=enum_column(WorkKind))
    profession: str = ""
    unit_fen: int
    effective_from: date
    source: str
    set_by: UUID
    set_at: datetime = Field(sa_type=UtcDateTime)


class WorkEntry(SQLModel, table=True):
    """One thing that was done, or its reversal. ``unit_fen`` is empty where no rate was set for the day.

    ``turn`` 0 is the first entry of a source; each correction adds a reversal and a new one.
    """

    __tablename__ = "work_entry"
    __table_args__ = (
        UniqueConstraint("kind", "source_id", "turn", name="work_entry_once"),
        Index("work_entry_month", "caregiver_id", "month"),
        Index("work_entry_centre", "centre_id", "month"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    caregiver_id: UUID = Field(foreign_key="caregiver.id")
    centre_id: UUID = Field(foreign_key="centre.id")
    area_code: str
    kind: WorkKind = Field(sa_column=enum_column(WorkKind))
    source_id: UUID
    turn: int
    category: Category | None = Field(default=None, sa_column=enum_column(Category, nullable=True))
    day: date
    month: str
    minutes: int
    units: int
    unit_fen: int | None = None
    amount_fen: int | None = None
    reason: str = ""
    at: datetime = Field(sa_type=UtcDateTime)


class RateCreate(BaseModel):
    """What one unit earns from a day on."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "kind": "home_visit",
                    "unit_fen": 2000,
                    "effective_from": "2026-12-01",
                    "source": "县卫健局 2026 年第 12 次会议（示例）",
                }
            ]
        },
    )

    kind: WorkKind
    profession: str = Described("", max_length=40, description="Empty: everybody without a rate of their own.")
    unit_fen: int = Described(ge=0, le=1_000_000, strict=True, description="A visit, or an hour on call.")
    effective_from: Day = Described(description="Today or later.")
    source: str = Described(min_length=2, max_length=200)


class RatePublic(BaseModel):
    """A rate."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    kind: WorkKind
    profession: str
    unit_fen: int
    effective_from: date
    source: str


class WorkloadPart(BaseModel):
    """One kind of work, of one category where it has one."""

    kind: WorkKind
    category: Category | None
    units: int = Described(description="Visits, or hours on call.")
    minutes: int
    amount_fen: int
    without_rate: int = Described(description="Entries for which no rate was set.")


class WorkloadPublic(BaseModel):
    """A caregiver's month."""

    caregiver_id: UUID
    caregiver_name: str
    centre_id: UUID
    month: str
    visits: int
    visit_minutes: int
    amount_fen: int
    parts: list[WorkloadPart]
