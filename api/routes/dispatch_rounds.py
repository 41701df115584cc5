"""Automatic dispatch: rounds of offers, what was done and why, and the policies behind it."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, status

from api.deps import IfMatch, OnceDep, WorkDep
from api.pagination import Page, PageDep, next_cursor
from services.core.calendar import Day
from services.dispatch.overriding import OverriddenPublic, list_overridden
from services.dispatch.policies import service as policies
from services.dispatch.policies.models import (
    DispatchPolicies,
    DispatchPolicyPublic,
    DispatchPolicySave,
    NeighboursPublic,
    NeighboursSave,
)
from services.dispatch.waves import service as waves
from services.dispatch.waves.models import DispatchHistory, RoundPublic, WavesStart

router = APIRouter(tags=["dispatch"])


@router.post(
    "/orders/{order_id}/waves",
    operation_id="start_waves",
    summary="Let the system ask, wave after wave",
    status_code=status.HTTP_201_CREATED,
    response_model=RoundPublic,
)
async def start_waves(work: WorkDep, once: OnceDep, order_id: UUID, wish: WavesStart) -> Any:
    """By the waves of the centre's policy. Refusals: `order_not_open`, `round_running`."""
    return await once(work, lambda: waves.start_waves(work, order_id, wish))


@router.post("/orders/{order_id}/waves/stop", operation_id="stop_waves", summary="Take an order back in hand")
async def stop_waves(work: WorkDep, order_id: UUID) -> RoundPublic:
    """No further wave goes out, and the round's pending offers are withdrawn. Refusal: `no_round`."""
    return await waves.stop_waves(work, order_id)


@router.get(
    "/orders/{order_id}/dispatch",
    operation_id="get_dispatch_history",
    summary="What dispatch did with an order, and why",
)
async def get_dispatch_history(work: WorkDep, order_id: UUID) -> DispatchHistory:
    """Rounds and acts, oldest first, with scores and reasons; `role` is `system` for what nobody did by hand."""
    return await waves.dispatch_history(work, order_id)


@router.get(
    "/centres/{centre_id}/dispatch-policies",
    operation_id="get_dispatch_policies",
    summary="How automatic a centre's dispatch is",
)
async def get_dispatch_policies(work: WorkDep, centre_id: UUID) -> DispatchPolicies:
    """What is in force: for all categories, and for those with a policy of their own."""
    return await policies.policies_of(work, centre_id)


@router.get(
    "/centres/{centre_id}/dispatch-policies/versions",
    operation_id="list_dispatch_policy_versions",
    summary="Every version that a centre and its county have had",
)
async def list_dispatch_policy_versions(work: WorkDep, centre_id: UUID) -> DispatchPolicies:
    """Newest first, with who saved it and why."""
    return await policies.versions_of(work, centre_id)


@router.post(
    "/dispatch-policies",
    operation_id="save_dispatch_policy",
    summary="Lay down a policy for a centre, or for the county",
    status_code=status.HTTP_201_CREATED,
    response_model=DispatchPolicyPublic,
)
async def save_dispatch_policy(work: WorkDep, once: OnceDep, if_match: IfMatch, wish: DispatchPolicySave) -> Any:
    """A new version; earlier ones stay readable. Orders from now on follow it, running rounds keep theirs.

    `If-Match` is the version in force at that place for that category, 0 for none.
    """
    return await once(work, lambda: policies.save_policy(work, wish, if_match))


@router.get(
    "/centres/{centre_id}/neighbours", operation_id="get_neighbours", summary="Whom a centre turns to for help"
)
async def get_neighbours(work: WorkDep, centre_id: UUID) -> NeighboursPublic:
    """In order; the nearest centres of the county where nobody has named any."""
    return await policies.get_neighbours(work, centre_id)


@router.put("/centres/{centre_id}/neighbours", operation_id="set_neighbours", summary="Name a centre's neighbours")
async def set_neighbours(work: WorkDep, centre_id: UUID, wish: NeighboursSave) -> NeighboursPublic:
    """The first first; an empty list brings the nearest back. Refusal: `neighbour_invalid`."""
    return await policies.set_neighbours(work, centre_id, wish)


@router.get(
    "/dispatch/overrides",
    operation_id="list_assignment_overrides",
    summary="Assignments that passed a blocking reason",
)
async def list_assignment_overrides(
    work: WorkDep, page: PageDep, since: Day | None = None, until: Day | None = None
) -> Page[OverriddenPublic]:
    """Who passed what, for whom and why; without days, the last 31."""
    rows = await list_overridden(work, since, until, page.limit, page.cursor)
    return Page(items=rows, next_cursor=next_cursor([row.booking_id for row in rows], page))
