"""Payer programmes (支付方): who pays a part of a bill, for whom, how much and in which order. In versions."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic import Field as Described
from sqlalchemy import BigInteger, CheckConstraint, Column, Index
from sqlalchemy.dialects.postgresql import INT8RANGE, JSONB, ExcludeConstraint
from sqlmodel import Field, SQLModel

from services.catalogue.models import Category
from services.catalogue.pricing import BASIS_POINTS
from services.core.calendar import Day
from services.core.columns import UtcDateTime, enum_column
from services.core.ids import new_id
from services.core.refused import refused
from services.payers.eligibility import Condition

SELF_PAY = "self"
"""The household: whatever nobody else pays. Not a programme; always last."""


class PayerKind(StrEnum):
    PACKAGE = "package"  # 个性服务包: an entitlement that is already paid for
    LTCI = "ltci"  # 长期护理保险
    MEDICAL_INSURANCE = "medical_insurance"  # 基本医疗保险
    GOVERNMENT_PURCHASE = "government_purchase"  # 政府购买服务
    CONSUMPTION_VOUCHER = "consumption_voucher"  # 养老服务消费补贴（消费券）
    CARE_VOUCHER = "care_voucher"  # 医养结合服务券
    COLLECTIVE = "collective"  # 村集体、慈善


class Evidence(StrEnum):
    """What a payer wants to see of the visit."""

    VERIFIED_VISIT = "verified_visit"  # no visit is flagged: verified, or reviewed by a person
    START_CODE = "start_code"  # the code that only the household knows was said at the door
    CLEAN_VISIT = "clean_visit"  # never flagged at all


class Coverage(BaseModel):
    """Which lines. Empty lists mean all; what is excluded is excluded even if it is included too."""

    model_config = ConfigDict(extra="forbid")

    items: list[str] = Described([], max_length=200)
    categories: list[Category] = Described([], max_length=20)
    not_items: list[str] = Described([], max_length=200)
    not_categories: list[Category] = Described([], max_length=20)
    books: list[Literal["medical", "eldercare"]] = Described(
        [], max_length=2, description="`medical`, `eldercare`; empty for both."
    )
    supplies: bool = Described(False, description="Drugs and consumables too.")
    entitled_only: bool = Described(False, description="Only lines that a service package has paid for.")


class Caps(BaseModel):
    """The most that a programme pays; missing means no cap. A month is that of the service day."""

    model_config = ConfigDict(extra="forbid")

    visit_fen: int | None = Described(None, ge=0)
    month_fen: int | None = Described(None, ge=0)
    month_minutes: int | None = Described(None, ge=0, description="Billed minutes of covered lines in a month.")
    month_visits: int | None = Described(None, ge=0, description="Bills in a month to which it pays something.")


class Voucher(BaseModel):
    """A right issued each month that falls away at its end."""

    model_config = ConfigDict(extra="forbid")

    monthly_fen: int = Described(ge=1, le=100_000_00)
    grace_days: int = Described(7, ge=0, le=60, description="Days for bills of the month to be made after it.")


class Terms(BaseModel):
    """All that a programme decides by. Amounts are fen, shares basis points (10 000 is the whole)."""

    model_config = ConfigDict(extra="forbid")

    share_basis_points: int = Described(ge=0, le=BASIS_POINTS, description="Of each covered line's full amount.")
    share_range: tuple[int, int] | None = Described(
        None, description="The span in the source; default: its middle."
    )
    covers: Coverage = Coverage()
    caps: Caps = Caps()
    conditions: list[Condition] = Described([], max_length=20, description="All must hold on the day of service.")
    excludes: list[str] = Described(
        [], max_length=20, description="Codes: pays nothing where one of these, earlier in the order, has paid."
    )
    evidence: list[Evidence] = [Evidence.VERIFIED_VISIT]
    voucher: Voucher | None = None
    unverified: list[str] = Described([], max_length=20, description="Names of figures that nobody has verified.")

    @model_validator(mode="after")
    def _share_in_range(self) -> Self:
        if self.share_range is not None and self.share_range[0] > self.share_range[1]:
            raise refused("band_upside_down", "share_range")
        return self


class PayerProgramme(SQLModel, table=True):
    """One published version of a programme's terms in a county (``services.payers.models.Terms``)."""

    __tablename__ = "payer_programme"
    __table_args__ = (
        ExcludeConstraint(("days", "&&"), name="payer_programme_no_overlap", using="gist"),
        Index("payer_programme_lookup", "area_code", "valid_from"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    slot: int = Field(sa_column=Column(BigInteger, nullable=False))
    days: Any = Field(sa_column=Column(INT8RANGE, nullable=False))
    area_code: str
    code: str
    kind: PayerKind = Field(sa_column=enum_column(PayerKind))
    name_zh: str
    name_en: str
    stacking_order: int
    is_active: bool
    terms: dict[str, Any] = Field(sa_type=JSONB)
    valid_from: date
    valid_until: date | None = None
    source: str
    verified: bool
    reason: str
    published_by: UUID | None = None
    published_at: datetime = Field(sa_type=UtcDateTime)


class PayerBudget(SQLModel, table=True):
    """What a programme may spend in a calendar year; ``used_fen`` is the sum of its shares of due bills and of
    what held ones have set aside, kept under the row's lock."""

    __tablename__ = "payer_budget"
    __table_args__ = (
        CheckConstraint("used_fen >= 0", name="payer_budget_not_negative"),
        Index("payer_budget_year", "area_code", "programme", "year", unique=True),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    area_code: str
    programme: str
    year: int
    budget_fen: int = Field(sa_column=Column(BigInteger, nullable=False))
    used_fen: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    version: int = 1


class VoucherRound(SQLModel, table=True):
    """How far the issue of a programme's vouchers has come on a day: residents in the order of their keys."""

    __tablename__ = "voucher_round"

    area_code: str = Field(primary_key=True)
    programme: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    last_resident_id: UUID | None = None
    issued: int = 0
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class ProgrammePublish(BaseModel):
    """A new version of a programme, or a new programme; the version in force ends when this one begins."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "code": "consumption_voucher",
                    "kind": "consumption_voucher",
                    "name_zh": "养老服务消费补贴（中度以上失能）",
                    "name_en": "Elder-care consumption voucher",
                    "stacking_order": 50,
                    "is_active": True,
                    "valid_from": "2026-12-01",
                    "source": "民办函〔2025〕49号",
                    "verified": False,
                    "reason": "按本县实施细则更新",
                    "terms": {
                        "share_basis_points": 4500,
                        "voucher": {"monthly_fen": 80000, "grace_days": 7},
                        "caps": {"month_fen": 50000},
                        "conditions": [
                            {"kind": "age", "at_least": 60},
                            {"kind": "ability_level", "at_least": 2, "at_most": 4},
                        ],
                    },
                }
            ]
        },
    )

    code: str = Described(pattern=r"^[a-z][a-z0-9_]{1,39}$")
    kind: PayerKind
    name_zh: str = Described(min_length=2, max_length=80)
    name_en: str = Described(min_length=2, max_length=80)
    stacking_order: int = Described(ge=0, le=1000, description="Smaller pays first; ties by code.")
    is_active: bool = Described(description="False keeps a frame without effect.")
    terms: Terms
    valid_from: Day
    valid_until: Day | None = None
    source: str = Described(min_length=2, max_length=300)
    verified: bool = False
    reason: str = Described(min_length=2, max_length=300)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.valid_until is not None and self.valid_until <= self.valid_from:
            raise refused("last_day_before_first", "valid_from", "valid_until")
        if self.code == SELF_PAY or self.code in self.terms.excludes:
            raise refused("programme_code", "code")
        return self


class ProgrammePublic(BaseModel):
    """A version of a programme as everybody may read it."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    area_code: str
    code: str
    kind: PayerKind
    name_zh: str
    name_en: str
    stacking_order: int
    is_active: bool
    terms: Terms
    valid_from: date
    valid_until: date | None
    source: str
    verified: bool
    reason: str
    published_by: UUID | None
    published_at: datetime


class BudgetSet(BaseModel):
    """What a programme may spend in a year."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"programme": "government_purchase", "year": 2026, "budget_fen": 5000000}]
        },
    )

    programme: str = Described(min_length=2, max_length=40)
    year: int = Described(ge=2020, le=2199)
    budget_fen: int = Described(ge=0, le=10**14)


class BudgetPublic(BaseModel):
    """A year's budget and what is left of it."""

    id: UUID
    area_code: str
    programme: str
    year: int
    budget_fen: int
    used_fen: int
    left_fen: int
    version: int


class VoucherBalance(BaseModel):
    """What is left of one month's vouchers, in plain words too."""

    programme: str
    name_zh: str
    name_en: str
    month: str
    issued_fen: int
    available_fen: int
    reserved_fen: int
    redeemed_fen: int
    expired_fen: int
    words_zh: str
    words_en: str


class VouchersPublic(BaseModel):
    """A resident's vouchers, newest month first."""

    resident_id: UUID
    vouchers: list[VoucherBalance]


class VoucherIssue(BaseModel):
    """Issue this month's vouchers to a resident now, without waiting for the nightly round."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{}]})


class NotIssued(BaseModel):
    """A programme that gives the resident no voucher, and why."""

    programme: str
    code: str
    zh: str
    en: str


class VouchersIssued(VouchersPublic):
    """The vouchers after the issue, and which programmes gave none."""

    not_issued: list[NotIssued]
