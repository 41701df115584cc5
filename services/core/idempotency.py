"""``Idempotency-Key``: the answer to a creating request is kept, in the transaction that created.

A repeat with the same key and body gets the first answer again; with another body it is refused.
"""

import hashlib
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlmodel import Field, SQLModel, select

from services.core.columns import UtcDateTime
from services.core.database import Work
from services.core.errors import DomainError


class IdempotencyRecord(SQLModel, table=True):
    """One creating request by one account. Kept for a day at least (``services.worker`` clears)."""

    __tablename__ = "idempotency_record"

    account_id: UUID = Field(primary_key=True)
    key: str = Field(primary_key=True)
    request_hash: str
    answer: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    created_at: datetime = Field(sa_type=UtcDateTime, index=True)


class IdempotencyKeyReused(DomainError):
    status = 422
    code = "idempotency_key_reused"
    title_zh = "同一个幂等键用在了不同的请求上"
    title_en = "This Idempotency-Key was used for another request"


def request_hash(operation: str, body: bytes) -> str:
    """What a request is recognised by."""
    return hashlib.sha256(operation.encode() + b"\n" + body).hexdigest()


async def claim(work: Work, key: str, fingerprint: str) -> dict[str, Any] | None:
    """Take the key for this transaction, or give the answer that it already has.

    A second request with the same key waits on the unique index until the first has committed, so two at
    once have one effect. Raises ``IdempotencyKeyReused`` for another body.
    """
    account_id = work.actor.account_id
    statement = (
        insert(IdempotencyRecord)
        .values(account_id=account_id, key=key, request_hash=fingerprint, created_at=work.now)
        .on_conflict_do_nothing()
    )
    taken = (await work.sql(statement)).rowcount == 1
    if taken:
        return None
    found = await work.session.exec(
        select(IdempotencyRecord).where(IdempotencyRecord.account_id == account_id, IdempotencyRecord.key == key)
    )
    record = found.one()
    if record.request_hash != fingerprint:
        raise IdempotencyKeyReused
    return record.answer


async def keep(work: Work, key: str, answer: dict[str, Any]) -> None:
    """Store the answer beside the effect."""
    record = await work.session.get_one(IdempotencyRecord, (work.actor.account_id, key))
    record.answer = answer
