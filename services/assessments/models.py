"""Assessments of residents: ability, self-care, and the institution's own before it nurses at home."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from pydantic import Field as Described
from sqlalchemy import CheckConstraint, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from services.assessments.scoring import AbilityStandard, Adjustment, SelfCareTable
from services.catalogue.models import Precondition
from services.core.calendar import Day
from services.core.columns import TextArray, UtcDateTime, enum_column
from services.core.ids import new_id


class AssessmentReason(StrEnum):
    """Why an ability assessment was made (GB/T 42195-2022)."""

    FIRST = "first"  # 首次评估
    ROUTINE = "routine"  # 常规评估
    IMMEDIATE = "immediate"  # 即时评估: the state has changed
    DISPUTE = "dispute"  # 疑问复评


class AbilityAssessment(SQLModel, table=True):
    """One assessment by GB/T 42195-2022; ``scores`` by item, ``assessors`` as ``Assessor``.

    Never changed: a mistaken one is withdrawn with a reason, and made anew.
    """

    __tablename__ = "ability_assessment"
    __table_args__ = (
        Index("ability_assessment_resident", "resident_id", "valid_from"),
        CheckConstraint("valid_until >= valid_from", name="ability_assessment_forwards"),
        CheckConstraint("level BETWEEN 0 AND 4", name="ability_assessment_level"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    resident_id: UUID = Field(foreign_key="resident.id")
    area_code: str
    standard: str
    standard_version: str
    reason: AssessmentReason = Field(sa_column=enum_column(AssessmentReason))
    assessed_on: date
    scores: dict[str, Any] = Field(sa_type=JSONB)
    total: int
    level_by_points: int
    level: int
    adjustments: list[str] = Field(default_factory=list, sa_type=TextArray)
    is_coma: bool = False
    has_mental_disorder: bool = False
    risk_events: int = 0
    assessors: list[dict[str, Any]] = Field(sa_type=JSONB)
    valid_from: date
    valid_until: date
    note: str = ""
    recorded_by: UUID | None = Field(default=None, foreign_key="account.id")
    recorded_at: datetime = Field(sa_type=UtcDateTime)
    withdrawn_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    withdrawn_by: UUID | None = Field(default=None, foreign_key="account.id")
    withdraw_reason: str = ""


class SelfCareRating(SQLModel, table=True):
    """One self-rating; ``answers`` are columns 0 to 3 by row."""

    __tablename__ = "self_care_rating"
    __table_args__ = (Index("self_care_rating_resident", "resident_id", "id"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    resident_id: UUID = Field(foreign_key="resident.id")
    area_code: str
    table_version: str
    rated_on: date
    answers: dict[str, Any] = Field(sa_type=JSONB)
    total: int
    level: str
    recorded_by: UUID | None = Field(default=None, foreign_key="account.id")
    recorded_at: datetime = Field(sa_type=UtcDateTime)


class FirstAssessment(SQLModel, table=True):
    """What an institution found before it nurses a resident at home (首诊/首次评估).

    ``covers`` are items' codes and categories. For each item the newest one that covers it counts; one that says
    "not suitable" ends an older one that said otherwise.
    """

    __tablename__ = "first_assessment"
    __table_args__ = (
        Index("first_assessment_resident", "resident_id", "assessed_on"),
        CheckConstraint("valid_until >= assessed_on", name="first_assessment_forwards"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    resident_id: UUID = Field(foreign_key="resident.id")
    area_code: str
    institution: str
    assessor: str
    assessed_on: date
    covers: list[str] = Field(sa_type=TextArray)
    is_suitable: bool
    valid_until: date
    note: str = ""
    recorded_by: UUID | None = Field(default=None, foreign_key="account.id")
    recorded_at: datetime = Field(sa_type=UtcDateTime)
    withdrawn_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    withdrawn_by: UUID | None = Field(default=None, foreign_key="account.id")
    withdraw_reason: str = ""


class Unmet(NamedTuple):
    """A precondition of an item that does not hold for a resident, in words for a person."""

    item_code: str
    precondition: Precondition
    zh: str
    en: str


class Assessor(BaseModel):
    """One of the people who assessed."""

    model_config = ConfigDict(extra="forbid")

    name: str = Described(min_length=1, max_length=40)
    profession: str = Described("", max_length=40)
    has_clinical_background: bool = False


class AbilityRecord(BaseModel):
    """A filled form. Every item is needed; level and term follow from it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "assessed_on": "2026-11-20",
                    "reason": "first",
                    "scores": {"eating": 4, "grooming": 3, "…": 0},
                    "risk_events": 0,
                    "assessors": [
                        {"name": "测试评估员甲", "profession": "护士", "has_clinical_background": True},
                        {"name": "测试评估员乙", "profession": "社会工作者"},
                    ],
                }
            ]
        },
    )

    assessed_on: Day
    reason: AssessmentReason
    scores: dict[str, int] = Described(description="Points by item: `GET /assessments/standards`.", max_length=40)
    is_coma: bool = False
    has_mental_disorder: bool = Described(
        False, description="Diagnosed dementia (F00–F03), or F04–F99 diagnosed by a psychiatrist."
    )
    risk_events: int = Described(
        0, ge=0, le=100, description="Falls, choking, wandering off, self-harm in the last 30 days."
    )
    assessors: list[Assessor] = Described(min_length=1, max_length=6)
    valid_from: Day | None = Described(None, description="The day of the assessment, unless it is given.")
    valid_until: Day | None = Described(None, description="The last day; the standard's term, unless it is given.")
    note: str = Described("", max_length=500)


