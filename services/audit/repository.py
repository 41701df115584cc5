"""SQL of the access log."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import TEXT, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import col, select

from services.audit.models import AccessLog
from services.core.columns import UtcDateTime
from services.core.database import Work
from services.core.scope import within

# One statement for any number of residents. Each row takes its area from the resident, read under the
# reader's own scope: a read of somebody outside it cannot be written down as if it had been allowed.
_RECORD = text(
    """
    INSERT INTO access_log
        (id, at, resident_id, area_code, account_id, role, reader_name, resource, purpose, fields)
    SELECT given.id, :at, r.id, r.area_code, :account_id, :role, :reader_name, :resource, :purpose, :fields
    FROM unnest(:ids, :resident_ids) AS given(id, resident_id)
    JOIN resident r ON r.id = given.resident_id
    """
).bindparams(
    bindparam("at", type_=UtcDateTime()),
    bindparam("account_id", type_=Uuid()),
    bindparam("fields", type_=ARRAY(TEXT)),
    bindparam("ids", type_=ARRAY(Uuid())),
    bindparam("resident_ids", type_=ARRAY(Uuid())),
)


async def insert_reads(
    work: Work,
    ids: Sequence[UUID],
    resident_ids: Sequence[UUID],
    resource: str,
    fields: list[str],
    purpose: str,
) -> None:
    """One row a resident, with the keys that are given."""
    await work.sql(
        _RECORD,
        {
            "at": work.now,
            "account_id": work.actor.account_id,
            "role": str(work.actor.role),
            "reader_name": work.actor.display_name,
            "resource": resource,
            "purpose": purpose,
            "fields": fields,
            "ids": list(ids),
            "resident_ids": list(resident_ids),
        },
    )


async def page_of_reads(
    work: Work, limit: int, before: UUID | None, resident_id: UUID | None, account_id: UUID | None
) -> Sequence[AccessLog]:
    """The newest rows in the actor's scope, optionally of one resident or one reader."""
    query = select(AccessLog).where(*within(work.actor, AccessLog.area_code, AccessLog.resident_id))
    if resident_id is not None:
        query = query.where(AccessLog.resident_id == resident_id)
    if account_id is not None:
        query = query.where(AccessLog.account_id == account_id)
    if before is not None:
        query = query.where(col(AccessLog.id) < before)
    return (await work.session.exec(query.order_by(col(AccessLog.id).desc()).limit(limit))).all()
