"""Who the signed-in person is, as their own pages show it."""

from uuid import UUID

from sqlmodel import Field, SQLModel

from services.centres.models import CentrePublic
from services.centres.repository import areas_of, centre_for
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
    centre = await centre_for(work, work.actor.centre_id, work.actor.area_code[:9])
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
    return [AreaName.model_validate(area, from_attributes=True) for area in await areas_of(work, path)]
