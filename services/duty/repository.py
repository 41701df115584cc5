"""SQL of duty."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlmodel import col, select

from services.centres.models import Centre
from services.core.actor import Role
from services.core.areas import county_of
from services.core.database import Work
from services.core.scope import within
from services.duty.models import DutyOverride, DutyRota, DutySwap
from services.duty.states import SwapStatus
from services.identity.models import Account


async def staff_of(work: Work, area_code: str, centre_id: UUID | None, role: Role) -> Sequence[UUID]:
    """Every account in use that has the role at a centre, or in the county for its own people.

    Who is of no centre (a clinician) belongs to the centre of the town.
    """
    query = select(Account.id).where(Account.role == role, col(Account.disabled_at).is_(None))
    if role is Role.COUNTY_OFFICER:
        query = query.where(Account.area_code == county_of(area_code))
    else:
        of_town = col(Account.centre_id).is_(None) & col(Account.area_code).startswith(area_code)
        query = query.where((col(Account.centre_id) == centre_id) | of_town)
    return (await work.session.exec(query.order_by(col(Account.id)))).all()


async def names_of(work: Work, account_ids: Collection[UUID]) -> dict[UUID, str]:
    """Display names, as far as the actor may see them."""
    query = select(Account.id, Account.display_name).where(
        *within(work.actor, Account.area_code), col(Account.id).in_(account_ids)
    )
    return dict((await work.session.exec(query)).all())


async def rotas_of_place(work: Work, centre: Centre, role: Role) -> Sequence[DutyRota]:
    """Every rota that a centre keeps for a role, or the county for its own."""
    query = select(DutyRota).where(DutyRota.role == role)
    if role is Role.COUNTY_OFFICER:
        query = query.where(col(DutyRota.centre_id).is_(None), DutyRota.area_code == county_of(centre.area_code))
    else:
        query = query.where(DutyRota.centre_id == centre.id)
    return (await work.session.exec(query)).all()


async def overrides_between(
    work: Work, rota_ids: Collection[UUID], begin: datetime, end: datetime
) -> Sequence[DutyOverride]:
    """Replacements in force that touch a time, in the order in which they were made."""
    query = (
        select(DutyOverride)
        .where(
            col(DutyOverride.rota_id).in_(rota_ids),
            col(DutyOverride.cancelled_at).is_(None),
            col(DutyOverride.starts_at) < end,
            col(DutyOverride.ends_at) > begin,
        )
        .order_by(col(DutyOverride.created_at), col(DutyOverride.id))
    )
    return (await work.session.exec(query)).all()


async def list_rotas(work: Work, centre_id: UUID | None, limit: int, before: UUID | None) -> Sequence[DutyRota]:
    """Rotas in the actor's area, newest first."""
    conditions: list[ColumnElement[bool]] = within(work.actor, DutyRota.area_code)
    if centre_id is not None:
        conditions.append(col(DutyRota.centre_id) == centre_id)
    if before is not None:
        conditions.append(col(DutyRota.id) < before)
    query = select(DutyRota).where(*conditions).order_by(col(DutyRota.id).desc()).limit(limit)
    return (await work.session.exec(query)).all()


async def find_rota(work: Work, rota_id: UUID, *, lock: bool = False) -> DutyRota | None:
    """One rota in the actor's area."""
    query = select(DutyRota).where(*within(work.actor, DutyRota.area_code), DutyRota.id == rota_id)
    return (await work.session.exec(query.with_for_update() if lock else query)).one_or_none()


async def list_overrides(work: Work, rota_id: UUID, limit: int, before: UUID | None) -> Sequence[DutyOverride]:
    """Replacements of a rota, newest first, cancelled ones too."""
    query = select(DutyOverride).where(
        *within(work.actor, DutyOverride.area_code), DutyOverride.rota_id == rota_id
    )
    if before is not None:
        query = query.where(col(DutyOverride.id) < before)
    return (await work.session.exec(query.order_by(col(DutyOverride.id).desc()).limit(limit))).all()


async def lock_override(work: Work, override_id: UUID) -> DutyOverride | None:
    """One replacement in the actor's area, locked."""
    query = select(DutyOverride).where(*within(work.actor, DutyOverride.area_code), DutyOverride.id == override_id)
    return (await work.session.exec(query.with_for_update())).one_or_none()


async def list_swaps(work: Work, limit: int, before: UUID | None) -> Sequence[DutySwap]:
    """Swaps in the actor's area, newest first."""
    query = select(DutySwap).where(*within(work.actor, DutySwap.area_code))
    if before is not None:
        query = query.where(col(DutySwap.id) < before)
    return (await work.session.exec(query.order_by(col(DutySwap.id).desc()).limit(limit))).all()


async def lock_swap(work: Work, swap_id: UUID) -> DutySwap | None:
    """One swap in the actor's area, locked."""
    query = select(DutySwap).where(*within(work.actor, DutySwap.area_code), DutySwap.id == swap_id)
    return (await work.session.exec(query.with_for_update())).one_or_none()


async def begun_requests(work: Work, limit: int) -> Sequence[DutySwap]:
    """Swaps that nobody answered before their time came, locked."""
    first = col(DutySwap.starts_at)
    query = (
        select(DutySwap)
        .where(DutySwap.status == SwapStatus.REQUESTED, first <= work.now)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return (await work.session.exec(query)).all()
