"""What hangs on the tests' visits: a picture, an incident, an issue, a conflict, a correction, a press."""

from dataclasses import dataclass
from uuid import UUID

from services.core.crypto import Vault
from services.core.database import Work
from services.core.ids import new_id
from services.visits.acts.models import VisitAct
from services.visits.acts.states import ActStatus
from services.visits.corrections.models import CorrectionReason, VisitCorrection
from services.visits.corrections.states import CorrectionStatus
from services.visits.incidents.models import IncidentKind, IncidentSeverity, VisitIncident
from services.visits.incidents.states import IncidentStatus
from services.visits.models import Visit
from services.visits.proofs.models import ProofKind, VisitProof
from services.visits.proofs.service import PURPOSE
from services.visits.watch.models import IssueKind, VisitIssue
from services.visits.watch.states import IssueStatus

PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x00\x00\x00\x00:~\x9bU"
    b"\x00\x00\x00\nIDATx\x9cc`\x00\x00\x00\x02\x00\x01H\xaf\xa4q\x00\x00\x00\x00IEND\xaeB`\x82"
)
"""One grey pixel."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Keys of what was added."""

    proof_id: UUID
    incident_id: UUID
    issue_id: UUID
    conflict_id: UUID
    correction_id: UUID


def add_evidence(
    work: Work, vault: Vault, visit: Visit, requested_by: UUID, words: str, start_code: str
) -> Evidence:
    """One of each; ``words`` is health data, and the conflict is a check-in with the start code."""
    whose = {
        "visit_id": visit.id,
        "resident_id": visit.resident_id,
        "caregiver_id": visit.caregiver_id,
        "centre_id": visit.centre_id,
        "area_code": visit.area_code,
    }
    proof = VisitProof(
        id=new_id(),
        client_id=new_id(),
        kind=ProofKind.PHOTO,
        taken_at=work.now,
        media_type="image/png",
        size=len(PNG),
        sha256="0" * 64,
        received_at=work.now,
        **whose,
    )
    proof.sealed = vault.seal(PNG, f"{PURPOSE}:{proof.id}")
    incident = VisitIncident(
        kind=IncidentKind.FALL,
        severity=IncidentSeverity.MINOR,
        words=words,
        occurred_at=work.now,
        reported_at=work.now,
        status=IncidentStatus.REPORTED,
        **whose,
    )
    issue = VisitIssue(
        order_id=visit.order_id,
        kind=IssueKind.LEFT_EARLY,
        status=IssueStatus.OPEN,
        seen_at=work.now,
        **whose,
    )
    conflict = VisitAct(
        client_id=new_id(),
        device_id="phone",
        seq=1,
        kind="check_in",
        device_at=work.now,
        received_at=work.now,
        said={"start_code": start_code, "note": words},
        status=ActStatus.CONFLICT,
        code="visit_cancelled",
        **whose,
    )
    correction = VisitCorrection(
        order_id=visit.order_id,
        status=CorrectionStatus.REQUESTED,
        reason=CorrectionReason.OTHER,
        words=words,
        visit_version=visit.version,
        before={"care_ended_at": None, "tasks": [{"reason": words}]},
        wanted={"care_ended_at": work.now.isoformat()},
        requested_by=requested_by,
        requested_at=work.now,
        **whose,
    )
    work.session.add_all((proof, incident, issue, conflict, correction))
    return Evidence(proof.client_id, incident.id, issue.id, conflict.id, correction.id)
