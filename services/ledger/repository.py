"""The ledger's SQL. Rows are only ever added; what people read is inside their walls."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from services.core.database import Work
from services.core.ids import new_id
from services.core.scope import within
from services.ledger.entries import Account
from services.ledger.models import (
    AccountKind,
    LedgerAccount,
    LedgerBalance,
    LedgerPosting,
    LedgerTransaction,
)

Side = tuple[LedgerPosting, LedgerAccount]


async def ensure_accounts(work: Work, accounts: Sequence[Account]) -> Mapping[str, UUID]:
    """The ids of accounts by their key; new ones are made, always in the order of their keys."""
    by_key = {account.key: account for account in accounts}
    found = await _ids(work, list(by_key))
    missing = sorted(by_key.keys() - found.keys())
    if missing:
        rows = [
            {
                "id": new_id(),
                "key": key,
                "book": by_key[key].book,
                "kind": by_key[key].kind,
                "area_code": by_key[key].area_code,
                "programme": by_key[key].programme,
                "resident_id": by_key[key].resident_id,
                "institution_id": by_key[key].institution_id,
                "period": by_key[key].period,
            }
            for key in missing
        ]
        await work.sql(insert(LedgerAccount).values(rows).on_conflict_do_nothing())
        found = await _ids(work, list(by_key))
    return found


async def _ids(work: Work, keys: list[str]) -> dict[str, UUID]:
    rows = await work.session.exec(
        select(LedgerAccount.key, LedgerAccount.id).where(col(LedgerAccount.key).in_(keys))
    )
    return dict(rows.all())


async def transaction_by_key(work: Work, key: str) -> LedgerTransaction | None:
    """An entry that was posted before."""
    return (await work.session.exec(select(LedgerTransaction).where(LedgerTransaction.key == key))).one_or_none()


async def claim_key(work: Work, row: LedgerTransaction) -> bool:
    """Insert the transaction unless its key is taken; waits for whoever is about to take it."""
    statement = insert(LedgerTransaction).values(**row.model_dump()).on_conflict_do_nothing(index_elements=["key"])
    return (await work.sql(statement)).rowcount == 1


async def insert_postings(work: Work, rows: list[dict[str, Any]]) -> None:
    """The sides of a transaction."""
    await work.sql(insert(LedgerPosting).values(rows))


async def transaction(work: Work, transaction_id: UUID) -> LedgerTransaction | None:
    """One transaction."""
    return (
        await work.session.exec(select(LedgerTransaction).where(LedgerTransaction.id == transaction_id))
    ).one_or_none()


async def reversal_of(work: Work, transaction_id: UUID) -> UUID | None:
    """The transaction that took this one back."""
    statement = select(LedgerTransaction.id).where(LedgerTransaction.reverses_id == transaction_id)
    return (await work.session.exec(statement)).one_or_none()


async def sides_of(work: Work, transaction_ids: Sequence[UUID]) -> Sequence[Side]:
    """The sides of transactions with their accounts."""
    statement = (
        select(LedgerPosting, LedgerAccount)
        .join(LedgerAccount, col(LedgerAccount.id) == col(LedgerPosting.account_id))
        .where(col(LedgerPosting.transaction_id).in_(transaction_ids))
        .order_by(col(LedgerAccount.key))
    )
    return (await work.session.exec(statement)).all()


async def open_transactions(work: Work, settlement_id: UUID, kinds: Sequence[str]) -> Sequence[LedgerTransaction]:
    """A settlement's transactions of some kinds that nothing has reversed, oldest first."""
    reversals = select(LedgerTransaction.reverses_id).where(
        LedgerTransaction.settlement_id == settlement_id, col(LedgerTransaction.reverses_id).is_not(None)
    )
    statement = (
        select(LedgerTransaction)
        .where(
            LedgerTransaction.settlement_id == settlement_id,
            col(LedgerTransaction.reverses_id).is_(None),
            col(LedgerTransaction.kind).in_(kinds),
            col(LedgerTransaction.id).not_in(reversals),
        )
        .order_by(col(LedgerTransaction.id))
    )
    return (await work.session.exec(statement)).all()


