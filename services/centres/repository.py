"""The centres' SQL. Areas and centres are public reference data: no scope."""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import col, or_, select

from services.centres.models import Area, Centre
from services.core.areas import town_of
from services.core.database import Work


async def centre_of_area(work: Work, area_code: str) -> Centre | None:
    """The centre of the town or street that an area lies in."""
    statement = select(Centre).where(Centre.area_code == town_of(area_code))
    return (await work.session.exec(statement)).one_or_none()


async def centre_by_id(work: Work, centre_id: UUID) -> Centre | None:
    """One centre."""
    return await work.session.get(Centre, centre_id)


async def all_centres(work: Work) -> list[Centre]:
    """Every centre, by area code."""
    return list((await work.session.exec(select(Centre).order_by(col(Centre.area_code)))).all())


async def areas_of(work: Work, codes: Sequence[str]) -> list[Area]:
    """The named areas, from the widest down."""
    return list(
        (await work.session.exec(select(Area).where(col(Area.code).in_(codes)).order_by(col(Area.code)))).all()
    )


async def centre_for(work: Work, centre_id: UUID | None, town: str) -> Centre | None:
    """One's own workplace, or else the centre of the town."""
    candidates = select(Centre).where(or_(Centre.id == centre_id, Centre.area_code == town))
    own_first = candidates.order_by((col(Centre.id) == centre_id).desc()).limit(1)
    return (await work.session.exec(own_first)).first()
