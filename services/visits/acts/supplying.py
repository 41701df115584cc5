"""What was used at a visit."""

from datetime import datetime
from uuid import UUID

from services.core.database import Work
from services.visits.models import Visit
from services.visits.supplies.models import Supply, VisitSupply


def record_supply(
    work: Work, visit: Visit, used: Supply, used_at: datetime, correction_id: UUID | None = None
) -> VisitSupply:
    """Write down one thing used at a locked visit."""
    row = VisitSupply(
        visit_id=visit.id,
        order_id=visit.order_id,
        resident_id=visit.resident_id,
        caregiver_id=visit.caregiver_id,
        centre_id=visit.centre_id,
        area_code=visit.area_code,
        used_at=used_at,
        recorded_at=work.now,
        correction_id=correction_id,
        **used.model_dump(include={"code", "name", "kind", "quantity", "lot", "unit_fen"}),
    )
    work.session.add(row)
    return row


def void_supply(work: Work, row: VisitSupply, correction_id: UUID) -> None:
    """Take a wrong one off the account; it stays on record."""
    row.voided_at, row.voided_by_correction = work.now, correction_id
