"""The ledger's verbs: post, reverse, read. Nothing is ever changed."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from services.core.constraints import violates
from services.core.database import Work
from services.core.effective import today
from services.core.errors import NotFound
from services.core.ids import new_id
from services.ledger import repository
from services.ledger.entries import Account, Entry, Posting, reversed_sides
from services.ledger.errors import AlreadyReversed, LedgerKeyReused, NotEnough
from services.ledger.models import (
    Book,
    LedgerAccount,
    LedgerBalancePublic,
    LedgerPostingPublic,
    LedgerTransaction,
    LedgerTransactionPublic,
    TrialBalance,
)


async def post(work: Work, *entries: Entry) -> list[UUID]:
    """Write entries, each once; gives their transactions' ids, those of earlier postings under the same keys too.

    Post everything of one unit of work in one call where you can: accounts are then made in one order. Raises
    ``LedgerKeyReused`` for another entry under a known key, ``NotEnough`` where a guarded account would fall below
    zero.
    """
    accounts = [posting.account for entry in entries for posting in entry.postings]
    ids = await repository.ensure_accounts(work, accounts)
    return [await _post_one(work, entry, ids) for entry in entries]


async def reverse(work: Work, transaction_id: UUID, reason: str) -> UUID:
    """Take a transaction back by the same sides the other way round; gives the reversing transaction's id.

    Raises ``NotFound``, ``AlreadyReversed``.
    """
    old = await repository.transaction(work, transaction_id)
    if old is None or old.reverses_id is not None:
        raise NotFound
    if await repository.reversal_of(work, transaction_id) is not None:
        raise AlreadyReversed
    postings = [
        Posting(_account(account), posting.amount_fen)
        for posting, account in await repository.sides_of(work, [transaction_id])
    ]
    (made,) = await post(
        work,
        Entry(
            key=f"reverse:{transaction_id}",
            kind=old.kind,
            area_code=old.area_code,
            postings=reversed_sides(postings),
            resident_id=old.resident_id,
            order_id=old.order_id,
            settlement_id=old.settlement_id,
            reverses_id=old.id,
            reason=reason,
        ),
    )
    return made


async def list_transactions(
    work: Work, limit: int, cursor: UUID | None, order_id: UUID | None, kind: str | None
) -> list[LedgerTransactionPublic]:
    """Transactions in reach with their sides, newest first."""
    rows = await repository.transactions_page(work, limit, cursor, order_id, kind)
    return await _shown(work, rows)


async def trial_balance(work: Work, period: str | None) -> TrialBalance:
    """What stands where, and the proof: every book adds up to zero."""
    accounts = [
        LedgerBalancePublic(**row._mapping, balance_fen=row.debit_fen - row.credit_fen)  # noqa: SLF001  public API
        for row in await repository.trial_balance(work, period)
    ]
    return TrialBalance(
        accounts=accounts,
        sums_fen={book: sum(account.balance_fen for account in accounts if account.book is book) for book in Book},
    )


async def _post_one(work: Work, entry: Entry, ids: Mapping[str, UUID]) -> UUID:
    row = LedgerTransaction(
        id=new_id(),
        key=entry.key,
        kind=entry.kind,
        area_code=entry.area_code,
        business_day=today(work),
        at=work.now,
        resident_id=entry.resident_id,
        order_id=entry.order_id,
        settlement_id=entry.settlement_id,
        reverses_id=entry.reverses_id,
        reason=entry.reason,
        account_id=work.actor.account_id,
        role=str(work.actor.role),
        fingerprint=entry.fingerprint,
        postings=len(entry.postings),
    )
    if not await repository.claim_key(work, row):
        known = await repository.transaction_by_key(work, entry.key)
        if known is None or known.fingerprint != entry.fingerprint:
            raise LedgerKeyReused
        return known.id
    rows = [
        {
            "id": new_id(),
            "transaction_id": row.id,
            "account_id": ids[posting.account.key],
            "area_code": posting.account.area_code,
            "resident_id": posting.account.resident_id,
            "amount_fen": posting.amount_fen,
        }
        for posting in sorted(entry.postings, key=lambda posting: posting.account.key)
    ]
    try:
        await repository.insert_postings(work, rows)
    except IntegrityError as error:
        if violates(error, "ledger_balance_not_below_zero"):
            raise NotEnough from error
        raise
    return row.id


def _account(row: LedgerAccount) -> Account:
    return Account(
        book=row.book,
        kind=row.kind,
        area_code=row.area_code,
        programme=row.programme,
        resident_id=row.resident_id,
        institution_id=row.institution_id,
        period=row.period,
    )


async def _shown(work: Work, rows: Sequence[LedgerTransaction]) -> list[LedgerTransactionPublic]:
    sides: dict[UUID, list[LedgerPostingPublic]] = {row.id: [] for row in rows}
    for posting, account in await repository.sides_of(work, list(sides)):
        sides[posting.transaction_id].append(
            LedgerPostingPublic(
                account_id=account.id,
                book=account.book,
                kind=account.kind,
                programme=account.programme,
                period=account.period,
                amount_fen=posting.amount_fen,
            )
        )
    return [
        LedgerTransactionPublic(**row.model_dump(exclude={"postings"}), postings=sides[row.id]) for row in rows
    ]
