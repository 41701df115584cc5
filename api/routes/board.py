"""A centre's board."""

from uuid import UUID

from fastapi import APIRouter

from api.deps import WorkDep
from services.reports import service
from services.reports.models import BoardPublic

router = APIRouter(tags=["centres"])


@router.get("/centres/{centre_id}/board", operation_id="get_board", summary="The centre's work and live alerts")
async def get_board(work: WorkDep, centre_id: UUID) -> BoardPublic:
    """Open orders by status, ended ones with a flagged visit, live alerts, and other centres' alerts that it helps
    with (`aided`). Leaves rows in the access log."""
    return await service.read_board(work, centre_id)
