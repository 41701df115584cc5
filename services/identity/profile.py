"""Who the signed-in person is, as their own pages show it."""

from uuid import UUID

from sqlmodel import Field, SQLModel, col, or_, select

from services.centres.models import Area, Centre, CentrePublic
from services.core.actor import Role
from services.core.areas import AreaLevel
from services.core.database import Work
from services.core.errors import Forbidden
from services.residents.models import ResidentInCare
from services.residents.service import list_residents_in_care


class AreaName(SQLModel):
    """One division of the country."""

    code: str
    name_zh: str
    name_en: str
    level: AreaLevel


class Me(SQLModel):
    """The signed-in account and how far it reaches."""

    account_id: UUID
    session_id: UUID | None
    person_id: UUID | None = Field(description="The resident or caregiver behind the account.")
    role: Role
    display_name: str
    area_code: str
    areas: list[AreaName] = Field(description="From the county down to the area that one works or lives in.")
    centre: CentrePublic | None = Field(description="Where one works, or the centre that answers one's orders.")
    residents: list[ResidentInCare] = Field(description="Whom one may act for; empty for staff.")


async def read_me(work: Work) -> Me:
    """The actor's own profile."""
    actor = work.actor
    if actor.account_id is None:
        raise Forbidden
    centre = await _centre(work)
    return Me(
        account_id=actor.account_id,
        session_id=actor.session_id,
        person_id=actor.person_id,
        role=actor.role,
        display_name=actor.display_name,
        area_code=actor.area_code,
        areas=await _areas(work),
        centre=None if centre is None else CentrePublic.model_validate(centre, from_attributes=True),
        residents=[] if actor.resident_ids is None else await list_residents_in_care(work),
    )


async def _areas(work: Work) -> list[AreaName]:
    code = work.actor.area_code
    path = [code[:length] for length in (6, 9, 12) if length <= len(code)]
    found = await work.session.exec(select(Area).where(col(Area.code).in_(path)).order_by(col(Area.code)))
    return [AreaName.model_validate(area, from_attributes=True) for area in found]


async def _centre(work: Work) -> Centre | None:
    town = work.actor.area_code[:9]
    here = select(Centre).where(or_(Centre.id == work.actor.centre_id, Centre.area_code == town))
    # One's own workplace before the centre of the town.
    own_first = here.order_by((col(Centre.id) == work.actor.centre_id).desc()).limit(1)
    return (await work.session.exec(own_first)).first()
