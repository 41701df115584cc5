"""Settlements: who pays what for an order, to the fen."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from pydantic import Field as Described
from sqlmodel import Field, SQLModel

from services.billing.states import SettlementStatus
from services.core.columns import UtcDateTime, enum_column
from services.core.ids import new_id


class Settlement(SQLModel, table=True):
    """The bill of one order. Once, by the unique key on the order."""

    __tablename__ = "settlement"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    order_id: UUID = Field(foreign_key="service_order.id", unique=True)
    resident_id: UUID = Field(foreign_key="resident.id", index=True)
    centre_id: UUID = Field(foreign_key="centre.id")
    area_code: str = Field(index=True)
    status: SettlementStatus = Field(sa_column=enum_column(SettlementStatus))
    total_fen: int
    settled_at: datetime = Field(sa_type=UtcDateTime)
    version: int = 1


class SettlementLine(SQLModel, table=True):
    """One line of a bill; the lines add up to the total exactly."""

    __tablename__ = "settlement_line"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    settlement_id: UUID = Field(foreign_key="settlement.id", index=True)
    resident_id: UUID
    area_code: str
    line_no: int
    code: str
    name_zh: str
    name_en: str
    payer: str
    quantity: int
    unit_fen: int
    amount_fen: int
    rule_source: str
    rule_version: str


class SettlementLinePublic(BaseModel):
    """``quantity × unit_fen = amount_fen``; ``payer`` is ``self`` for what the resident pays."""

    model_config = ConfigDict(from_attributes=True)

    line_no: int
    code: str
    name_zh: str
    name_en: str
    payer: str
    quantity: int
    unit_fen: int
    amount_fen: int
    rule_source: str
    rule_version: str


class SettlementPublic(BaseModel):
    """The bill of an order. ``prices_verified`` is false while the price rule holds placeholders."""

    id: UUID
    order_id: UUID
    resident_id: UUID
    centre_id: UUID
    area_code: str
    status: SettlementStatus
    currency: str = "CNY"
    lines: list[SettlementLinePublic]
    total_fen: int = Described(description="The exact sum of the lines, in fen.")
    prices_verified: bool
    settled_at: datetime
    version: int
