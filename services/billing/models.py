"""Settlements: what an order cost, how that differs from its quote, who pays which part, to the fen."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from services.billing.states import AdjustmentStatus, SettlementStatus
from services.core.columns import UtcDateTime, enum_column
from services.core.ids import new_id
from services.ledger.models import Book


class Settlement(SQLModel, table=True):
    """The bill of one order. Once, by the unique key on the order.

    ``revision`` names the lines that count; older ones stay. ``service_day`` is the local day on which care began.
    """

    __tablename__ = "settlement"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    order_id: UUID = Field(foreign_key="service_order.id", unique=True)
    resident_id: UUID = Field(foreign_key="resident.id", index=True)
    centre_id: UUID = Field(foreign_key="centre.id")
    institution_id: UUID | None = Field(default=None, foreign_key="institution.id")
    area_code: str = Field(index=True)
    status: SettlementStatus = Field(sa_column=enum_column(SettlementStatus))
    service_day: date
    quote_total_fen: int
    total_fen: int
    revision: int = 1
    settled_at: datetime = Field(sa_type=UtcDateTime)
    version: int = 1


class SettlementRevision(SQLModel, table=True):
    """One making of the bill: what it rests on, how it differs from the quote, what payers said. Never changed."""

    __tablename__ = "settlement_revision"
    __table_args__ = (UniqueConstraint("settlement_id", "revision", name="settlement_revision_once"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    settlement_id: UUID = Field(foreign_key="settlement.id")
    revision: int
    resident_id: UUID
    area_code: str
    total_fen: int
    facts: dict[str, Any] = Field(sa_type=JSONB)
    differences: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)
    payers: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)
    adjustment_id: UUID | None = None
    made_at: datetime = Field(sa_type=UtcDateTime)


class SettlementLine(SQLModel, table=True):
    """One line of one revision of a bill; the lines of a revision add up to its total exactly.

    ``item_line`` is the order's line, 0 for drugs and consumables.
    """

    __tablename__ = "settlement_line"
    __table_args__ = (
        UniqueConstraint("settlement_id", "revision", "line_no", name="settlement_line_once"),
        CheckConstraint("quantity * unit_fen = amount_fen", name="settlement_line_product"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    settlement_id: UUID = Field(foreign_key="settlement.id", index=True)
    revision: int = 1
    resident_id: UUID
    area_code: str
    line_no: int
    item_line: int = 1
    item_code: str = ""
    book: Book = Field(sa_column=enum_column(Book))
    code: str
    name_zh: str
    name_en: str
    quantity: int
    unit_fen: int
    amount_fen: int
    minutes: int = 0
    rule_source: str
    rule_version: str
    verified: bool = False


class SettlementShare(SQLModel, table=True):
    """What one payer pays of one line; the shares of a line add up to its amount exactly.

    ``minutes`` are those of the line that the payer's cap of hours counts. ``month`` is that of the service day.
    """

    __tablename__ = "settlement_share"
    __table_args__ = (
        UniqueConstraint("line_id", "payer", name="settlement_share_once"),
        CheckConstraint("amount_fen >= 0", name="settlement_share_not_negative"),
        Index("settlement_share_usage", "resident_id", "month", "payer"),
        Index("settlement_share_payer", "payer", "month", "area_code"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    settlement_id: UUID = Field(foreign_key="settlement.id", index=True)
    line_id: UUID = Field(foreign_key="settlement_line.id")
    revision: int
    resident_id: UUID
    area_code: str
    payer: str
    programme_id: UUID | None = Field(default=None, foreign_key="payer_programme.id")
    month: str
    amount_fen: int
    minutes: int = 0


class BillAgreement(SQLModel, table=True):
    """What the household agreed to beyond the quote, before the bill was made."""

    __tablename__ = "bill_agreement"
    __table_args__ = (CheckConstraint("extra_minutes BETWEEN 0 AND 720", name="bill_agreement_minutes"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    order_id: UUID = Field(foreign_key="service_order.id", index=True)
    resident_id: UUID
    area_code: str
    extra_minutes: int = 0
    circumstances: bool = False
    note: str
    account_id: UUID
    role: str
    at: datetime = Field(sa_type=UtcDateTime)


class Adjustment(SQLModel, table=True):
    """A correction of a bill that is due: proposed by one person, decided by another, booked by reversal."""

    __tablename__ = "adjustment"
    __table_args__ = (
        Index("adjustment_one_open", "settlement_id", unique=True, postgresql_where="status = 'proposed'"),
        Index("adjustment_area", "area_code", "id"),
        CheckConstraint(
            "decided_by IS NULL OR proposed_by IS NULL OR decided_by <> proposed_by", name="adjustment_two_people"
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    settlement_id: UUID = Field(foreign_key="settlement.id", index=True)
    order_id: UUID = Field(foreign_key="service_order.id")
    resident_id: UUID
    centre_id: UUID = Field(foreign_key="centre.id")
    area_code: str
    status: AdjustmentStatus = Field(sa_column=enum_column(AdjustmentStatus))
    kind: str
    from_revision: int
    lines: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)
    before_fen: int = Field(sa_column=Column(BigInteger, nullable=False))
    after_fen: int = Field(sa_column=Column(BigInteger, nullable=False))
    reason: str
    complaint_id: UUID | None = None
    correction_id: UUID | None = None
    proposed_by: UUID | None = None
    proposed_at: datetime = Field(sa_type=UtcDateTime)
    decided_by: UUID | None = None
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    decision_note: str = ""
    version: int = 1
