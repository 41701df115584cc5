"""The catalogue's SQL. Items are public reference data: no scope; what a centre says of them is its area's."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlmodel import col, func, select

from services.catalogue.models import CentreItem, ServiceItem, ServiceItemVersion
from services.centres.models import Centre
from services.core.database import Work
from services.core.ids import new_id

Stored = tuple[ServiceItem, ServiceItemVersion]


async def items_in_force(work: Work, day: date, codes: Sequence[str] | None = None) -> list[Stored]:
    """Every item with the published version that counts on a day, active or not, by code; all, or some."""
    statement = (
        select(ServiceItem, ServiceItemVersion)
        .join(ServiceItemVersion, col(ServiceItemVersion.item_id) == col(ServiceItem.id))
        .where(
            col(ServiceItemVersion.effective_from) <= day,
            col(ServiceItemVersion.discarded_at).is_(None),
        )
        .ext(distinct_on(col(ServiceItem.code)))
        .order_by(
            col(ServiceItem.code),
            col(ServiceItemVersion.effective_from).desc(),
            col(ServiceItemVersion.number).desc(),
        )
    )
    if codes is not None:
        statement = statement.where(col(ServiceItem.code).in_(codes))
    return [(item, version) for item, version in (await work.session.exec(statement)).all()]


async def item_by_code(work: Work, code: str) -> ServiceItem | None:
    """An item's name for good, whatever its versions say."""
    return (await work.session.exec(select(ServiceItem).where(ServiceItem.code == code))).one_or_none()


async def lock_item(work: Work, code: str) -> ServiceItem | None:
    """The same, locked: whoever changes versions takes this lock first."""
    statement = (
        select(ServiceItem)
        .where(ServiceItem.code == code)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return (await work.session.exec(statement)).one_or_none()


async def lock_items(work: Work, codes: Sequence[str]) -> dict[str, ServiceItem]:
    """Several, locked in the order of their codes."""
    statement = (
        select(ServiceItem)
        .where(col(ServiceItem.code).in_(codes))
        .order_by(col(ServiceItem.code))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {item.code: item for item in (await work.session.exec(statement)).all()}


async def versions_of(
    work: Work, item_id: UUID, limit: int | None = None, cursor: UUID | None = None
) -> Sequence[ServiceItemVersion]:
    """Versions of an item, newest first, drafts and discarded ones included."""
    statement = (
        select(ServiceItemVersion)
        .where(ServiceItemVersion.item_id == item_id)
        .order_by(col(ServiceItemVersion.id).desc())
    )
    if limit is not None:
        statement = statement.limit(limit)
    if cursor is not None:
        statement = statement.where(col(ServiceItemVersion.id) < cursor)
    return (await work.session.exec(statement)).all()


async def working_versions(
    work: Work, limit: int | None = None, cursor: UUID | None = None, codes: Sequence[str] | None = None
) -> list[tuple[ServiceItem, list[ServiceItemVersion]]]:
    """Items, newest first, each with its draft and published versions, newest first; discarded ones left out."""
    items = select(ServiceItem).order_by(col(ServiceItem.id).desc())
    if limit is not None:
        items = items.limit(limit)
    if cursor is not None:
        items = items.where(col(ServiceItem.id) < cursor)
    if codes is not None:
        items = items.where(col(ServiceItem.code).in_(codes))
    found = (await work.session.exec(items)).all()
    statement = (
        select(ServiceItemVersion)
        .where(
            col(ServiceItemVersion.item_id).in_([item.id for item in found]),
            col(ServiceItemVersion.discarded_at).is_(None),
        )
        .order_by(col(ServiceItemVersion.number).desc())
    )
    versions: dict[UUID, list[ServiceItemVersion]] = {item.id: [] for item in found}
    for version in (await work.session.exec(statement)).all():
        versions[version.item_id].append(version)
    return [(item, versions[item.id]) for item in found]


async def last_number(work: Work, item_id: UUID) -> int:
    """The highest number that a version of an item has had; 0 for none."""
    statement = select(func.max(ServiceItemVersion.number)).where(ServiceItemVersion.item_id == item_id)
    return (await work.session.exec(statement)).one() or 0


async def words_of_centre(work: Work, centre_id: UUID) -> dict[UUID, CentreItem]:
    """What a centre has said of items, by item."""
    statement = select(CentreItem).where(CentreItem.centre_id == centre_id)
    return {row.item_id: row for row in (await work.session.exec(statement)).all()}


async def lock_or_begin_word(work: Work, centre: Centre, item: ServiceItem) -> CentreItem:
    """A centre's word on one item, locked; a new one (version 0) offers it. Two requests at once get the same."""
    new = CentreItem(
        centre_id=centre.id,
        item_id=item.id,
        area_code=centre.area_code,
        is_offered=True,
        changed_at=work.now,
        version=0,
    )
    await work.sql(
        insert(CentreItem).values(**new.model_dump()).on_conflict_do_nothing(constraint="centre_item_once")
    )
    statement = (
        select(CentreItem)
        .where(CentreItem.centre_id == centre.id, CentreItem.item_id == item.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return (await work.session.exec(statement)).one()


async def begin_item(work: Work, code: str) -> ServiceItem | None:
    """A new item without a version yet, locked; ``None`` when another request was quicker."""
    new = insert(ServiceItem).values(id=new_id(), code=code, version=0).on_conflict_do_nothing()
    if (await work.sql(new)).rowcount == 0:
        return None
    return await lock_item(work, code)
