"""The catalogue's SQL. Items are public reference data: no scope."""

from sqlmodel import col, select

from services.catalogue.models import ServiceItem
from services.core.database import Work


async def active_items(work: Work) -> list[ServiceItem]:
    """Everything that can be ordered, by category and code."""
    statement = (
        select(ServiceItem)
        .where(col(ServiceItem.is_active))
        .order_by(col(ServiceItem.category), col(ServiceItem.code))
    )
    return list((await work.session.exec(statement)).all())


async def item_by_code(work: Work, code: str) -> ServiceItem | None:
    """An item, active or not."""
    return (await work.session.exec(select(ServiceItem).where(ServiceItem.code == code))).one_or_none()


async def items_by_code(work: Work) -> dict[str, ServiceItem]:
    """All items, active or not, for the loader."""
    return {item.code: item for item in (await work.session.exec(select(ServiceItem))).all()}
