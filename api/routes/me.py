"""The signed-in person."""

from fastapi import APIRouter

from api.deps import WorkDep
from api.pagination import Page, PageDep, next_cursor
from services.audit import service as audit
from services.audit.models import AccessLogPublic
from services.identity.profile import Me, read_me

router = APIRouter(tags=["me"])


@router.get("/me", operation_id="get_me", summary="Who am I, and how far do I reach")
async def get_me(work: WorkDep) -> Me:
    """Role, area with its names, centre, and the residents one may act for."""
    return await read_me(work)


@router.get("/me/access-log", operation_id="list_my_access_log", summary="Who read my data")
async def list_my_access_log(work: WorkDep, page: PageDep) -> Page[AccessLogPublic]:
    """Newest first: every read of one's own data, and of those one acts for."""
    rows = await audit.list_reads_of_residents(work, page.limit, page.cursor)
    return Page(items=rows, next_cursor=next_cursor([row.id for row in rows], page))
