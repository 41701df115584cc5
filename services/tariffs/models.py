"""Tariffs and supply prices: what a service or a thing costs where and from which day, in versions."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic import Field as Described
from sqlalchemy import BigInteger, Column, Index
from sqlalchemy.dialects.postgresql import INT8RANGE, JSONB, ExcludeConstraint
from sqlmodel import Field, SQLModel

from services.catalogue.pricing import MOST_FEN, PriceRule, dearest
from services.core.calendar import Day
from services.core.columns import UtcDateTime, enum_column
from services.core.ids import new_id
from services.core.refused import refused


class PriceBasis(StrEnum):
    """Who sets the price, by what right (county rule, domain facts §4)."""

    PUBLIC_MEDICAL = "public_medical"  # public institution: 医药服务价格 + 上门服务费
    APPROVED = "approved"  # eldercare price approved by the price authority (发改)
    TENDER = "tender"  # eldercare price found by tender
    MARKET = "market"  # set by a private institution (市场调节价)


MEDICAL_SERVICE = "medical_service"
HOME_VISIT_FEE = "home_visit_fee"
"""Codes of the two parts of a public medical price; the fee's own parts begin with its code."""


class Tariff(SQLModel, table=True):
    """One published version of the price of an item. The narrowest that is in force on the day counts:
    institution and centre, institution, centre, county.

    Who uses an item without a tariff pays by the item's own rule.
    """

    __tablename__ = "tariff"
    __table_args__ = (
        ExcludeConstraint(("days", "&&"), name="tariff_no_overlap", using="gist"),
        Index("tariff_lookup", "item_code", "area_code", "valid_from"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    slot: int = Field(sa_column=Column(BigInteger, nullable=False))
    days: Any = Field(sa_column=Column(INT8RANGE, nullable=False))
    area_code: str
    centre_id: UUID | None = Field(default=None, foreign_key="centre.id")
    institution_id: UUID | None = Field(default=None, foreign_key="institution.id")
    item_code: str
    basis: PriceBasis = Field(sa_column=enum_column(PriceBasis))
    price_rule: dict[str, Any] = Field(sa_type=JSONB)
    valid_from: date
    valid_until: date | None = None
    reason: str
    published_by: UUID | None = None
    published_at: datetime = Field(sa_type=UtcDateTime)


class SupplyKind(StrEnum):
    DRUG = "drug"
    CONSUMABLE = "consumable"


class SupplyPrice(SQLModel, table=True):
    """One published version of what a drug or a consumable costs, by the institution's own policy."""

    __tablename__ = "supply_price"
    __table_args__ = (
        ExcludeConstraint(("days", "&&"), name="supply_price_no_overlap", using="gist"),
        Index("supply_price_lookup", "code", "area_code", "valid_from"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    slot: int = Field(sa_column=Column(BigInteger, nullable=False))
    days: Any = Field(sa_column=Column(INT8RANGE, nullable=False))
    area_code: str
    centre_id: UUID | None = Field(default=None, foreign_key="centre.id")
    institution_id: UUID | None = Field(default=None, foreign_key="institution.id")
    code: str
    kind: SupplyKind = Field(sa_column=enum_column(SupplyKind))
    name_zh: str
    name_en: str
    unit: str
    unit_fen: int
    source: str
    verified: bool
    valid_from: date
    valid_until: date | None = None
    published_by: UUID | None = None
    published_at: datetime = Field(sa_type=UtcDateTime)


class Publication(BaseModel):
    """Where and from when something holds. Neither place: the whole county."""

    model_config = ConfigDict(extra="forbid")

    centre_id: UUID | None = None
    institution_id: UUID | None = None
    valid_from: Day = Described(description="The first day; today or later.")
    valid_until: Day | None = Described(None, description="The day after the last; open when missing.")

    @model_validator(mode="after")
    def _days_in_order(self) -> Self:
        if self.valid_until is not None and self.valid_until <= self.valid_from:
            raise refused("last_day_before_first", "valid_from", "valid_until")
        return self


class TariffPublish(Publication):
    """A new version; the one in force ends on the day on which this one begins."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "item_code": "wound_dressing",
                    "institution_id": "019329a4-5b1c-7d2e-8f30-0a1b2c3d4e5f",
                    "valid_from": "2026-12-01",
                    "basis": "public_medical",
                    "reason": "本院上门服务费方案",
                    "price_rule": {
                        "source": "本院上门服务费公示（示例，金额未经核实）",
                        "version": "2026-12",
                        "effective_date": "2026-12-01",
                        "verified": False,
                        "components": [
                            {
                                "code": "medical_service",
                                "name_zh": "医药服务价格",
                                "name_en": "Medical service price",
                                "kind": "flat",
                                "unit_fen": 3900,
                            },
                            {
                                "code": "home_visit_fee.radius_near",
                                "name_zh": "上门服务费（3公里内）",
                                "name_en": "Home-visit fee (within 3 km)",
                                "kind": "flat",
                                "unit_fen": 5000,
                                "factors": [{"kind": "distance", "from_m": 0, "below_m": 3000}],
                            },
                        ],
                    },
                }
            ]
        },
    )

    item_code: str = Described(min_length=1, max_length=60)
    basis: PriceBasis
    price_rule: PriceRule
    reason: str = Described(min_length=2, max_length=300)

    @model_validator(mode="after")
    def _parts_of_a_public_medical_price(self) -> Self:
        codes = [part.code for part in self.price_rule.components]
        fee = any(code == HOME_VISIT_FEE or code.startswith(f"{HOME_VISIT_FEE}.") for code in codes)
        if self.basis is PriceBasis.PUBLIC_MEDICAL and not (MEDICAL_SERVICE in codes and fee):
            raise refused("public_medical_parts", "price_rule")
        if len(set(codes)) < len(codes):
            raise refused("codes_repeated", "price_rule")
        if dearest(self.price_rule) > MOST_FEN:
            raise refused("beyond_reason", "price_rule")
        return self


class TariffPublic(BaseModel):
    """A version as everybody may read it."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    area_code: str
    centre_id: UUID | None
    institution_id: UUID | None
    item_code: str
    basis: PriceBasis
    price_rule: PriceRule
    valid_from: date
    valid_until: date | None
    reason: str
    published_by: UUID | None
    published_at: datetime


class SupplyPricePublish(Publication):
    """A new version of a supply's price; the one in force ends on the day on which this one begins."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "code": "gauze_pack",
                    "kind": "consumable",
                    "name_zh": "无菌纱布（包）",
                    "name_en": "Sterile gauze, pack",
                    "unit": "pack",
                    "unit_fen": 350,
                    "valid_from": "2026-12-01",
                    "source": "本院耗材目录（示例，金额未经核实）",
                    "verified": False,
                }
            ]
        },
    )

    code: str = Described(min_length=1, max_length=60)
    kind: SupplyKind
    name_zh: str = Described(min_length=1, max_length=100)
    name_en: str = Described(min_length=1, max_length=100)
    unit: str = Described(min_length=1, max_length=20)
    unit_fen: int = Described(ge=0, le=MOST_FEN)
    source: str = Described(min_length=2, max_length=300)
    verified: bool = Described(False, description="True once somebody has checked the amount at its source.")


class SupplyPricePublic(BaseModel):
    """A version as everybody may read it."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    area_code: str
    centre_id: UUID | None
    institution_id: UUID | None
    code: str
    kind: SupplyKind
    name_zh: str
    name_en: str
    unit: str
    unit_fen: int
    source: str
    verified: bool
    valid_from: date
    valid_until: date | None
    published_by: UUID | None
    published_at: datetime
