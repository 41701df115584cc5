"""Escalation policies: who is paged, when, through what."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from api.deps import HouseDep, IfMatch, OnceDep, WorkDep
from api.pagination import Page, PageDep, next_cursor
from services.alerts import policies
from services.alerts.policy_models import NewPolicy, PolicyChange, PolicyPreview, PolicyPublic
from services.alerts.preview import preview
from services.centres.service import centre_in_reach
from services.core.actor import SYSTEM
from services.core.calendar import Moment

router = APIRouter(tags=["escalation"])


@router.get("/escalation-policies", operation_id="list_escalation_policies", summary="Policies in force")
async def list_policies(work: WorkDep, page: PageDep) -> Page[PolicyPublic]:
    """One's own centre's and the county's. Where none fits, the default policy holds."""
    items, keys = await policies.list_policies(work, page.limit, page.cursor)
    return Page(items=items, next_cursor=next_cursor(keys, page))


@router.post(
    "/escalation-policies",
    operation_id="add_escalation_policy",
    summary="Lay down a new policy",
    status_code=201,
)
async def add_policy(body: NewPolicy, work: WorkDep, once: OnceDep) -> PolicyPublic:
    """Alerts from now on get it where it is the nearest and most specific; running ones keep what they have.

    `warnings` names what is weak about it; it is in force all the same.
    """
    answer: PolicyPublic = await once(work, lambda: policies.add_policy(work, body))
    return answer


@router.get(
    "/escalation-policies/{policy_id}", operation_id="get_escalation_policy", summary="The newest version of one"
)
async def get_policy(policy_id: UUID, work: WorkDep) -> PolicyPublic:
    """`ended_at` is set when it is no longer in force."""
    return await policies.read_policy(work, policy_id)


@router.get(
    "/escalation-policies/{policy_id}/versions",
    operation_id="list_escalation_policy_versions",
    summary="Every version of one, newest first",
)
async def list_versions(policy_id: UUID, work: WorkDep) -> list[PolicyPublic]:
    """Who saved what, and until when it was in force."""
    return await policies.policy_history(work, policy_id)


@router.put(
    "/escalation-policies/{policy_id}",
    operation_id="change_escalation_policy",
    summary="Save its next version",
)
async def change_policy(policy_id: UUID, body: PolicyChange, work: WorkDep, if_match: IfMatch) -> PolicyPublic:
    """Refused with `policy_invalid` and the list of problems, each with a stable code and its place."""
    return await policies.change_policy(work, policy_id, body, if_match)


@router.post(
    "/escalation-policies/{policy_id}/end",
    operation_id="end_escalation_policy",
    summary="Take it out of force",
)
async def end_policy(policy_id: UUID, work: WorkDep, if_match: IfMatch) -> PolicyPublic:
    """What lies below it holds again: the county's, then the default."""
    return await policies.end_policy(work, policy_id, if_match)


@router.get(
    "/centres/{centre_id}/escalation-preview",
    operation_id="preview_escalation",
    summary="Who would be paged now",
)
async def preview_escalation(
    centre_id: UUID,
    work: WorkDep,
    house: HouseDep,
    severity: Annotated[int, Query(ge=1, le=4, description="4 is life safety.")] = 4,
    at: Annotated[Moment | None, Query(description="Another moment than now.")] = None,
) -> PolicyPreview:
    """Names the people of the desk, at other centres too; the resident's own people depend on the resident."""
    await centre_in_reach(work, centre_id)
    async with house.database.unit_of_work(SYSTEM) as whole:
        return await preview(whole, centre_id, severity, at or whole.now)
