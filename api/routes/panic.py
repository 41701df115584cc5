"""The caregiver's own alarm, and the feed of a resident's visits for her family."""

from uuid import UUID

from fastapi import APIRouter

from api.deps import WorkDep
from api.pagination import PageDep
from services.visits.feed.models import VisitFeed
from services.visits.feed.service import read_feed
from services.visits.panic import service as panic
from services.visits.panic.models import PanicPress, PanicPublic, PanicState

router = APIRouter()


@router.post("/me/panic", operation_id="press_panic", summary="Call for help for myself", tags=["me"])
async def press_panic(work: WorkDep, said: PanicPress) -> PanicPublic:
    """Highest severity, whatever one is doing. The same id is one press; another one pages again."""
    return await panic.press(work, said)


@router.get("/me/panic", operation_id="get_panic", summary="How far help has come", tags=["me"])
async def get_panic(work: WorkDep) -> PanicState:
    """Of the newest press; empty before the first."""
    return await panic.read(work)


@router.get(
    "/residents/{resident_id}/visit-feed",
    operation_id="get_visit_feed",
    summary="Who comes, and how far it has come",
    tags=["residents"],
)
async def get_visit_feed(work: WorkDep, page: PageDep, resident_id: UUID) -> VisitFeed:
    """The resident's own; the family's as far as she has agreed, and nothing before that."""
    return await read_feed(work, resident_id, page.limit, page.cursor)