async def guarded_balances(
    work: Work, resident_id: UUID, kind: AccountKind, period: str | None = None
) -> Mapping[tuple[str, str], int]:
    """What stands on a resident's guarded accounts, by programme and month."""
    statement = (
        select(LedgerAccount.programme, LedgerAccount.period, LedgerBalance.balance_fen)
        .join(LedgerBalance, col(LedgerBalance.account_id) == col(LedgerAccount.id))
        .where(LedgerAccount.resident_id == resident_id, LedgerAccount.kind == kind)
    )
    if period is not None:
        statement = statement.where(LedgerAccount.period == period)
    rows = (await work.session.exec(statement)).all()
    return {(str(programme), str(month)): balance for programme, month, balance in rows}


async def left_over(
    work: Work, kind: AccountKind, programme: str, area_code: str, before: str, limit: int
) -> Sequence[tuple[LedgerAccount, int]]:
    """Guarded accounts of months before ``before`` on which something is left."""
    statement = (
        select(LedgerAccount, LedgerBalance.balance_fen)
        .join(LedgerBalance, col(LedgerBalance.account_id) == col(LedgerAccount.id))
        .where(
            LedgerAccount.kind == kind,
            LedgerAccount.programme == programme,
            col(LedgerAccount.area_code).startswith(area_code),
            col(LedgerAccount.period) < before,
            col(LedgerBalance.balance_fen) > 0,
        )
        .order_by(col(LedgerAccount.key))
        .limit(limit)
        .with_for_update(of=LedgerBalance, skip_locked=True)
    )
    return (await work.session.exec(statement)).all()


async def transactions_page(
    work: Work, limit: int, cursor: UUID | None, order_id: UUID | None, kind: str | None
) -> Sequence[LedgerTransaction]:
    """Transactions in reach, newest first."""
    statement = (
        select(LedgerTransaction)
        .where(*within(work.actor, LedgerTransaction.area_code, LedgerTransaction.resident_id))
        .order_by(col(LedgerTransaction.id).desc())
        .limit(limit)
    )
    if order_id is not None:
        statement = statement.where(LedgerTransaction.order_id == order_id)
    if kind is not None:
        statement = statement.where(LedgerTransaction.kind == kind)
    if cursor is not None:
        statement = statement.where(col(LedgerTransaction.id) < cursor)
    return (await work.session.exec(statement)).all()


_TRIAL = text(
    """
    SELECT a.book, a.kind, a.programme, left(a.area_code, 9) AS area_code, a.period,
           sum(greatest(p.amount_fen, 0))::bigint AS debit_fen, sum(-least(p.amount_fen, 0))::bigint AS credit_fen
    FROM ledger_posting p JOIN ledger_account a ON a.id = p.account_id
    WHERE a.area_code LIKE :area
      AND (CAST(:period AS text) IS NULL OR a.period IS NULL OR a.period = :period)
    GROUP BY a.book, a.kind, a.programme, left(a.area_code, 9), a.period
    ORDER BY a.book, a.kind, a.programme, 4, a.period
    """
)


async def trial_balance(work: Work, period: str | None) -> Sequence[Any]:
    """All accounts in reach, taken together by kind, programme, town and month: nobody's own account shows."""
    pattern = f"{work.actor.area_code}%" if work.actor.area_code or work.actor.is_system else ""
    return (await work.sql(_TRIAL, {"area": pattern, "period": period})).all()


_WRONG_BALANCES = text(
    """
    SELECT count(*) FROM ledger_account a
    LEFT JOIN ledger_balance b ON b.account_id = a.id
    LEFT JOIN (SELECT account_id, sum(amount_fen) AS total FROM ledger_posting GROUP BY account_id) p
           ON p.account_id = a.id
    WHERE a.kind IN ('voucher_available', 'voucher_reserved')
      AND coalesce(b.balance_fen, 0) <> coalesce(p.total, 0)
    """
)


async def wrong_balances(work: Work) -> int:
    """Guarded accounts whose balance row is not the sum of their postings; always 0."""
    return int((await work.sql(_WRONG_BALANCES)).scalar_one())
