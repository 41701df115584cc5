"""The live stream of a centre."""

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Request
from fastapi.responses import StreamingResponse

from api.deps import ActorDep, HouseDep
from api.live import LiveHub
from services.centres.service import get_watched_centre
from services.core.errors import DomainError
from services.identity.service import authenticate

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
        await get_watched_centre(work, centre_id)
    hub: LiveHub = request.app.state.live
    token = request.headers["authorization"].partition(" ")[2]

    async def still_welcome() -> bool:
        try:
            await authenticate(house.database, house.settings, token, house.clock)
        except DomainError:
            return False
        return True

    seen = int(last_event_id) if last_event_id is not None and last_event_id.isdecimal() else None
    frames: AsyncIterator[bytes] = hub.follow(str(centre_id), seen, still_welcome)
    return StreamingResponse(
        frames,
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no", "Cache-Control": "no-cache"},
    )
