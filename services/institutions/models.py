"""Provider institutions: who sends caregivers under an agreement with the county."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic import Field as ViewField
from sqlalchemy import CheckConstraint, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from services.core.calendar import Day
from services.core.columns import UtcDateTime, enum_column
from services.core.ids import new_id
from services.core.refused import refused
from services.institutions.states import InstitutionStatus


class InstitutionKind(StrEnum):
    HEALTH_CENTRE = "health_centre"  # 乡镇卫生院、社区卫生服务中心
    HOSPITAL = "hospital"
    CLINIC = "clinic"
    NURSING_HOME = "nursing_home"
    HOME_CARE = "home_care"
    SOCIAL_ORGANISATION = "social_organisation"


class ReviewResult(StrEnum):
    PASSED = "passed"
    PASSED_WITH_CONDITIONS = "passed_with_conditions"
    FAILED = "failed"


class Due(StrEnum):
    """What of an institution runs out, or falls due."""

    LICENCE = "licence"
    AGREEMENT = "agreement"
    REVIEW = "review"


class Institution(SQLModel, table=True):
    """One institution. ``area_code`` is where it has its seat; its caregivers may work in any town of the county.

    Licence and agreement count on both of their days. ``is_public`` tells whose prices apply.
    """

    __tablename__ = "institution"
    __table_args__ = (
        CheckConstraint("licence_until >= licence_from", name="institution_licence_forward"),
        CheckConstraint("agreement_until >= agreement_from", name="institution_agreement_forward"),
        Index("institution_licence", "licence_number", unique=True, postgresql_where="status <> 'exited'"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    area_code: str = Field(index=True)
    name: str
    kind: InstitutionKind = Field(sa_column=enum_column(InstitutionKind))
    is_public: bool = False
    licence_number: str
    licence_issuer: str
    licence_from: date
    licence_until: date
    agreement_from: date
    agreement_until: date
    review_due: date
    contact_phone: str = ""
    status: InstitutionStatus = Field(sa_column=enum_column(InstitutionStatus))
    created_at: datetime = Field(sa_type=UtcDateTime)
    version: int = 1


class InstitutionChange(SQLModel, table=True):
    """What an institution's file said from a moment on, and who wrote it."""

    __tablename__ = "institution_change"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    institution_id: UUID = Field(foreign_key="institution.id", index=True)
    area_code: str
    version: int
    document: dict[str, Any] = Field(sa_type=JSONB)
    account_id: UUID | None = None
    at: datetime = Field(sa_type=UtcDateTime)


class InstitutionReview(SQLModel, table=True):
    """One yearly review; nobody edits it."""

    __tablename__ = "institution_review"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    institution_id: UUID = Field(foreign_key="institution.id", index=True)
    area_code: str
    held_on: date
    result: ReviewResult = Field(sa_column=enum_column(ReviewResult))
    findings: str
    next_due: date
    account_id: UUID | None = None
    at: datetime = Field(sa_type=UtcDateTime)


class InstitutionWarning(SQLModel, table=True):
    """That somebody was warned of a date, once for each number of days before it."""

    __tablename__ = "institution_warning"

    institution_id: UUID = Field(foreign_key="institution.id", primary_key=True)
    what: Due = Field(sa_column=enum_column(Due, primary_key=True))
    due_on: date = Field(primary_key=True)
    days: int = Field(primary_key=True)
    area_code: str
    at: datetime = Field(sa_type=UtcDateTime)


class InstitutionFields(BaseModel):
    """What is written of an institution."""

    model_config = ConfigDict(extra="forbid")

    name: str = ViewField(min_length=2, max_length=80, examples=["示范居家养老服务社（虚构）"])
    kind: InstitutionKind = ViewField(examples=["home_care"])
    is_public: bool = ViewField(False, description="A public institution: its prices follow the public tariff.")
    licence_number: str = ViewField(min_length=2, max_length=60, examples=["SF-2026-001"])
    licence_issuer: str = ViewField(min_length=2, max_length=80, examples=["示范发证机关（虚构）"])
    licence_from: Day = ViewField(examples=["2026-01-01"])
    licence_until: Day = ViewField(examples=["2030-12-31"], description="The last day on which it counts.")
    agreement_from: Day = ViewField(examples=["2026-01-01"])
    agreement_until: Day = ViewField(examples=["2027-12-31"], description="The last day on which it counts.")
    review_due: Day = ViewField(examples=["2027-01-31"], description="By when the next yearly review is held.")
    contact_phone: str = ViewField("", max_length=20, examples=["0731-84010000"])

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.licence_until < self.licence_from:
            raise refused("last_day_before_first", "licence_from", "licence_until")
        if self.agreement_until < self.agreement_from:
            raise refused("last_day_before_first", "agreement_from", "agreement_until")
        return self


class NewInstitution(InstitutionFields):
    """An institution to admit."""

    area_code: str | None = ViewField(
        None,
        pattern=r"^([0-9]{6}|[0-9]{9}|[0-9]{12})$",
        description="Where it has its seat; null: the county of who admits it.",
        examples=["430121"],
    )


class NewReview(BaseModel):
    """The outcome of a yearly review. A failed one suspends at once."""

    model_config = ConfigDict(extra="forbid")

    held_on: Day = ViewField(examples=["2026-11-20"])
    result: ReviewResult = ViewField(examples=["passed"])
    findings: str = ViewField("", max_length=2000, examples=["台账完整"])
    next_due: Day = ViewField(examples=["2027-11-30"])

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.next_due <= self.held_on:
            raise refused("last_day_before_first", "held_on", "next_due")
        return self


class Why(BaseModel):
    """Why an institution is suspended, taken back or let go."""

    model_config = ConfigDict(extra="forbid")

    reason: str = ViewField(min_length=2, max_length=300, examples=["年度检查发现台账造假"])


class InstitutionSummary(BaseModel):
    """One institution, as those see it who work with its people."""

    id: UUID
    area_code: str
    name: str
    kind: InstitutionKind
    is_public: bool
    status: InstitutionStatus
    takes_work: bool
    closed_because: list[str] = ViewField(
        description="suspended, exited, licence_not_valid, agreement_not_valid; empty while it takes work."
    )


class InstitutionPublic(InstitutionSummary):
    """One institution's file."""

    licence_number: str
    licence_issuer: str
    licence_from: date
    licence_until: date
    agreement_from: date
    agreement_until: date
    review_due: date
    review_overdue: bool
    contact_phone: str
    created_at: datetime
    version: int


class ReviewPublic(BaseModel):
    """One yearly review."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    held_on: date
    result: ReviewResult
    findings: str
    next_due: date
    account_id: UUID | None
    at: datetime
