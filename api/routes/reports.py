"""Figures for those who lead, and what was deleted by policy."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict

from api.deps import WorkDep
from api.pagination import Page, PageDep, next_cursor
from services.core.calendar import Moment
from services.reports.alarms import service
from services.reports.alarms.models import FalseAlarmFigures, FalseRate, ResponseFigures
from services.reports.service_quality.models import QualityFigures
from services.reports.service_quality.service import quality_figures
from services.vitals.months.retention import load_policy, plan, retention_log

router = APIRouter(tags=["reports"])

Month = Annotated[
    str, Query(pattern=r"^20\d{2}-(0[1-9]|1[0-2])$", description="Of the business calendar.", examples=["2026-11"])
]


class DoomedPublic(BaseModel):
    """Something that the policy lets go. `rows` of readings is an estimate until they are deleted."""

    model_config = ConfigDict(from_attributes=True)

    what: str
    start: datetime | None
    end: datetime
    rows: int
    held: bool


class KeepingPublic(BaseModel):
    """How many whole months of a kind of rows are kept."""

    model_config = ConfigDict(from_attributes=True)

    what: str
    months: int
    hold: bool


class RetentionPublic(BaseModel):
    """The policy, and what it would delete now; a held month stays."""

    version: str
    source: str
    verified: bool
    items: list[KeepingPublic]
    held_months: list[str]
    due: list[DoomedPublic]


class DeletedPublic(BaseModel):
    """What was deleted by policy."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    at: datetime
    what: str
    range_start: datetime
    range_end: datetime
    rows: int
    policy_version: str


@router.get("/reports/response", operation_id="get_response_figures", summary="How fast alerts were answered")
async def get_response_figures(work: WorkDep, month: Month) -> ResponseFigures:
    """Of one's own centre; the county sees every centre. Each figure has its numerator and denominator."""
    return await service.response_figures(work, date.fromisoformat(f"{month}-01"))


@router.get(
    "/reports/response.csv",
    operation_id="get_response_figures_csv",
    summary="The same as a table",
    response_class=Response,
    responses={200: {"content": {"text/csv": {}}, "description": "One line a centre, origin, kind and target."}},
)
async def get_response_figures_csv(work: WorkDep, month: Month) -> Response:
    """For a spreadsheet: UTF-8 with its mark."""
    table = await service.response_csv(work, date.fromisoformat(f"{month}-01"))
    name = f'attachment; filename="response-{month}.csv"'
    return Response(table, media_type="text/csv; charset=utf-8", headers={"Content-Disposition": name})


@router.get("/reports/quality", operation_id="get_quality_figures", summary="How well a month's services went")
async def get_quality_figures(work: WorkDep, month: Month) -> QualityFigures:
    """By centre and category: found somebody, completed, on time, agreed, complained, satisfied."""
    return await quality_figures(work, date.fromisoformat(f"{month}-01"))


@router.get(
    "/reports/false-alarms", operation_id="get_false_alarms", summary="False alarms by kind, profile, terminal"
)
async def get_false_alarms(
    work: WorkDep,
    start: Annotated[Moment | None, Query(description="Default 90 days before the end.")] = None,
    end: Annotated[Moment | None, Query(description="Default now.")] = None,
) -> FalseAlarmFigures:
    """Of alerts that a person closed with a reason, tests left out, by the cause that was given."""
    return await service.false_alarm_figures(work, start, end)


@router.get(
    "/terminal-profiles/{profile_id}/false-alarms",
    operation_id="get_profile_false_alarms",
    summary="False alarms of a profile's terminals",
)
async def get_profile_false_alarms(profile_id: UUID, work: WorkDep) -> FalseRate:
    """Of the last 90 days, in one's own area: whether the profile's limits and rules are right."""
    return await service.false_alarms_of_profile(work, profile_id)


@router.get("/retention", operation_id="get_retention", summary="How long data is kept, and what is due to go")
async def get_retention(work: WorkDep) -> RetentionPublic:
    """Deletes nothing. The worker deletes what is due and writes each deletion down."""
    policy = load_policy()
    return RetentionPublic(
        version=policy.version,
        source=policy.source,
        verified=policy.verified,
        items=[KeepingPublic.model_validate(item) for item in policy.items],
        held_months=sorted(policy.held_months),
        due=[DoomedPublic.model_validate(doomed) for doomed in await plan(work, policy)],
    )


@router.get("/retention/log", operation_id="list_retention_log", summary="What was deleted by policy")
async def list_retention_log(work: WorkDep, page: PageDep) -> Page[DeletedPublic]:
    """Newest first; nobody is named."""
    rows = [DeletedPublic.model_validate(row) for row in await retention_log(work, page.limit, page.cursor)]
    return Page(items=rows, next_cursor=next_cursor([row.id for row in rows], page))
