"""Terminals that fetch their own credential, and who tried to."""

from uuid import UUID

from fastapi import APIRouter

from api.deps import HouseDep, WorkDep
from api.pagination import Page, PageDep, next_cursor
from api.routes.auth import AddressDep
from services.terminals.provisioning import provision_itself as provision
from services.terminals.queries import page_of_attempts
from services.terminals.registry_models import AttemptPublic, CredentialPublic, ProvisionRequest

router = APIRouter(tags=["terminals"])


@router.post(
    "/terminals/provision",
    operation_id="provision_itself",
    summary="A factory-new terminal fetches its credential, once",
)
async def provision_itself(house: HouseDep, body: ProvisionRequest, address: AddressDep) -> CredentialPublic:
    """With its profile's key and secret. A second time is refused (409 `already_provisioned`) and on record."""
    return await provision(house, body, address)


@router.get(
    "/provision-attempts", operation_id="list_provision_attempts", summary="Who tried to provision a terminal"
)
async def list_provision_attempts(
    work: WorkDep, page: PageDep, terminal_id: UUID | None = None
) -> Page[AttemptPublic]:
    """Newest first. Those that name no known serial are the county's to see."""
    rows = await page_of_attempts(work, page.limit, page.cursor, terminal_id)
    items = [AttemptPublic.model_validate(row) for row in rows]
    return Page(items=items, next_cursor=next_cursor([item.id for item in items], page))
