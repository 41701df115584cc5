"""Credit of caregivers and institutions: published rules in versions, and a score a month."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from pydantic import Field as Described
from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from services.core.calendar import Day
from services.core.columns import UtcDateTime, enum_column
from services.core.ids import new_id
from services.credit.rules import CreditPart, CreditRules


class Subject(StrEnum):
    """Whose credit it is."""

    CAREGIVER = "caregiver"
    INSTITUTION = "institution"


class CreditRuleSet(SQLModel, table=True):
    """One published version of the rules of a county; never changed. ``document`` is a ``CreditRules``."""

    __tablename__ = "credit_rule_set"
    __table_args__ = (Index("credit_rule_set_county", "area_code", "effective_from", unique=True),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    area_code: str
    version: str
    effective_from: date
    document: dict[str, Any] = Field(sa_type=JSONB)
    reason: str
    published_by: UUID
    published_at: datetime = Field(sa_type=UtcDateTime)


class CreditScore(SQLModel, table=True):
    """The score of one subject at the end of one month, with everything it was made of."""

    __tablename__ = "credit_score"
    __table_args__ = (
        Index("credit_score_once", "subject", "subject_id", "month", unique=True),
        Index("credit_score_centre", "centre_id", "month"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    subject: Subject = Field(sa_column=enum_column(Subject))
    subject_id: UUID
    centre_id: UUID | None = Field(default=None, foreign_key="centre.id")
    area_code: str
    month: date
    window_start: date
    window_end: date
    rules_version: str
    score: float | None
    grade: str | None
    parts: list[dict[str, Any]] = Field(sa_type=JSONB)
    deductions: list[dict[str, Any]] = Field(sa_type=JSONB)
    computed_at: datetime = Field(sa_type=UtcDateTime)


class RuleSetCreate(BaseModel):
    """A new version, from a day on; what was computed before stays as it was."""

    model_config = ConfigDict(extra="forbid")

    effective_from: Day = Described(description="In the future.", examples=["2027-01-01"])
    reason: str = Described(min_length=2, max_length=300, examples=["按县级评审意见调整权重"])
    document: CreditRules


class RuleSetPublic(BaseModel):
    """The rules, as everybody may read them."""

    version: str
    effective_from: date | None = Described(description="None for the project's own starting rules.")
    document: CreditRules
    reason: str


class CreditPublic(BaseModel):
    """A month's score with its parts, so that it can be recomputed."""

    id: UUID
    subject: Subject
    subject_id: UUID
    name: str
    centre_id: UUID | None
    month: date
    window_start: date
    window_end: date = Described(description="The first day that no longer counts.")
    rules_version: str
    score: float | None = Described(description="None: too few visits to say.")
    grade: str | None
    parts: list[CreditPart]
    deductions: list[CreditPart]
    computed_at: datetime
