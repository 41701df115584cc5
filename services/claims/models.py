"""Settlement batches: what a payer is asked for a month, what it says, what it pays (结算批次)."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from pydantic import Field as Described
from sqlalchemy import BigInteger, CheckConstraint, Column, Identity, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from services.claims.anomalies import Anomaly
from services.claims.states import ClaimStatus
from services.core.columns import TextArray, UtcDateTime, enum_column
from services.core.ids import new_id
from services.ledger.models import Book


class CutAction(StrEnum):
    """What becomes of what a payer does not pay."""

    ASK_AGAIN = "ask_again"  # stands in the next claim
    WRITE_OFF = "write_off"  # the centre bears it


class Claim(SQLModel, table=True):
    """One batch: a centre's claim on one payer for one month and all earlier corrections.

    ``asked_fen`` counts the lines that are not held back. A draft is made anew as bills change: the lines of the
    last ``making`` count, the others stay as they were.
    """

    __tablename__ = "claim"
    __table_args__ = (
        Index("claim_one_draft", "payer", "month", "centre_id", unique=True, postgresql_where="status = 'draft'"),
        Index("claim_centre", "centre_id", "id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    number: int | None = Field(
        default=None, sa_column=Column(BigInteger, Identity(always=True), unique=True, nullable=False)
    )
    payer: str
    payer_name_zh: str
    payer_name_en: str
    month: str
    centre_id: UUID = Field(foreign_key="centre.id")
    area_code: str
    status: ClaimStatus = Field(sa_column=enum_column(ClaimStatus))
    making: int = 0
    lines: int = 0
    held_lines: int = 0
    asked_fen: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    approved_fen: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    made_by: UUID | None = None
    made_at: datetime = Field(sa_type=UtcDateTime)
    submitted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    answered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    paid_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    payment_reference: str = ""
    version: int = 1


class ClaimLine(SQLModel, table=True):
    """What is asked for one bill and book; below zero where a bill was corrected after it was claimed."""

    __tablename__ = "claim_line"
    __table_args__ = (
        UniqueConstraint("claim_id", "making", "settlement_id", "book", name="claim_line_once"),
        Index("claim_line_settlement", "settlement_id", "payer", "book"),
        CheckConstraint("asked_fen <> 0", name="claim_line_asked"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    claim_id: UUID = Field(foreign_key="claim.id", index=True)
    making: int
    settlement_id: UUID = Field(foreign_key="settlement.id")
    order_id: UUID = Field(foreign_key="service_order.id")
    resident_id: UUID = Field(foreign_key="resident.id")
    institution_id: UUID | None = None
    area_code: str
    payer: str
    book: Book = Field(sa_column=enum_column(Book))
    service_day: date
    asked_fen: int = Field(sa_column=Column(BigInteger, nullable=False))
    flags: list[str] = Field(default_factory=list, sa_type=TextArray)
    is_held: bool = False
    cleared_by: UUID | None = None
    cleared_reason: str = ""
    approved_fen: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    cut_reason: str = ""
    cut_action: CutAction | None = Field(default=None, sa_column=enum_column(CutAction, nullable=True))


class ClaimCreate(BaseModel):
    """Which payer and month; the centre is the actor's own, or named by the county."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"payer": "consumption_voucher", "month": "2026-11"}]}
    )

    payer: str = Described(min_length=1, max_length=60)
    month: str = Described(pattern=r"^20\d{2}-(0[1-9]|1[0-2])$")
    centre_id: UUID | None = None


class LineDecision(BaseModel):
    """A person has looked at a line's flags."""

    model_config = ConfigDict(extra="forbid")

    is_held: bool = Described(description="True keeps it out of the claim, false lets it in.")
    reason: str = Described(min_length=2, max_length=300, examples=["两位长者同住，一次上门"])


class LineAnswer(BaseModel):
    """What the payer says of one line."""

    model_config = ConfigDict(extra="forbid")

    line_id: UUID
    approved_fen: int = Described(ge=-100_000_000, le=100_000_000, strict=True)
    reason: str = Described("", max_length=300)
    action: CutAction = CutAction.ASK_AGAIN


class ClaimAnswer(BaseModel):
    """The payer's answer: lines that it cuts; all others are approved as asked."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"cuts": []}]})

    cuts: list[LineAnswer] = Described([], max_length=5_000)


class ClaimPaid(BaseModel):
    """The money is there."""

    model_config = ConfigDict(extra="forbid")

    amount_fen: int = Described(strict=True, examples=[125000], description="Exactly what was approved.")
    reference: str = Described(min_length=1, max_length=100, examples=["财政拨款 2026-12-05 第 3 笔"])


class ClaimPublic(BaseModel):
    """A claim."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    number: str = Described(examples=["JS-000012"])
    payer: str
    payer_name_zh: str
    payer_name_en: str
    month: str
    centre_id: UUID
    status: ClaimStatus
    lines: int
    held_lines: int
    asked_fen: int
    approved_fen: int | None
    made_at: datetime
    submitted_at: datetime | None
    answered_at: datetime | None
    paid_at: datetime | None
    payment_reference: str
    version: int


class FlagPublic(BaseModel):
    """Why a line is held back."""

    code: Anomaly
    zh: str
    en: str


class ClaimLinePublic(BaseModel):
    """One line. The resident's name is masked: a payer gets the bill's number, not the person."""

    id: UUID
    settlement_id: UUID
    order_id: UUID
    resident_name: str
    service_day: date
    items: list[str] = Described(description="Names of what was ordered.")
    book: Book
    institution_id: UUID | None
    asked_fen: int
    flags: list[FlagPublic]
    is_held: bool
    cleared_reason: str
    approved_fen: int | None
    cut_reason: str
    cut_action: CutAction | None
