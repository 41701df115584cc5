"""The acts' SQL."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from services.core.actor import Role
from services.core.database import Work
from services.core.errors import NotFound
from services.core.scope import within
from services.visits.acts.models import VisitAct
from services.visits.acts.states import ActStatus


async def known_acts(work: Work, caregiver_id: UUID, ids: Collection[UUID]) -> dict[UUID, VisitAct]:
    """Acts that have come in before, by the phone's own ids."""
    statement = (
        select(VisitAct)
        .where(VisitAct.caregiver_id == caregiver_id, col(VisitAct.client_id).in_(ids))
        .execution_options(populate_existing=True)
    )
    return {act.client_id: act for act in (await work.session.exec(statement)).all()}


async def add_act(work: Work, act: VisitAct) -> bool:
    """Store an act; ``False`` when its id stands already, whoever sent it first."""
    statement = (
        insert(VisitAct)
        .values(**act.model_dump())
        .on_conflict_do_nothing(constraint="visit_act_once")
        .returning(col(VisitAct.id))
    )
    return (await work.sql(statement)).one_or_none() is not None


async def numbers_of(work: Work, visit_id: UUID, device_id: str) -> dict[int, str]:
    """Kinds by number of what one phone has sent of one visit."""
    statement = select(VisitAct.seq, VisitAct.kind).where(
        VisitAct.visit_id == visit_id, VisitAct.device_id == device_id
    )
    return dict((await work.session.exec(statement)).all())


async def waiting_of(work: Work, visit_id: UUID) -> Sequence[VisitAct]:
    """What waits at a visit whose lock the caller holds."""
    statement = (
        select(VisitAct)
        .where(VisitAct.visit_id == visit_id, VisitAct.status == ActStatus.WAITING)
        .order_by(col(VisitAct.seq), col(VisitAct.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return (await work.session.exec(statement)).all()


async def overdue_visits(work: Work, before: datetime, limit: int) -> Sequence[UUID]:
    """Visits at which something has waited since before then."""
    statement = (
        select(VisitAct.visit_id)
        .where(VisitAct.status == ActStatus.WAITING, col(VisitAct.received_at) < before)
        .distinct()
        .limit(limit)
    )
    return (await work.session.exec(statement)).all()


async def conflicts_page(
    work: Work, limit: int, cursor: UUID | None, statuses: Sequence[ActStatus], visit_id: UUID | None
) -> Sequence[VisitAct]:
    """Conflicts in reach, newest first."""
    statement = (
        select(VisitAct)
        .where(
            *within(work.actor, VisitAct.area_code, VisitAct.resident_id),
            col(VisitAct.status).in_(statuses),
        )
        .order_by(col(VisitAct.id).desc())
        .limit(limit)
    )
    if work.actor.role is Role.CAREGIVER:
        statement = statement.where(VisitAct.caregiver_id == work.actor.person_id)
    elif work.actor.centre_id is not None:
        statement = statement.where(VisitAct.centre_id == work.actor.centre_id)
    if visit_id is not None:
        statement = statement.where(VisitAct.visit_id == visit_id)
    if cursor is not None:
        statement = statement.where(col(VisitAct.id) < cursor)
    return (await work.session.exec(statement)).all()


async def lock_conflict(work: Work, act_id: UUID) -> VisitAct:
    """One act in reach that is, or was, a conflict, locked. Raises ``NotFound``."""
    statement = (
        select(VisitAct)
        .where(
            VisitAct.id == act_id,
            col(VisitAct.status).in_([ActStatus.CONFLICT, ActStatus.SETTLED]),
            *within(work.actor, VisitAct.area_code, VisitAct.resident_id),
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    act = (await work.session.exec(statement)).one_or_none()
    if act is None:
        raise NotFound
    return act
