"""Service packages: what can be granted, who has one, what is left of it."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, status

from api.deps import IfMatch, OnceDep, WorkDep
from api.pagination import Page, PageDep, next_cursor
from services.packages import service
from services.packages.models import (
    PackageDetail,
    PackageGrant,
    PackagePublic,
    RevokeRequest,
    TemplateContent,
    TemplateCreate,
    TemplatePublic,
)
from services.packages.states import PackageStatus

router = APIRouter(tags=["packages"])


@router.get("/package-templates", operation_id="list_package_templates", summary="Packages that can be granted")
async def list_package_templates(
    work: WorkDep, page: PageDep, include_inactive: bool = False
) -> Page[TemplatePublic]:
    """Newest first. `verified` is false while contents or price are placeholders."""
    rows = await service.list_templates(work, page.limit, page.cursor, include_inactive=include_inactive)
    return Page(items=rows, next_cursor=next_cursor([row.id for row in rows], page))


@router.get(
    "/package-templates/{package_template_id}", operation_id="get_package_template", summary="Read a package"
)
async def get_package_template(work: WorkDep, package_template_id: UUID) -> TemplatePublic:
    """What it holds, for how long and at what price."""
    return await service.read_template(work, package_template_id)


@router.post(
    "/package-templates",
    operation_id="add_package_template",
    summary="Enter a package",
    status_code=status.HTTP_201_CREATED,
    response_model=TemplatePublic,
)
async def add_package_template(work: WorkDep, once: OnceDep, wish: TemplateCreate) -> Any:
    """For the whole county. Refusals: `template_exists`, `unknown_items`."""
    return await once(work, lambda: service.add_template(work, wish))


@router.put(
    "/package-templates/{package_template_id}",
    operation_id="change_package_template",
    summary="Change a package",
)
async def change_package_template(
    work: WorkDep, if_match: IfMatch, package_template_id: UUID, content: TemplateContent
) -> TemplatePublic:
    """The next version; packages that residents have stay as they were granted."""
    return await service.change_template(work, package_template_id, content, if_match)


@router.post(
    "/packages",
    operation_id="grant_package",
    summary="Give a resident a package",
    status_code=status.HTTP_201_CREATED,
    response_model=PackagePublic,
)
async def grant_package(work: WorkDep, once: OnceDep, wish: PackageGrant) -> Any:
    """With its entitlements, from `valid_from` on. Refusals: `not_grantable`."""
    return await once(work, lambda: service.grant(work, wish))


@router.get("/packages", operation_id="list_packages", summary="List residents' packages in reach")
async def list_packages(
    work: WorkDep,
    page: PageDep,
    resident_id: UUID | None = None,
    statuses: Annotated[list[PackageStatus], Query(alias="status", max_length=3)] = [],  # noqa: B006  never changed
) -> Page[PackagePublic]:
    """Newest first, each with what is left. `status` may be given several times."""
    rows = await service.list_packages(work, page.limit, page.cursor, resident_id, statuses)
    return Page(items=rows, next_cursor=next_cursor([row.id for row in rows], page))


@router.get("/packages/{package_id}", operation_id="get_package", summary="Read a resident's package")
async def get_package(work: WorkDep, package_id: UUID) -> PackageDetail:
    """With what orders have reserved, used and given back."""
    return await service.read_package(work, package_id)


@router.post("/packages/{package_id}/revoke", operation_id="revoke_package", summary="Take a package back")
async def revoke_package(work: WorkDep, if_match: IfMatch, package_id: UUID, body: RevokeRequest) -> PackagePublic:
    """Nothing more is reserved; orders that hold units keep them. A repeat changes nothing."""
    return await service.revoke(work, package_id, body.reason, if_match)
