"""The proofs' SQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlmodel import col, select

from services.core.columns import UtcDateTime
from services.core.database import Work
from services.core.errors import NotFound
from services.core.scope import within
from services.visits.proofs.models import VisitProof

_FORGET = text(
    """
    UPDATE visit_proof SET sealed = NULL, deleted_at = :now, version = version + 1 WHERE id IN (
        SELECT id FROM visit_proof WHERE received_at < :before AND sealed IS NOT NULL
        ORDER BY received_at LIMIT :batch FOR UPDATE SKIP LOCKED)
    RETURNING received_at
    """
).bindparams(bindparam("now", type_=UtcDateTime()), bindparam("before", type_=UtcDateTime()))


async def find_proof(work: Work, caregiver_id: UUID, client_id: UUID, *, lock: bool = False) -> VisitProof | None:
    """A picture by the id that its phone has made."""
    statement: Any = select(VisitProof).where(
        VisitProof.caregiver_id == caregiver_id, VisitProof.client_id == client_id
    )
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    proof: VisitProof | None = (await work.session.exec(statement)).one_or_none()
    return proof


async def proofs_of(work: Work, visit_id: UUID) -> Sequence[VisitProof]:
    """The pictures of a visit in reach, oldest first."""
    statement = (
        select(VisitProof)
        .where(VisitProof.visit_id == visit_id, *within(work.actor, VisitProof.area_code, VisitProof.resident_id))
        .order_by(col(VisitProof.taken_at), col(VisitProof.id))
    )
    return (await work.session.exec(statement)).all()


async def proof_of(work: Work, visit_id: UUID, client_id: UUID) -> VisitProof:
    """One picture of a visit in reach. Raises ``NotFound``."""
    for proof in await proofs_of(work, visit_id):
        if proof.client_id == client_id:
            return proof
    raise NotFound


async def forget(work: Work, before: datetime, batch: int) -> list[datetime]:
    """Take the content of old pictures away; gives when those had come in, oldest first."""
    rows = await work.sql(_FORGET, {"now": work.now, "before": before, "batch": batch})
    return sorted(rows.scalars().all())
