"""Settlements: who pays what for an order, to the fen."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlmodel import Field, SQLModel

from services.core.columns import UtcDateTime, enum_column
from services.core.ids import new_id


class SettlementStatus(StrEnum):
    DUE = "due"
    HELD = "held"  # a visit is flagged: nothing is charged before a person has looked


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
