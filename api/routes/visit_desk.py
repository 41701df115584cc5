"""What the centre sees to: incidents, visits that go wrong, conflicts of offline work, corrections."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from api.deps import IfMatch, OnceDep, WorkDep
from api.pagination import Page, PageDep, next_cursor
from services.visits.acts import conflicts, reporting
from services.visits.acts.models import ConflictPublic, SettleConflict
from services.visits.acts.states import ActStatus
from services.visits.corrections import service as corrections
from services.visits.corrections.models import CorrectionDecision, CorrectionPublic, CorrectionRequest
from services.visits.corrections.states import CorrectionStatus
from services.visits.incidents import service as incidents
from services.visits.incidents.models import IncidentClose, IncidentPublic, IncidentReport
from services.visits.incidents.states import IncidentStatus
from services.visits.watch import service as watch
from services.visits.watch.models import ClearIssue, IssuePublic
from services.visits.watch.states import IssueStatus

router = APIRouter(tags=["visits"])


@router.post("/visits/{visit_id}/incidents", operation_id="report_incident", summary="Report an incident")
async def report_incident(work: WorkDep, once: OnceDep, visit_id: UUID, said: IncidentReport) -> IncidentPublic:
    """Reaches the centre at once; a severe one its managers as well."""
    kept = await once(work, lambda: reporting.report_live(work, visit_id, said))
    return IncidentPublic.model_validate(kept)


@router.get("/visit-incidents", operation_id="list_incidents", summary="List incidents")
async def list_incidents(
    work: WorkDep,
    page: PageDep,
    statuses: Annotated[list[IncidentStatus], Query(alias="status", max_length=3)] = [],  # noqa: B006  never changed
    visit_id: UUID | None = None,
) -> Page[IncidentPublic]:
    """Newest first; a caregiver's own. Leaves rows in the access log."""
    rows = await incidents.list_incidents(work, page.limit, page.cursor, statuses, visit_id)
    return Page(items=rows, next_cursor=next_cursor([row.id for row in rows], page))


@router.post("/visit-incidents/{incident_id}/take", operation_id="take_incident", summary="See to an incident")
async def take_incident(work: WorkDep, if_match: IfMatch, incident_id: UUID) -> IncidentPublic:
    """Somebody of the centre has it now. A repeat changes nothing."""
    return await incidents.take(work, incident_id, if_match)


@router.post("/visit-incidents/{incident_id}/close", operation_id="close_incident", summary="Close an incident")
async def close_incident(
    work: WorkDep, if_match: IfMatch, incident_id: UUID, said: IncidentClose
) -> IncidentPublic:
    """With what came of it. A repeat changes nothing."""
    return await incidents.close(work, incident_id, said, if_match)


@router.get("/visit-issues", operation_id="list_visit_issues", summary="List visits that go wrong")
async def list_issues(
    work: WorkDep,
    page: PageDep,
    statuses: Annotated[list[IssueStatus], Query(alias="status", max_length=2)] = [IssueStatus.OPEN],  # noqa: B006  never changed
    visit_id: UUID | None = None,
) -> Page[IssuePublic]:
    """Late, missed, too long, left early, impossible way; newest first. Leaves rows in the access log."""
    rows = await watch.list_issues(work, page.limit, page.cursor, statuses, visit_id)
    return Page(items=rows, next_cursor=next_cursor([row.id for row in rows], page))


@router.post("/visit-issues/{issue_id}/clear", operation_id="clear_visit_issue", summary="Deal with an issue")
async def clear_issue(work: WorkDep, if_match: IfMatch, issue_id: UUID, said: ClearIssue) -> IssuePublic:
    """Somebody has seen to it, and says how. A repeat changes nothing."""
    return await watch.clear_issue(work, issue_id, said.note, if_match)


@router.get("/visit-conflicts", operation_id="list_visit_conflicts", summary="List conflicts of offline work")
async def list_conflicts(
    work: WorkDep,
    page: PageDep,
    statuses: Annotated[list[ActStatus], Query(alias="status", max_length=4)] = [ActStatus.CONFLICT],  # noqa: B006  never changed
    visit_id: UUID | None = None,
) -> Page[ConflictPublic]:
    """Acts that did not fit, word for word; newest first. Leaves rows in the access log."""
    rows = await conflicts.list_conflicts(work, page.limit, page.cursor, statuses, visit_id)
    return Page(items=rows, next_cursor=next_cursor([row.id for row in rows], page))


@router.post(
    "/visit-conflicts/{conflict_id}/settle", operation_id="settle_visit_conflict", summary="Deal with a conflict"
)
async def settle_conflict(
    work: WorkDep, if_match: IfMatch, conflict_id: UUID, said: SettleConflict
) -> ConflictPublic:
    """Somebody has dealt with it, and says how. It stays on record."""
    return await conflicts.settle_conflict(work, conflict_id, said, if_match)


@router.post("/visits/{visit_id}/corrections", operation_id="request_correction", summary="Ask for a correction")
async def request_correction(
    work: WorkDep, once: OnceDep, visit_id: UUID, said: CorrectionRequest
) -> CorrectionPublic:
    """Of times, tasks, supplies or readings of a visit that is over; another person decides."""
    kept = await once(work, lambda: corrections.request(work, visit_id, said))
    return CorrectionPublic.model_validate(kept)


@router.get("/visit-corrections", operation_id="list_corrections", summary="List corrections")
async def list_corrections(
    work: WorkDep,
    page: PageDep,
    statuses: Annotated[list[CorrectionStatus], Query(alias="status", max_length=3)] = [],  # noqa: B006  never changed
    visit_id: UUID | None = None,
) -> Page[CorrectionPublic]:
    """With both values; newest first. Leaves rows in the access log."""
    rows = await corrections.list_corrections(work, page.limit, page.cursor, statuses, visit_id)
    return Page(items=rows, next_cursor=next_cursor([row.id for row in rows], page))


@router.post(
    "/visit-corrections/{correction_id}/approve",
    operation_id="approve_correction",
    summary="Agree to a correction",
)
async def approve_correction(
    work: WorkDep, if_match: IfMatch, correction_id: UUID, said: CorrectionDecision
) -> CorrectionPublic:
    """Never one's own. The bill hears of it."""
    return await corrections.approve(work, correction_id, said, if_match)


@router.post(
    "/visit-corrections/{correction_id}/reject", operation_id="reject_correction", summary="Refuse a correction"
)
async def reject_correction(
    work: WorkDep, if_match: IfMatch, correction_id: UUID, said: CorrectionDecision
) -> CorrectionPublic:
    """Never one's own. The visit stays as it is."""
    return await corrections.reject(work, correction_id, said, if_match)
