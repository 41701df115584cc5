"""The visits' SQL: a caregiver sees her own, staff those of their area."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlmodel import col, select

from services.caregivers.models import Caregiver
from services.core.actor import Role
from services.core.database import Work
from services.core.errors import NotFound
from services.core.scope import within
from services.orders.models import Order
from services.residents.models import Resident
from services.visits.models import Visit
from services.visits.states import VisitStatus
from services.visits.supplies.models import VisitSupply


class VisitRow(NamedTuple):
    """A visit with what its readers need beside it."""

    visit: Visit
    order: Order
    resident_name: str
    caregiver_name: str


def _reach(work: Work) -> list[ColumnElement[bool]]:
    conditions = within(work.actor, Visit.area_code, Visit.resident_id)
    if work.actor.role is Role.CAREGIVER:
        conditions.append(col(Visit.caregiver_id) == work.actor.person_id)
    return conditions


def _with_names(work: Work) -> Any:
    return (
        select(Visit, Order, Resident.name, Caregiver.name)
        .join(Order, col(Order.id) == col(Visit.order_id))
        .join(Resident, col(Resident.id) == col(Visit.resident_id))
        .join(Caregiver, col(Caregiver.id) == col(Visit.caregiver_id))
        .where(*_reach(work))
    )


async def visit_row(work: Work, visit_id: UUID) -> VisitRow:
    """A visit in reach; raises ``NotFound``."""
    found = (await work.session.exec(_with_names(work).where(Visit.id == visit_id))).one_or_none()
    if found is None:
        raise NotFound
    return VisitRow(*found)


async def lock_visit(work: Work, visit_id: UUID) -> Visit:
    """A visit in reach, locked and read anew. The order's lock comes first."""
    statement = (
        select(Visit)
        .where(Visit.id == visit_id, *_reach(work))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    visit = (await work.session.exec(statement)).one_or_none()
    if visit is None:
        raise NotFound
    return visit


async def order_of(work: Work, visit_id: UUID) -> UUID:
    """The order of a visit in reach; raises ``NotFound``."""
    statement = select(Visit.order_id).where(Visit.id == visit_id, *_reach(work))
    order_id = (await work.session.exec(statement)).one_or_none()
    if order_id is None:
        raise NotFound
    return order_id


async def visits_of_order(work: Work, order_id: UUID) -> Sequence[Visit]:
    """All visits of an order that the caller has locked; colleagues' visits too."""
    statement = (
        select(Visit)
        .where(Visit.order_id == order_id, *within(work.actor, Visit.area_code, Visit.resident_id))
        .order_by(col(Visit.id))
        .execution_options(populate_existing=True)
    )
    return (await work.session.exec(statement)).all()


async def visits_page(
    work: Work,
    limit: int,
    cursor: UUID | None,
    day: tuple[datetime, datetime] | None,
    statuses: list[VisitStatus],
    caregiver_id: UUID | None,
) -> list[VisitRow]:
    """Visits in reach, newest booking first."""
    statement = _with_names(work).order_by(col(Visit.id).desc()).limit(limit)
    if work.actor.centre_id is not None and work.actor.role is not Role.CAREGIVER:
        statement = statement.where(Visit.centre_id == work.actor.centre_id)
    if day is not None:
        statement = statement.where(col(Visit.starts_at) >= day[0], col(Visit.starts_at) < day[1])
    if statuses:
        statement = statement.where(col(Visit.status).in_(statuses))
    if caregiver_id is not None:
        statement = statement.where(Visit.caregiver_id == caregiver_id)
    if cursor is not None:
        statement = statement.where(col(Visit.id) < cursor)
    return [VisitRow(*row) for row in (await work.session.exec(statement)).all()]


async def orders_of(work: Work, visit_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """The orders of those of these visits that are in reach."""
    statement = select(Visit.id, Visit.order_id).where(col(Visit.id).in_(visit_ids), *_reach(work))
    return dict((await work.session.exec(statement)).all())


async def resident_of(work: Work, visit_id: UUID) -> UUID | None:
    """Whose visit it is; ``None`` out of reach."""
    statement = select(Visit.resident_id).where(Visit.id == visit_id, *_reach(work))
    return (await work.session.exec(statement)).one_or_none()


async def current_visit(work: Work, caregiver_id: UUID) -> tuple[Visit, Order] | None:
    """Where a caregiver is, or is on the way to; else nothing."""
    under_way = [VisitStatus.IN_SERVICE, VisitStatus.EN_ROUTE]
    statement = (
        select(Visit, Order)
        .join(Order, col(Order.id) == col(Visit.order_id))
        .where(Visit.caregiver_id == caregiver_id, col(Visit.status).in_(under_way), *_reach(work))
        .order_by(col(Visit.status) == VisitStatus.IN_SERVICE.value, col(Visit.starts_at))
    )
    rows = (await work.session.exec(statement)).all()
    return None if not rows else (rows[-1][0], rows[-1][1])


async def supplies_of_visit(work: Work, visit_id: UUID) -> Sequence[VisitSupply]:
    """What was used at a visit and stands."""
    statement = (
        select(VisitSupply)
        .where(VisitSupply.visit_id == visit_id, col(VisitSupply.voided_at).is_(None))
        .order_by(col(VisitSupply.used_at), col(VisitSupply.id))
    )
    return (await work.session.exec(statement)).all()


class SupplyUsed(NamedTuple):
    """One thing that was used, for whoever bills it. ``unit_fen``: its cost, where the caregiver knew it."""

    code: str
    name: str
    kind: str
    quantity: int
    visit_id: UUID
    unit_fen: int | None


async def supplies_of_order(work: Work, order_id: UUID) -> Sequence[SupplyUsed]:
    """What was used at all visits of an order and stands, oldest first."""
    statement = (
        select(VisitSupply)
        .where(VisitSupply.order_id == order_id, col(VisitSupply.voided_at).is_(None))
        .order_by(col(VisitSupply.used_at), col(VisitSupply.id))
    )
    return [
        SupplyUsed(row.code, row.name, str(row.kind), row.quantity, row.visit_id, row.unit_fen)
        for row in (await work.session.exec(statement)).all()
    ]
