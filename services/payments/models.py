"""Payments of the household's part of bills, refunds, and what providers tell us."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from pydantic import Field as Described
from sqlalchemy import BigInteger, CheckConstraint, Column, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from services.core.columns import UtcDateTime, enum_column
from services.core.ids import new_id
from services.payments.states import PaymentStatus, RefundStatus

CASH = "cash"
"""The provider of money that was handed over at the centre or the door."""


class Payment(SQLModel, table=True):
    """One try to pay what a household owes of one bill. ``split`` is the amount by book (``ledger.Book``)."""

    __tablename__ = "payment"
    __table_args__ = (
        Index("payment_one_pending", "settlement_id", unique=True, postgresql_where="status = 'pending'"),
        Index("payment_expiry", "expires_at", postgresql_where="status = 'pending'"),
        UniqueConstraint("provider", "reference", name="payment_reference"),
        CheckConstraint("amount_fen > 0", name="payment_amount"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    settlement_id: UUID = Field(foreign_key="settlement.id", index=True)
    order_id: UUID = Field(foreign_key="service_order.id")
    resident_id: UUID = Field(foreign_key="resident.id", index=True)
    centre_id: UUID = Field(foreign_key="centre.id")
    area_code: str
    provider: str
    reference: str
    amount_fen: int = Field(sa_column=Column(BigInteger, nullable=False))
    split: dict[str, int] = Field(sa_type=JSONB)
    status: PaymentStatus = Field(sa_column=enum_column(PaymentStatus))
    started_by: UUID = Field(foreign_key="account.id")
    started_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    paid_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    receipt: str = ""
    version: int = 1


class Refund(SQLModel, table=True):
    """Money that goes back: of a payment that was too much, or of a bill that was corrected after it was paid."""

    __tablename__ = "refund"
    __table_args__ = (
        Index("refund_one_open", "payment_id", unique=True, postgresql_where="status IN ('wanted', 'sent')"),
        CheckConstraint("amount_fen > 0", name="refund_amount"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    payment_id: UUID = Field(foreign_key="payment.id", index=True)
    settlement_id: UUID = Field(foreign_key="settlement.id", index=True)
    resident_id: UUID = Field(foreign_key="resident.id")
    centre_id: UUID = Field(foreign_key="centre.id")
    area_code: str
    amount_fen: int = Field(sa_column=Column(BigInteger, nullable=False))
    split: dict[str, int] = Field(sa_type=JSONB)
    is_surplus: bool
    status: RefundStatus = Field(sa_column=enum_column(RefundStatus))
    wanted_at: datetime = Field(sa_type=UtcDateTime)
    reason: str
    handled_by: UUID | None = None
    done_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    receipt: str = ""
    version: int = 1


class NoticeOutcome(StrEnum):
    """What a provider's message led to."""

    APPLIED = "applied"
    SURPLUS = "surplus"
    UNKNOWN = "unknown"  # no payment of ours
    AMOUNT_DIFFERS = "amount_differs"  # nothing booked: a person must look


class PaymentNotice(SQLModel, table=True):
    """A message of a provider, once: kept whatever it led to. It holds ids and amounts only."""

    __tablename__ = "payment_notice"
    __table_args__ = (UniqueConstraint("provider", "notice_id", name="payment_notice_once"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    provider: str
    notice_id: str
    payment_id: UUID | None = None
    area_code: str = ""
    outcome: NoticeOutcome = Field(sa_column=enum_column(NoticeOutcome))
    body: dict[str, Any] = Field(sa_type=JSONB)
    received_at: datetime = Field(sa_type=UtcDateTime)


class NoticeKind(StrEnum):
    PAID = "paid"
    REFUNDED = "refunded"


class ProviderNotice(BaseModel):
    """What a provider tells: this reference was paid, or its money went back."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"notice_id": "n-1", "kind": "paid", "reference": "gy-0193…", "amount_fen": 13900}]
        },
    )

    notice_id: str = Described(min_length=1, max_length=100, description="The same message has the same id.")
    kind: NoticeKind
    reference: str = Described(min_length=1, max_length=100)
    amount_fen: int = Described(gt=0, le=100_000_000, strict=True)


class NoticeTaken(BaseModel):
    """That the message is kept; the same one again gets the same answer."""

    outcome: NoticeOutcome


class CashPayment(BaseModel):
    """Money handed over, with the number of the receipt that the household got."""

    model_config = ConfigDict(extra="forbid")

    amount_fen: int = Described(gt=0, le=100_000_000, strict=True, examples=[6500])
    receipt: str = Described(min_length=1, max_length=60, examples=["SJ-20261122-003"])


class RefundDone(BaseModel):
    """That money was handed back, with the number of the receipt that the household signed."""

    model_config = ConfigDict(extra="forbid")

    receipt: str = Described(min_length=1, max_length=60, examples=["TK-20261122-001"])


class RefundWanted(BaseModel):
    """Why money goes back."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Described(min_length=1, max_length=200, examples=["账单更正后多收"])


class PaymentPublic(BaseModel):
    """A payment. ``checkout`` is where the payer goes while it is pending."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    order_id: UUID
    provider: str
    reference: str
    amount_fen: int
    status: PaymentStatus
    started_at: datetime
    expires_at: datetime | None
    paid_at: datetime | None
    receipt: str
    checkout: str | None = None
    version: int


class RefundPublic(BaseModel):
    """A refund."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    payment_id: UUID
    amount_fen: int
    is_surplus: bool
    status: RefundStatus
    reason: str
    wanted_at: datetime
    done_at: datetime | None
    receipt: str
    version: int


class PaymentState(BaseModel):
    """What a household owes of a bill, what it has paid, what goes back."""

    order_id: UUID
    owed_fen: int = Described(description="The household's part of the bill as it stands.")
    paid_fen: int
    refunded_fen: int
    outstanding_fen: int = Described(description="Below zero: so much goes back to the household.")
    payments: list[PaymentPublic]
    refunds: list[RefundPublic]
