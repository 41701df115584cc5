"""All that hangs on a visit, in one answer, for those who check it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from pydantic import Field as Described

from services.audit.service import record_read
from services.core.database import Work
from services.visits.acts.conflicts import list_conflicts
from services.visits.acts.models import ConflictPublic
from services.visits.acts.states import ActStatus
from services.visits.corrections.models import CorrectionPublic
from services.visits.corrections.service import list_corrections
from services.visits.incidents.models import IncidentPublic
from services.visits.incidents.service import list_incidents
from services.visits.models import VisitPublic
from services.visits.proofs.models import ProofPublic
from services.visits.proofs.service import list_proofs
from services.visits.readings.repository import readings_of
from services.visits.repository import supplies_of_visit, visit_row
from services.visits.service import shown
from services.visits.supplies.models import SupplyPublic
from services.visits.watch.models import IssuePublic
from services.visits.watch.service import list_issues

_MOST = 100


class ReadingRecord(BaseModel):
    """One measurement with where it comes from. Its ``id`` stands as ``terminal_id`` in the vital record."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    kind: str
    value: float | None
    systolic: int | None
    diastolic: int | None
    measured_at: datetime
    received_at: datetime
    caregiver_id: UUID
    taken_by: UUID | None
    voided_at: datetime | None
    correction_id: UUID | None


class VisitRecord(BaseModel):
    """A visit with its evidence and everything that hangs on it."""

    visit: VisitPublic
    check_in_evidence: dict[str, Any] | None = Described(description="What the phone said; never the start code.")
    check_out_evidence: dict[str, Any] | None
    readings: list[ReadingRecord]
    supplies: list[SupplyPublic]
    proofs: list[ProofPublic]
    incidents: list[IncidentPublic]
    issues: list[IssuePublic]
    corrections: list[CorrectionPublic]
    conflicts: list[ConflictPublic]


async def read_record(work: Work, visit_id: UUID) -> VisitRecord:
    """A visit in reach with all of it. Raises ``NotFound``; leaves rows in the access log."""
    visit = (await visit_row(work, visit_id)).visit
    await record_read(work, [visit.resident_id], "visit_record", ["evidence", "readings", "supplies"])
    both = [ActStatus.CONFLICT, ActStatus.SETTLED]
    return VisitRecord(
        visit=await shown(work, visit_id),
        check_in_evidence=visit.check_in_evidence,
        check_out_evidence=visit.check_out_evidence,
        readings=[ReadingRecord.model_validate(row) for row in await readings_of(work, visit_id)],
        supplies=[SupplyPublic.model_validate(row) for row in await supplies_of_visit(work, visit_id)],
        proofs=await list_proofs(work, visit_id),
        incidents=await list_incidents(work, _MOST, None, [], visit_id),
        issues=await list_issues(work, _MOST, None, [], visit_id),
        corrections=await list_corrections(work, _MOST, None, [], visit_id),
        conflicts=await list_conflicts(work, _MOST, None, both, visit_id),
    )
