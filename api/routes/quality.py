"""Ready words of ratings, and calls back."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from api.deps import IfMatch, WorkDep
from api.pagination import Page, PageDep, next_cursor
from services.quality import service
from services.quality.models import CallbackPublic, CallbackResult, RatingWords
from services.quality.states import CallbackStatus

router = APIRouter(tags=["quality"])


@router.get("/ratings/words", operation_id="list_rating_words", summary="Ready words beside the three faces")
async def list_rating_words() -> RatingWords:
    """Codes for a rating's `tags`, in both languages."""
    return service.rating_words()


@router.get("/callbacks", operation_id="list_callbacks", summary="Whom to call back")
async def list_callbacks(
    work: WorkDep,
    page: PageDep,
    statuses: Annotated[list[CallbackStatus], Query(alias="status", max_length=3)] = [],  # noqa: B006  never changed
    overdue: bool = False,
) -> Page[CallbackPublic]:
    """Poor ratings, flagged visits, first services and a sample drawn by lot; newest first."""
    rows = await service.list_callbacks(work, page.limit, page.cursor, statuses, overdue)
    return Page(items=rows, next_cursor=next_cursor([row.id for row in rows], page))


@router.post(
    "/callbacks/{callback_id}/attempt", operation_id="note_callback_attempt", summary="Nobody answered the call"
)
async def note_callback_attempt(work: WorkDep, if_match: IfMatch, callback_id: UUID) -> CallbackPublic:
    """After the last attempt that the rules ask for, the call is given up."""
    return await service.note_attempt(work, callback_id, if_match)


@router.post("/callbacks/{callback_id}/result", operation_id="note_callback_result", summary="What she said")
async def note_callback_result(
    work: WorkDep, if_match: IfMatch, callback_id: UUID, said: CallbackResult
) -> CallbackPublic:
    """Where the household has not rated the order, this becomes its rating."""
    return await service.note_result(work, callback_id, said, if_match)
