"""What can be ordered."""

from fastapi import APIRouter

from api.deps import WorkDep
from services.catalogue import service
from services.catalogue.models import CataloguePublic

router = APIRouter(tags=["catalogue"])


@router.get("/catalogue", operation_id="get_catalogue", summary="The menu, by category")
async def get_catalogue(work: WorkDep) -> CataloguePublic:
    """Active items with checklist and price rule. A rule with `verified: false` holds a placeholder price."""
    return await service.catalogue(work)
