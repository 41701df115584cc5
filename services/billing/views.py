"""What the API says of bills, in fen and in plain words."""

from datetime import date, datetime
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic import Field as Described

from services.billing.states import AdjustmentStatus, SettlementStatus
from services.core.refused import refused
from services.ledger.models import Book


class ShareLine(BaseModel):
    """One payer's part of a line; ``self`` is the household."""

    payer: str
    amount_fen: int


class SettlementLinePublic(BaseModel):
    """``quantity × unit_fen = amount_fen``, and the shares add up to it. ``item_line`` 0: drugs, consumables."""

    line_no: int
    item_line: int
    item_code: str
    book: Book = Described(description="Whose ledger the income belongs in.")
    code: str
    name_zh: str
    name_en: str
    quantity: int
    unit_fen: int
    amount_fen: int
    shares: list[ShareLine]
    rule_source: str
    rule_version: str
    verified: bool


class DifferencePublic(BaseModel):
    """Why a part is not as quoted. All ``amount_fen`` add up to the bill's total less the quote's."""

    item_line: int
    code: str
    reason: str
    zh: str
    en: str
    amount_fen: int
    waived_fen: int = Described(description="What the cause would have cost and was not billed.")


class PayerPublic(BaseModel):
    """What a payer pays of the bill, and why so much or so little."""

    payer: str
    name_zh: str
    name_en: str
    amount_fen: int
    code: str
    zh: str
    en: str


class SettlementPublic(BaseModel):
    """The bill of an order. ``prices_verified`` is false while a price rule holds placeholders."""

    id: UUID
    order_id: UUID
    resident_id: UUID
    centre_id: UUID
    institution_id: UUID | None
    area_code: str
    status: SettlementStatus
    currency: str = "CNY"
    service_day: date
    quote_total_fen: int
    total_fen: int = Described(description="The exact sum of the lines, in fen.")
    self_fen: int = Described(description="What the household pays.")
    lines: list[SettlementLinePublic]
    differences: list[DifferencePublic]
    payers: list[PayerPublic]
    facts: dict[str, Any] = Described(description="What the bill rests on: minutes, distance, kind of day.")
    words_zh: str
    words_en: str
    prices_verified: bool
    revision: int
    settled_at: datetime
    version: int


class BillSummary(BaseModel):
    """One bill in a list."""

    id: UUID
    order_id: UUID
    status: SettlementStatus
    service_day: date
    item_name_zh: str
    item_name_en: str
    quote_total_fen: int
    total_fen: int
    self_fen: int
    words_zh: str
    words_en: str
    settled_at: datetime
    version: int


class ShareOfQuoteLine(BaseModel):
    """One line of the quote and who would pay it."""

    item_line: int
    code: str
    name_zh: str
    name_en: str
    amount_fen: int
    shares: list[ShareLine]


class SplitPublic(BaseModel):
    """Who would pay for a quote if the service took place as planned; nothing is set aside by asking."""

    quote_id: UUID
    resident_id: UUID
    service_day: date
    total_fen: int
    self_fen: int
    payers: list[PayerPublic]
    lines: list[ShareOfQuoteLine]
    is_estimate: bool = True
    words_zh: str
    words_en: str


class AgreementCreate(BaseModel):
    """What the household agrees to beyond the quote: more time, or what the circumstances cost."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"extra_minutes": 30, "note": "老人要求多打扫一间房"}]}
    )

    extra_minutes: int = Described(0, ge=0, le=720, description="At most so many minutes more than ordered.")
    circumstances: bool = Described(False, description="Night, holiday … may be billed as they turn out.")
    note: str = Described(min_length=1, max_length=300)

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.extra_minutes and not self.circumstances:
            raise refused("nothing_changed", "extra_minutes", "circumstances")
        return self


class AgreementPublic(BaseModel):
    """An agreement on record."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    order_id: UUID
    extra_minutes: int
    circumstances: bool
    note: str
    role: str
    at: datetime


class LineChange(BaseModel):
    """The new amount of one line, at most the present one; 0 takes it off."""

    model_config = ConfigDict(extra="forbid")

    line_no: int = Described(ge=1, le=1000)
    amount_fen: int = Described(ge=0)


class AdjustmentCreate(BaseModel):
    """Correct a bill: lower some of its lines, or make it anew from the visit's corrected facts."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"lines": [{"line_no": 1, "amount_fen": 5000}], "reason": "投诉成立，退减一半服务费"},
                {"recalculate": True, "reason": "签退时间已更正"},
            ]
        },
    )

    lines: list[LineChange] = Described([], max_length=100)
    recalculate: bool = False
    reason: str = Described(min_length=2, max_length=300)
    complaint_id: UUID | None = None
    correction_id: UUID | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if bool(self.lines) is self.recalculate:
            raise refused("exactly_one", "lines", "recalculate")
        numbers = [line.line_no for line in self.lines]
        if len(set(numbers)) < len(numbers):
            raise refused("codes_repeated", "lines")
        return self


class AdjustmentDecision(BaseModel):
    """Yes or no, by somebody other than who proposed it."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"approve": True, "note": "已核对"}]}
    )

    approve: bool
    note: str = Described(min_length=1, max_length=300)


class AdjustmentPublic(BaseModel):
    """A correction of a bill: what it was, what it becomes, who proposed and who decided."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    settlement_id: UUID
    order_id: UUID
    resident_id: UUID
    centre_id: UUID
    area_code: str
    status: AdjustmentStatus
    kind: str
    from_revision: int
    lines: list[dict[str, Any]]
    before_fen: int
    after_fen: int
    reason: str
    complaint_id: UUID | None
    correction_id: UUID | None
    proposed_by: UUID | None
    proposed_at: datetime
    decided_by: UUID | None
    decided_at: datetime | None
    decision_note: str
    version: int
