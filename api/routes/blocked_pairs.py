"""Residents and caregivers who are kept apart."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, status

from api.deps import IfMatch, OnceDep, WorkDep
from api.pagination import Page, PageDep, next_cursor
from services.caregivers.pairs import service
from services.caregivers.pairs.models import LiftPair, NewPair, PairPublic, PairSaved

router = APIRouter(tags=["caregivers"])


@router.get("/blocked-pairs", operation_id="list_blocked_pairs", summary="Who is kept apart")
async def list_pairs(
    work: WorkDep, page: PageDep, resident_id: UUID | None = None, caregiver_id: UUID | None = None
) -> Page[PairPublic]:
    """Newest first, lifted ones too; the reason for managers only. Leaves a row in the access log."""
    rows = await service.list_pairs(work, page.limit, page.cursor, resident_id, caregiver_id)
    return Page(items=rows, next_cursor=next_cursor([row.id for row in rows], page))


@router.post(
    "/blocked-pairs",
    operation_id="block_pair",
    summary="Keep a resident and a caregiver apart",
    status_code=status.HTTP_201_CREATED,
    response_model=PairSaved,
)
async def block_pair(work: WorkDep, once: OnceDep, body: NewPair) -> Any:
    """From this minute; the answer lists the visits that are to be moved. Refusal: `pair_on_file`."""
    return await once(work, lambda: service.block(work, body))


@router.post("/blocked-pairs/{pair_id}/lift", operation_id="lift_pair", summary="Let two meet again")
async def lift_pair(work: WorkDep, if_match: IfMatch, pair_id: UUID, body: LiftPair) -> PairSaved:
    """Repeating it gives the same answer."""
    return await service.lift(work, pair_id, body, if_match)
