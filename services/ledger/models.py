"""The double-entry ledger: accounts, transactions, postings. Nothing in it is ever changed or deleted.

The database itself refuses a transaction whose postings do not add up to zero in each of its books, a change or a
deletion of any row, and a guarded account that would fall below zero (migration 0025).
"""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from pydantic import Field as Described
from sqlalchemy import BigInteger, CheckConstraint, Column, Index
from sqlmodel import Field, SQLModel

from services.core.columns import UtcDateTime, enum_column
from services.core.ids import new_id


class Book(StrEnum):
    """Books of their own: a transaction balances in each. Eldercare income stands apart (county rule)."""

    MEDICAL = "medical"
    ELDERCARE = "eldercare"
    VOUCHER = "voucher"  # rights, not money: what was issued, reserved, redeemed, expired


class AccountKind(StrEnum):
    """``debit`` means that the account usually stands in debit (a positive balance here)."""

    RECEIVABLE_PAYER = "receivable_payer"  # debit: what a programme owes the centre
    RECEIVABLE_HOUSEHOLD = "receivable_household"  # debit: what a resident's household owes
    INCOME = "income"  # credit
    CASH = "cash"  # debit: money that came in (payments)
    REFUND_PAYABLE = "refund_payable"  # credit: money that must go back (payments)
    VOUCHER_AVAILABLE = "voucher_available"  # debit, guarded: may still be used this month
    VOUCHER_RESERVED = "voucher_reserved"  # debit, guarded: set aside for a held bill
    VOUCHER_ISSUED = "voucher_issued"  # credit
    VOUCHER_REDEEMED = "voucher_redeemed"  # debit
    VOUCHER_EXPIRED = "voucher_expired"  # debit


GUARDED = frozenset({AccountKind.VOUCHER_AVAILABLE, AccountKind.VOUCHER_RESERVED})
"""Accounts that never fall below zero; a balance row is kept for each, locked by whoever changes it."""


class LedgerAccount(SQLModel, table=True):
    """One account. ``key`` is made of all its other columns (``entries.Account``)."""

    __tablename__ = "ledger_account"
    __table_args__ = (Index("ledger_account_resident", "resident_id", "kind", "period"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    key: str = Field(unique=True)
    book: Book = Field(sa_column=enum_column(Book))
    kind: AccountKind = Field(sa_column=enum_column(AccountKind))
    area_code: str = Field(index=True)
    programme: str | None = None
    resident_id: UUID | None = None
    institution_id: UUID | None = None
    period: str | None = None


class LedgerBalance(SQLModel, table=True):
    """The balance of a guarded account; a trigger on the postings keeps it."""

    __tablename__ = "ledger_balance"
    __table_args__ = (
        CheckConstraint("balance_fen >= 0", name="ledger_balance_not_below_zero"),
        # What is left of old months is looked for every minute, and is nearly always nothing.
        Index("ledger_balance_left", "account_id", postgresql_where="balance_fen > 0"),
    )

    account_id: UUID = Field(foreign_key="ledger_account.id", primary_key=True)
    area_code: str
    resident_id: UUID | None = None
    balance_fen: int = Field(sa_column=Column(BigInteger, nullable=False))


class LedgerTransaction(SQLModel, table=True):
    """One balanced entry. ``key`` makes it happen once; ``postings`` is how many it has, for ever."""

    __tablename__ = "ledger_transaction"
    __table_args__ = (
        CheckConstraint("postings >= 2", name="ledger_transaction_two_sides"),
        Index("ledger_transaction_settlement", "settlement_id"),
        Index("ledger_transaction_area", "area_code", "id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    key: str = Field(unique=True)
    kind: str
    area_code: str
    business_day: date
    at: datetime = Field(sa_type=UtcDateTime)
    resident_id: UUID | None = None
    order_id: UUID | None = None
    settlement_id: UUID | None = None
    reverses_id: UUID | None = Field(default=None, foreign_key="ledger_transaction.id", unique=True)
    reason: str | None = None
    account_id: UUID | None = None
    role: str
    fingerprint: str
    postings: int


class LedgerPosting(SQLModel, table=True):
    """One side of a transaction: debit above zero, credit below."""

    __tablename__ = "ledger_posting"
    __table_args__ = (CheckConstraint("amount_fen <> 0", name="ledger_posting_not_zero"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    transaction_id: UUID = Field(foreign_key="ledger_transaction.id", index=True)
    account_id: UUID = Field(foreign_key="ledger_account.id", index=True)
    area_code: str
    resident_id: UUID | None = None
    amount_fen: int = Field(sa_column=Column(BigInteger, nullable=False))


class LedgerPostingPublic(BaseModel):
    """One side: debit above zero, credit below."""

    account_id: UUID
    book: Book
    kind: AccountKind
    programme: str | None
    period: str | None
    amount_fen: int


class LedgerTransactionPublic(BaseModel):
    """One balanced entry with its sides."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    kind: str
    area_code: str
    business_day: date
    at: datetime
    resident_id: UUID | None
    order_id: UUID | None
    settlement_id: UUID | None
    reverses_id: UUID | None
    reason: str | None
    role: str
    postings: list[LedgerPostingPublic]


class LedgerBalancePublic(BaseModel):
    """One account, or several of a kind taken together, and what the postings add up to."""

    book: Book
    kind: AccountKind
    programme: str | None
    area_code: str
    period: str | None
    debit_fen: int
    credit_fen: int
    balance_fen: int = Described(description="Debit less credit.")


class TrialBalance(BaseModel):
    """All accounts in reach; each book adds up to zero."""

    accounts: list[LedgerBalancePublic]
    sums_fen: dict[Book, int] = Described(description="Zero for every book.")
