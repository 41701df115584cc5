"""Who read what, for those who supervise."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from api.deps import WorkDep
from api.pagination import Page, PageDep, next_cursor
from services.audit import service
from services.audit.models import AuditedReadPublic

router = APIRouter(tags=["audit"])


@router.get("/audit/reads", operation_id="list_audited_reads", summary="List reads of residents' data")
async def list_audited_reads(
    work: WorkDep,
    page: PageDep,
    resident_id: Annotated[UUID | None, Query(description="Only reads of this resident.")] = None,
    account_id: Annotated[UUID | None, Query(description="Only reads by this account.")] = None,
) -> Page[AuditedReadPublic]:
    """Newest first, within one's area: who, whom, what for, which fields, when. No values, so no health data."""
    rows = await service.list_reads(work, page.limit, page.cursor, resident_id, account_id)
    return Page(items=rows, next_cursor=next_cursor([row.id for row in rows], page))
