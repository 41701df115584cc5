"""The packages' SQL, always inside the actor's walls."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, Text, bindparam, text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from services.core.database import Work
from services.core.errors import NotFound
from services.core.scope import within
from services.packages.models import Entitlement, EntitlementDraw, PackageTemplate, ResidentPackage
from services.packages.states import DrawStatus, PackageStatus
from services.residents.models import Resident


class Room(NamedTuple):
    """What an entitlement has left."""

    id: UUID
    item_code: str
    left: int


_ROOM = text(
    """
    SELECT e.id, e.item_code, e.granted - e.reserved - e.used AS left
    FROM entitlement e JOIN resident_package p ON p.id = e.package_id
    WHERE e.resident_id = :resident_id AND e.item_code = ANY(:codes) AND p.status = 'active'
        AND p.valid_from <= :first AND p.valid_until >= :last AND e.granted - e.reserved - e.used > 0
    ORDER BY e.item_code, p.valid_until, e.id
    """
).bindparams(bindparam("codes", type_=ARRAY(Text())))

# The condition is judged again once the row's lock is held, so that no two orders take the same unit.
_RESERVE = text(
    """
    UPDATE entitlement e SET reserved = e.reserved + :quantity FROM resident_package p
    WHERE e.id = :id AND p.id = e.package_id AND p.status = 'active'
        AND e.granted - e.reserved - e.used >= :quantity
    """
)
_USE = text("UPDATE entitlement SET reserved = reserved - :quantity, used = used + :quantity WHERE id = :id")
_RELEASE = text(
    "UPDATE entitlement SET reserved = reserved - :quantity, released = released + :quantity WHERE id = :id"
)


async def room(work: Work, resident_id: UUID, codes: Collection[str], first: date, last: date) -> list[Room]:
    """Entitlements that hold on both days and have something left: by item, those that end first before others."""
    asked = {"resident_id": resident_id, "codes": sorted(codes), "first": first, "last": last}
    return [Room(*row) for row in (await work.sql(_ROOM, asked)).all()]


async def reserve(work: Work, entitlement_id: UUID, quantity: int) -> bool:
    """Take units, if so many are left now."""
    taken = await work.sql(_RESERVE, {"id": entitlement_id, "quantity": quantity})
    return taken.rowcount == 1


async def use(work: Work, entitlement_id: UUID, quantity: int) -> None:
    """What was reserved is used."""
    await work.sql(_USE, {"id": entitlement_id, "quantity": quantity})


async def release(work: Work, entitlement_id: UUID, quantity: int) -> None:
    """What was reserved is free again."""
    await work.sql(_RELEASE, {"id": entitlement_id, "quantity": quantity})


async def lock_reserved(work: Work, order_id: UUID) -> Sequence[EntitlementDraw]:
    """What an order holds at present, locked; nothing when it has been used or released before."""
    statement = (
        select(EntitlementDraw)
        .where(EntitlementDraw.order_id == order_id, EntitlementDraw.status == DrawStatus.RESERVED)
        .order_by(col(EntitlementDraw.entitlement_id), col(EntitlementDraw.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return (await work.session.exec(statement)).all()


async def resident_in_reach(work: Work, resident_id: UUID) -> Resident:
    """Raises ``NotFound``."""
    statement = select(Resident).where(
        Resident.id == resident_id, *within(work.actor, Resident.area_code, Resident.id)
    )
    found = (await work.session.exec(statement)).one_or_none()
    if found is None:
        raise NotFound
    return found


async def packages_page(
    work: Work, limit: int, cursor: UUID | None, resident_id: UUID | None, statuses: Collection[PackageStatus]
) -> Sequence[ResidentPackage]:
    """Packages in reach, newest first."""
    statement = (
        select(ResidentPackage)
        .where(*within(work.actor, ResidentPackage.area_code, ResidentPackage.resident_id))
        .order_by(col(ResidentPackage.id).desc())
        .limit(limit)
    )
    if resident_id is not None:
        statement = statement.where(ResidentPackage.resident_id == resident_id)
    if statuses:
        statement = statement.where(col(ResidentPackage.status).in_(statuses))
    if cursor is not None:
        statement = statement.where(col(ResidentPackage.id) < cursor)
    return (await work.session.exec(statement)).all()


async def package_in_reach(work: Work, package_id: UUID, *, lock: bool = False) -> ResidentPackage:
    """Raises ``NotFound``."""
    statement = select(ResidentPackage).where(
        ResidentPackage.id == package_id,
        *within(work.actor, ResidentPackage.area_code, ResidentPackage.resident_id),
    )
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    found = (await work.session.exec(statement)).one_or_none()
    if found is None:
        raise NotFound
    return found


async def over(work: Work, today: date, limit: int) -> Sequence[ResidentPackage]:
    """Active packages whose last day has passed, locked, those that others hold left out."""
    statement = (
        select(ResidentPackage)
        .where(ResidentPackage.status == PackageStatus.ACTIVE, col(ResidentPackage.valid_until) < today)
        .order_by(col(ResidentPackage.valid_until))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return (await work.session.exec(statement)).all()


async def entitlements_of(work: Work, package_ids: Collection[UUID]) -> Sequence[Entitlement]:
    """By package and item."""
    statement = (
        select(Entitlement)
        .where(col(Entitlement.package_id).in_(package_ids))
        .order_by(col(Entitlement.package_id), col(Entitlement.item_code))
        .execution_options(populate_existing=True)
    )
    return (await work.session.exec(statement)).all()


async def draws_of(work: Work, package_id: UUID, limit: int) -> Sequence[EntitlementDraw]:
    """The latest draws on a package."""
    statement = (
        select(EntitlementDraw)
        .join(Entitlement, col(Entitlement.id) == col(EntitlementDraw.entitlement_id))
        .where(Entitlement.package_id == package_id)
        .order_by(col(EntitlementDraw.id).desc())
        .limit(limit)
    )
    return (await work.session.exec(statement)).all()


async def templates_page(
    work: Work, limit: int, cursor: UUID | None, *, only_active: bool
) -> Sequence[PackageTemplate]:
    """Templates, newest first; reference data, no scope."""
    statement = select(PackageTemplate).order_by(col(PackageTemplate.id).desc()).limit(limit)
    if only_active:
        statement = statement.where(col(PackageTemplate.is_active))
    if cursor is not None:
        statement = statement.where(col(PackageTemplate.id) < cursor)
    return (await work.session.exec(statement)).all()


async def template(work: Work, template_id: UUID, *, lock: bool = False) -> PackageTemplate:
    """Raises ``NotFound``."""
    statement = select(PackageTemplate).where(PackageTemplate.id == template_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    found = (await work.session.exec(statement)).one_or_none()
    if found is None:
        raise NotFound
    return found


async def insert_template(work: Work, row: PackageTemplate) -> bool:
    """Insert one; False when its code is taken."""
    values = row.model_dump()
    made = await work.sql(insert(PackageTemplate).values(**values).on_conflict_do_nothing(index_elements=["code"]))
    return made.rowcount == 1
