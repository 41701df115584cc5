"""What caregivers did, and their allowances."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response, status

from api.deps import OnceDep, WorkDep
from api.pagination import Page
from services.core.sheets import XLSX
from services.workload import service
from services.workload.models import RateCreate, RatePublic, WorkloadPublic

router = APIRouter(tags=["workload"])

Month = Annotated[
    str, Query(pattern=r"^20\d{2}-(0[1-9]|1[0-2])$", description="Of the business calendar.", examples=["2026-11"])
]


@router.get("/workload", operation_id="list_workload", summary="A month's work by caregiver")
async def list_workload(work: WorkDep, month: Month) -> Page[WorkloadPublic]:
    """Of one's own centre, or of every centre in reach; one page. `without_rate` counts what has no rate yet."""
    return Page(items=await service.workload(work, month))


@router.get(
    "/workload.xlsx",
    operation_id="get_workload_xlsx",
    summary="The same as a workbook",
    response_class=Response,
    responses={200: {"content": {XLSX: {}}, "description": "One row a caregiver and kind of work."}},
)
async def get_workload_xlsx(work: WorkDep, month: Month) -> Response:
    """For the payroll."""
    headers = {"content-disposition": f'attachment; filename="workload-{month}.xlsx"'}
    return Response(await service.workload_xlsx(work, month), media_type=XLSX, headers=headers)


@router.get("/me/workload", operation_id="list_my_workload", summary="My own month")
async def list_my_workload(work: WorkDep, month: Month) -> Page[WorkloadPublic]:
    """For caregivers: visits, minutes and allowances."""
    return Page(items=await service.my_workload(work, month))


@router.get(
    "/allowance-rates", operation_id="list_allowance_rates", summary="What a visit or an hour on call earns"
)
async def list_allowance_rates(work: WorkDep) -> Page[RatePublic]:
    """Every rate that the county has set, newest first; one page."""
    return Page(items=await service.list_rates(work))


@router.post(
    "/allowance-rates",
    operation_id="set_allowance_rate",
    summary="Set a rate from a day on",
    status_code=status.HTTP_201_CREATED,
    response_model=RatePublic,
)
async def set_allowance_rate(work: WorkDep, once: OnceDep, said: RateCreate) -> Any:
    """Never changed afterwards: a later day's rate takes over."""
    return await once(work, lambda: service.set_rate(work, said))
