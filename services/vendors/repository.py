"""SQL about vendors' keys and callbacks. Only the system reads here: no person has a right to these tables."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from services.core.database import Work
from services.vendors.models import VendorCallback, VendorKey

_OF_SERIAL = text(
    "SELECT serial, id FROM terminal WHERE serial = ANY (CAST(:serials AS text[]))"
    " AND starts_with(area_code, :area)"
)
_FORGET = text("DELETE FROM vendor_callback WHERE received_at < :before")


async def find_key(work: Work, key_id: UUID) -> VendorKey | None:
    """One key, enabled or not."""
    return await work.session.get(VendorKey, key_id)


async def list_keys(work: Work) -> Sequence[VendorKey]:
    """Every key, oldest first."""
    return (await work.session.exec(select(VendorKey).order_by(col(VendorKey.id)))).all()


async def terminals_of(work: Work, area_code: str, serials: Collection[str]) -> dict[str, UUID]:
    """The terminals of an area by their serial numbers."""
    rows = await work.sql(_OF_SERIAL, {"serials": list(serials), "area": area_code})
    return {row[0]: row[1] for row in rows}


async def answered(work: Work, key_id: UUID, message_id: str, body_sha256: str) -> list[dict[str, Any]] | None:
    """What this very callback was answered before."""
    found = await work.session.get(VendorCallback, (key_id, message_id, body_sha256))
    return None if found is None else found.answer


async def keep_answer(work: Work, callback: VendorCallback) -> None:
    """Store an answer; of two at once the first stays."""
    await work.sql(insert(VendorCallback).values(callback.model_dump()).on_conflict_do_nothing())


async def forget_callbacks(work: Work, before: datetime) -> None:
    """Callbacks that can no longer be repeated."""
    await work.sql(_FORGET, {"before": before})
