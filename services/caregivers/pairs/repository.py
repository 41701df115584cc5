"""SQL of pairs that are kept apart."""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import col, select

from services.caregivers.models import BlockedPair
from services.core.database import Work
from services.core.scope import within


async def find_pair(work: Work, pair_id: UUID, *, lock: bool = False) -> BlockedPair | None:
    """One pair in reach."""
    query = select(BlockedPair).where(
        *within(work.actor, BlockedPair.area_code, BlockedPair.resident_id), BlockedPair.id == pair_id
    )
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return (await work.session.exec(query)).one_or_none()


async def open_pair(work: Work, resident_id: UUID, caregiver_id: UUID) -> BlockedPair | None:
    """The pair of two people that nobody has lifted; the caregiver is locked."""
    query = select(BlockedPair).where(
        BlockedPair.resident_id == resident_id,
        BlockedPair.caregiver_id == caregiver_id,
        col(BlockedPair.lifted_at).is_(None),
    )
    return (await work.session.exec(query.with_for_update())).one_or_none()


async def page_of_pairs(
    work: Work, limit: int, before: UUID | None, resident_id: UUID | None, caregiver_id: UUID | None
) -> Sequence[BlockedPair]:
    """Pairs in reach, newest first, lifted ones too."""
    query = select(BlockedPair).where(*within(work.actor, BlockedPair.area_code, BlockedPair.resident_id))
    if resident_id is not None:
        query = query.where(BlockedPair.resident_id == resident_id)
    if caregiver_id is not None:
        query = query.where(BlockedPair.caregiver_id == caregiver_id)
    if before is not None:
        query = query.where(col(BlockedPair.id) < before)
    return (await work.session.exec(query.order_by(col(BlockedPair.id).desc()).limit(limit))).all()