class Withdraw(BaseModel):
    """Why an assessment does not count any more."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "录入了另一位长者的结果"}]}
    )

    reason: str = Described(min_length=1, max_length=200)


class AbilityPublic(BaseModel):
    """One ability assessment with its points."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    resident_id: UUID
    standard: str
    standard_version: str
    reason: AssessmentReason
    assessed_on: date
    scores: dict[str, int]
    total: int
    level_by_points: int
    level: int = Described(description="0 able … 4 completely disabled, after adjustments.")
    adjustments: list[Adjustment]
    is_coma: bool
    has_mental_disorder: bool
    risk_events: int
    assessors: list[Assessor]
    valid_from: date
    valid_until: date
    is_in_force: bool = Described(description="This one gives her level today.")
    note: str
    recorded_at: datetime
    withdrawn_at: datetime | None
    withdraw_reason: str


class SelfCareRecord(BaseModel):
    """The resident's own answers: for each row the column, 0 (可自理) to 3 (不能自理)."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "rated_on": "2026-11-20",
                    "answers": {"eating": 0, "washing": 1, "dressing": 0, "toilet": 0, "moving": 2},
                }
            ]
        },
    )

    rated_on: Day
    answers: dict[str, int] = Described(max_length=10)


class SelfCarePublic(BaseModel):
    """One self-rating."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    resident_id: UUID
    table_version: str
    rated_on: date
    answers: dict[str, int]
    total: int
    level: str
    recorded_at: datetime


class FirstAssessmentRecord(BaseModel):
    """What the institution found, and for which items or categories."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "institution": "测试镇卫生院",
                    "assessor": "测试护师",
                    "assessed_on": "2026-11-20",
                    "covers": ["nursing"],
                    "is_suitable": True,
                }
            ]
        },
    )

    institution: str = Described(min_length=1, max_length=60)
    assessor: str = Described(min_length=1, max_length=40)
    assessed_on: Day
    covers: list[str] = Described(min_length=1, max_length=40, description="Items' codes, or categories.")
    is_suitable: bool
    valid_until: Day | None = Described(None, description="The last day; a project default, unless it is given.")
    note: str = Described("", max_length=500)


class FirstAssessmentPublic(BaseModel):
    """One first assessment."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    resident_id: UUID
    institution: str
    assessor: str
    assessed_on: date
    covers: list[str]
    is_suitable: bool
    valid_until: date
    note: str
    recorded_at: datetime
    withdrawn_at: datetime | None
    withdraw_reason: str


class Standards(BaseModel):
    """The tables that assessments are made by, with their source."""

    ability: AbilityStandard
    self_care: SelfCareTable
