"""Payer programmes, their budgets, and residents' vouchers."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, status

from api.deps import OnceDep, WorkDep
from api.pagination import Page, PageDep, next_cursor
from services.core.calendar import Day
from services.payers import service
from services.payers.models import (
    BudgetPublic,
    BudgetSet,
    ProgrammePublic,
    ProgrammePublish,
    VoucherIssue,
    VouchersIssued,
    VouchersPublic,
)

router = APIRouter(tags=["money"])


@router.get("/payer-programmes", operation_id="list_payer_programmes", summary="Who pays what, in which order")
async def list_payer_programmes(
    work: WorkDep, page: PageDep, code: str | None = None, day: Day | None = None
) -> Page[ProgrammePublic]:
    """Every published version of the county's programmes, newest first; with `day` those in force then."""
    rows = await service.list_programmes(work, page.limit, page.cursor, code, day)
    return Page(items=rows, next_cursor=next_cursor([row.id for row in rows], page))


@router.post(
    "/payer-programmes",
    operation_id="publish_payer_programme",
    summary="Publish a version of a payer programme",
    status_code=status.HTTP_201_CREATED,
    response_model=ProgrammePublic,
)
async def publish_payer_programme(work: WorkDep, once: OnceDep, body: ProgrammePublish) -> Any:
    """A new code is a new payer. Never edits: the version in force ends when this one begins.

    Refusals: `starts_in_the_past`, `period_taken`, `no_such_programme` for an unknown exclusion.
    """
    return await once(work, lambda: service.publish(work, body))


@router.get("/payer-budgets", operation_id="list_payer_budgets", summary="Budgets of programmes")
async def list_payer_budgets(work: WorkDep, page: PageDep) -> Page[BudgetPublic]:
    """By programme and calendar year, with what is left."""
    rows = await service.list_budgets(work, page.limit, page.cursor)
    return Page(items=rows, next_cursor=next_cursor([row.id for row in rows], page))


@router.post(
    "/payer-budgets",
    operation_id="set_payer_budget",
    summary="Set a programme's budget of a year",
    status_code=status.HTTP_201_CREATED,
    response_model=BudgetPublic,
)
async def set_payer_budget(work: WorkDep, once: OnceDep, body: BudgetSet) -> Any:
    """What has been used stays used; a programme without a budget pays without that limit."""
    return await once(work, lambda: service.set_budget(work, body))


@router.get(
    "/residents/{resident_id}/vouchers", operation_id="list_resident_vouchers", summary="A resident's vouchers"
)
async def list_resident_vouchers(resident_id: UUID, work: WorkDep) -> VouchersPublic:
    """By month: issued, used, set aside, left, expired, in fen and in plain words. The read is audited."""
    return await service.vouchers_of(work, resident_id)


@router.post(
    "/residents/{resident_id}/vouchers",
    operation_id="issue_resident_vouchers",
    summary="Issue this month's vouchers to a resident",
    status_code=status.HTTP_201_CREATED,
    response_model=VouchersIssued,
)
async def issue_resident_vouchers(resident_id: UUID, work: WorkDep, once: OnceDep, body: VoucherIssue) -> Any:  # noqa: ARG001  an empty body, checked
    """What the nightly round would do, now. Whoever has this month's voucher gets no second one."""
    return await once(work, lambda: service.issue_vouchers(work, resident_id))
