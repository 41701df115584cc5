"""The live stream of a centre."""

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Request
from fastapi.responses import StreamingResponse

from api.deps import ActorDep, HouseDep
from api.live import LiveHub
from services.centres.service import centre_in_reach
from services.identity.service import session_stands

router = APIRouter(tags=["centres"])


@router.get(
    "/centres/{centre_id}/live",
    operation_id="follow_live",
    summary="Follow a centre's events (SSE)",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"example": "id: 42\nevent: alert.opened\ndata: {…}\n\n"}}}},
)
async def follow_live(
    centre_id: UUID,
    request: Request,
    house: HouseDep,
    actor: ActorDep,
    last_event_id: Annotated[
        str | None, Header(description="The last `id` that was seen; everything after it follows, gap-free.")
    ] = None,
) -> StreamingResponse:
    """Events carry ids, kinds and times; read the alert or order itself for more. Ends with the session."""
    async with house.database.unit_of_work(actor) as work:
        await centre_in_reach(work, centre_id)
    hub: LiveHub = request.app.state.live

    async def still_welcome() -> bool:
        return await session_stands(house.database, house.settings, actor.session_id, house.clock)

    seen = int(last_event_id) if last_event_id is not None and last_event_id.isdecimal() else None
    frames: AsyncIterator[bytes] = hub.follow(str(centre_id), seen, still_welcome)
    return StreamingResponse(
        frames,
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no", "Cache-Control": "no-cache"},
    )
