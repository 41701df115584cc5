"""Reading the double-entry ledger."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from api.deps import WorkDep
from api.pagination import Page, PageDep, next_cursor
from services.billing.reading import list_ledger
from services.ledger import service
from services.ledger.models import LedgerTransactionPublic, TrialBalance

router = APIRouter(tags=["money"])


@router.get("/ledger/transactions", operation_id="list_ledger_transactions", summary="Entries of the ledger")
async def list_ledger_transactions(
    work: WorkDep, page: PageDep, order: UUID | None = None, kind: str | None = None
) -> Page[LedgerTransactionPublic]:
    """Newest first, with their sides: debit above zero, credit below. Reversals name what they take back."""
    rows = await list_ledger(work, page.limit, page.cursor, order, kind)
    return Page(items=rows, next_cursor=next_cursor([row.id for row in rows], page))


@router.get("/ledger/balances", operation_id="get_trial_balance", summary="What stands on the accounts")
async def get_trial_balance(
    work: WorkDep,
    month: Annotated[
        str | None, Query(pattern=r"^\d{4}-(0[1-9]|1[0-2])$", description="Vouchers of this month only.")
    ] = None,
) -> TrialBalance:
    """By kind, programme, town and month; each book adds up to zero."""
    return await service.trial_balance(work, month)
