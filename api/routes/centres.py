"""Second-tier centres."""

from uuid import UUID

from fastapi import APIRouter

from api.deps import WorkDep
from api.pagination import Page
from services.centres import service
from services.centres.models import CentrePublic

router = APIRouter(tags=["centres"])


@router.get("/centres", operation_id="list_centres", summary="All centres of the county")
async def list_centres(work: WorkDep) -> Page[CentrePublic]:
    """By area code; one page."""
    return Page(items=await service.list_centres(work))


@router.get("/centres/{centre_id}", operation_id="get_centre", summary="Read one centre")
async def get_centre(work: WorkDep, centre_id: UUID) -> CentrePublic:
    """Name, phone and place."""
    return await service.get_centre(work, centre_id)
