"""SQL of swaps."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import Uuid, case, literal, update
from sqlalchemy.orm import aliased
from sqlmodel import col, or_, select
from sqlmodel.sql.expression import SelectOfScalar

from services.caregivers.models import Caregiver, Shift, ShiftSwap
from services.caregivers.states import ShiftStatus, ShiftSwapStatus
from services.core.actor import Role
from services.core.database import Work
from services.core.scope import within

OPEN = (ShiftSwapStatus.REQUESTED, ShiftSwapStatus.AGREED)


def _reach(work: Work) -> SelectOfScalar[ShiftSwap]:
    """A caregiver reaches those that she has a side in."""
    query = select(ShiftSwap).where(*within(work.actor, ShiftSwap.area_code))
    if work.actor.role is Role.CAREGIVER:
        mine = work.actor.person_id
        query = query.where(or_(ShiftSwap.from_caregiver_id == mine, ShiftSwap.to_caregiver_id == mine))
    return query


async def find_swap(work: Work, swap_id: UUID, *, lock: bool = False) -> ShiftSwap | None:
    """One swap in reach."""
    query = _reach(work).where(ShiftSwap.id == swap_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return (await work.session.exec(query)).one_or_none()


async def page_of_swaps(
    work: Work, limit: int, before: UUID | None, centre_id: UUID | None, statuses: Sequence[ShiftSwapStatus]
) -> Sequence[ShiftSwap]:
    """Swaps in reach, newest first."""
    query = _reach(work)
    if centre_id is not None:
        query = query.where(ShiftSwap.centre_id == centre_id)
    if statuses:
        query = query.where(col(ShiftSwap.status).in_(statuses))
    if before is not None:
        query = query.where(col(ShiftSwap.id) < before)
    return (await work.session.exec(query.order_by(col(ShiftSwap.id).desc()).limit(limit))).all()


async def caregivers_by_id(work: Work, ids: Collection[UUID]) -> dict[UUID, Caregiver]:
    """Some caregivers in reach."""
    query = select(Caregiver).where(*within(work.actor, Caregiver.area_code), col(Caregiver.id).in_(ids))
    rows = (await work.session.exec(query.execution_options(populate_existing=True))).all()
    return {row.id: row for row in rows}


async def shifts_by_id(work: Work, ids: Collection[UUID], *, lock: bool = False) -> dict[UUID, Shift]:
    """Some shifts in reach, read anew, by id; locked where asked for."""
    query = (
        select(Shift).where(*within(work.actor, Shift.area_code), col(Shift.id).in_(ids)).order_by(col(Shift.id))
    )
    if lock:
        query = query.with_for_update()
    rows = (await work.session.exec(query.execution_options(populate_existing=True))).all()
    return {row.id: row for row in rows}


async def is_under_way(work: Work, shift_ids: Collection[UUID]) -> bool:
    """Whether an open swap gives or returns one of these shifts."""
    query = select(ShiftSwap.id).where(
        col(ShiftSwap.status).in_(OPEN),
        or_(col(ShiftSwap.shift_id).in_(shift_ids), col(ShiftSwap.return_shift_id).in_(shift_ids)),
    )
    return (await work.session.exec(query.limit(1))).first() is not None


async def exchange(work: Work, owners: dict[UUID, UUID]) -> None:
    """Give each shift its new owner, all in one statement: the wall against overlaps looks at its end."""
    whose = case(*((col(Shift.id) == shift_id, literal(owner, Uuid())) for shift_id, owner in owners.items()))
    statement = (
        update(Shift)
        .where(col(Shift.id).in_(owners))
        .values(caregiver_id=whose, version=col(Shift.version) + 1)
        .execution_options(synchronize_session=False)
    )
    await work.sql(statement)


async def begun_swaps(work: Work, limit: int) -> Sequence[ShiftSwap]:
    """Open swaps of which a shift has begun or is gone, locked; what is busy waits for the next round."""
    back = aliased(Shift)
    over = or_(
        col(Shift.starts_at) <= work.now,
        col(Shift.status) != ShiftStatus.PUBLISHED,
        col(back.starts_at) <= work.now,
        col(back.status) == ShiftStatus.CANCELLED,
    )
    query = (
        select(ShiftSwap)
        .join(Shift, col(Shift.id) == col(ShiftSwap.shift_id))
        .outerjoin(back, col(back.id) == col(ShiftSwap.return_shift_id))
        .where(col(ShiftSwap.status).in_(OPEN), over)
        .limit(limit)
        .with_for_update(skip_locked=True, of=ShiftSwap)
    )
    return (await work.session.exec(query)).all()
