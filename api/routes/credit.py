"""Credit of caregivers and institutions."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, status

from api.deps import OnceDep, WorkDep
from api.pagination import Page, PageDep, next_cursor
from services.core.calendar import Day
from services.credit import service
from services.credit.models import CreditPublic, RuleSetCreate, RuleSetPublic, Subject

router = APIRouter(tags=["credit"])


@router.get("/credit/rules", operation_id="list_credit_rules", summary="The rules, in every version")
async def list_credit_rules(work: WorkDep) -> Page[RuleSetPublic]:
    """Newest first, one page; the last one is the project's own proposal. Everybody may read them."""
    return Page(items=await service.published_rules(work))


@router.post(
    "/credit/rules",
    operation_id="publish_credit_rules",
    summary="Publish new rules",
    status_code=status.HTTP_201_CREATED,
    response_model=RuleSetPublic,
)
async def publish_credit_rules(work: WorkDep, once: OnceDep, said: RuleSetCreate) -> Any:
    """From a day to come; scores that stand keep the rules they were made by."""
    return await once(work, lambda: service.publish_rules(work, said))


@router.get("/credit/scores", operation_id="list_credit_scores", summary="Scores by month")
async def list_credit_scores(
    work: WorkDep,
    page: PageDep,
    subject: Subject | None = None,
    subject_id: UUID | None = None,
    month: Annotated[Day | None, Query(description="The first day of the month.")] = None,
) -> Page[CreditPublic]:
    """With every part's numerator and denominator, so that anybody can recompute them."""
    first: date | None = None if month is None else month.replace(day=1)
    rows = await service.list_scores(work, page.limit, page.cursor, subject, subject_id, first)
    return Page(items=rows, next_cursor=next_cursor([row.id for row in rows], page))


@router.get("/me/credit", operation_id="list_my_credit", summary="My own scores")
async def list_my_credit(work: WorkDep, page: PageDep) -> Page[CreditPublic]:
    """For caregivers, newest month first."""
    rows = await service.my_scores(work, page.limit, page.cursor)
    return Page(items=rows, next_cursor=next_cursor([row.id for row in rows], page))
