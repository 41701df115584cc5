"""Live streams: a centre's, and a whole county's."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Header, Request
from fastapi.responses import StreamingResponse

from api.deps import ActorDep, HouseDep
from api.house import House
from api.live import LiveHub
from services.centres.service import centre_in_reach
from services.core.actor import Actor
from services.core.livestream import Audience
from services.identity.service import session_stands

router = APIRouter(tags=["centres"])

LastSeen = Annotated[
    str | None, Header(description="The last `id` that was seen; everything after it follows, gap-free.")
]
_STREAM: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"text/event-stream": {"example": "id: 42\nevent: alert.opened\ndata: {…}\n\n"}}}
}


@router.get(
    "/centres/{centre_id}/live",
    operation_id="follow_live",
    summary="Follow a centre's events (SSE)",
    response_class=StreamingResponse,
    responses=_STREAM,
)
async def follow_live(
    centre_id: UUID, request: Request, house: HouseDep, actor: ActorDep, last_event_id: LastSeen = None
) -> StreamingResponse:
    """Its own events, and those of alerts it helps with while it does: ids, kinds and times; read the alert or
    order itself for more. Ends with the session."""
    async with house.database.unit_of_work(actor) as work:
        await centre_in_reach(work, centre_id)
    return _stream(request, house, actor, Audience(str(centre_id), ""), last_event_id)


@router.get(
    "/live",
    operation_id="follow_area",
    summary="Follow the events of one's whole area (SSE)",
    response_class=StreamingResponse,
    responses=_STREAM,
)
async def follow_area(
    request: Request, house: HouseDep, actor: ActorDep, last_event_id: LastSeen = None
) -> StreamingResponse:
    """Of every centre of the county, each event once. `alert.escalated` names the accounts that were paged."""
    return _stream(request, house, actor, Audience(None, actor.area_code), last_event_id)


def _stream(
    request: Request, house: House, actor: Actor, audience: Audience, last_event_id: str | None
) -> StreamingResponse:
    hub: LiveHub = request.app.state.live

    async def still_welcome() -> bool:
        return await session_stands(house.database, house.settings, actor.session_id, house.clock)

    seen = int(last_event_id) if last_event_id is not None and last_event_id.isdecimal() else None
    frames: AsyncIterator[bytes] = hub.follow(audience, seen, still_welcome)
    return StreamingResponse(
        frames,
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no", "Cache-Control": "no-cache"},
    )
