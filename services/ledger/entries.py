"""What is written into the ledger, before it is written: pure values and their rules."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from services.ledger.models import AccountKind, Book


@dataclass(frozen=True, slots=True)
class Account:
    """Names an account; it is made when it is first used. ``period`` is a month, ``2026-11``."""

    book: Book
    kind: AccountKind
    area_code: str
    programme: str | None = None
    resident_id: UUID | None = None
    institution_id: UUID | None = None
    period: str | None = None

    @property
    def key(self) -> str:
        """The account's one name in the database. A resident's own account stays hers when she moves."""
        place = self.area_code if self.resident_id is None else ""
        parts = (self.book, self.kind, place, self.programme, self.resident_id, self.institution_id)
        return ":".join("" if part is None else str(part) for part in (*parts, self.period))


@dataclass(frozen=True, slots=True)
class Posting:
    """One side: debit above zero, credit below."""

    account: Account
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One transaction to be. ``key`` makes it happen once, however often it is posted.

    ``ValueError`` for less than two sides, a side of zero, or a book that does not add up to zero: our own fault.
    """

    key: str
    kind: str
    area_code: str
    postings: tuple[Posting, ...]
    resident_id: UUID | None = None
    order_id: UUID | None = None
    settlement_id: UUID | None = None
    reverses_id: UUID | None = None
    reason: str | None = None

    def __post_init__(self) -> None:
        if len(self.postings) < 2 or any(posting.amount_fen == 0 for posting in self.postings):
            raise ValueError("an entry has at least two sides, and none is zero")
        if any(sums_of(self.postings).values()):
            raise ValueError("an entry adds up to zero in each book")

    @property
    def fingerprint(self) -> str:
        """What tells the same entry posted again from another one under the same key."""
        sides = sorted(f"{posting.account.key}={posting.amount_fen}" for posting in self.postings)
        return hashlib.sha256("\n".join([self.kind, self.area_code, *sides]).encode()).hexdigest()


def sums_of(postings: Iterable[Posting]) -> dict[Book, int]:
    """What the postings add up to in each book."""
    sums: dict[Book, int] = {}
    for posting in postings:
        sums[posting.account.book] = sums.get(posting.account.book, 0) + posting.amount_fen
    return sums


def sides(pairs: Iterable[tuple[Account, int]]) -> tuple[Posting, ...]:
    """Postings with the amounts of each account added up, zero left out, in the order of the accounts' names."""
    amounts: dict[Account, int] = {}
    for account, amount in pairs:
        amounts[account] = amounts.get(account, 0) + amount
    kept = [Posting(account, amount) for account, amount in amounts.items() if amount]
    return tuple(sorted(kept, key=lambda posting: posting.account.key))


def reversed_sides(postings: Sequence[Posting]) -> tuple[Posting, ...]:
    """The same sides the other way round."""
    return tuple(replace(posting, amount_fen=-posting.amount_fen) for posting in postings)
