"""Who read whose data (PIPL art 51 and 54; audit of views: who, whom, purpose, fields, time)."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from services.audit import repository
from services.audit.models import AccessLogPublic, AuditedReadPublic
from services.core.actor import Role
from services.core.database import Work
from services.core.ids import new_id


async def record_read(
    work: Work, resident_ids: Iterable[UUID], resource: str, fields: Sequence[str], purpose: str = "care"
) -> None:
    """Write down that the actor reads these residents' data, in the transaction that reads it.

    ``resource`` is what was opened (``resident``, ``alert``, ``vitals``), ``fields`` the names of what was
    shown, never values. A resident who reads about herself leaves no row; neither do system processes.
    """
    actor = work.actor
    if actor.is_system:
        return
    own = actor.person_id if actor.role is Role.RESIDENT else None
    read = sorted({resident_id for resident_id in resident_ids if resident_id != own})
    if read:
        ids = [new_id() for _ in read]
        await repository.insert_reads(work, ids, read, resource, list(fields), purpose)


async def list_reads_of_residents(
    work: Work, limit: int, cursor: UUID | None, resident_id: UUID | None = None
) -> list[AccessLogPublic]:
    """Newest first: who read the data of the residents within the actor's walls, or of one of them."""
    rows = await repository.page_of_reads(work, limit, cursor, resident_id, None)
    return [AccessLogPublic.model_validate(row, from_attributes=True) for row in rows]


async def list_reads(
    work: Work, limit: int, cursor: UUID | None, resident_id: UUID | None, account_id: UUID | None
) -> list[AuditedReadPublic]:
    """Newest first: every read in the actor's area, for those who supervise; no health data inside."""
    rows = await repository.page_of_reads(work, limit, cursor, resident_id, account_id)
    return [AuditedReadPublic.model_validate(row, from_attributes=True) for row in rows]
