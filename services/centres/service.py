"""The centres' verbs."""

from uuid import UUID

from services.centres import repository
from services.centres.models import Centre, CentrePublic
from services.core.areas import county_of, town_of
from services.core.database import Work
from services.core.errors import NotFound, ServiceUnavailable


class NoCentre(ServiceUnavailable):
    """The county has not set up a centre for this town: nobody would see the order."""

    code = "no_centre"
    title_zh = "该地区还没有服务中心"
    title_en = "There is no centre for this area yet"


async def list_centres(work: Work) -> list[CentrePublic]:
    """Every centre of the county."""
    return [CentrePublic.model_validate(centre) for centre in await repository.all_centres(work)]


async def get_centre(work: Work, centre_id: UUID) -> CentrePublic:
    """One centre; raises ``NotFound``."""
    centre = await repository.centre_by_id(work, centre_id)
    if centre is None:
        raise NotFound
    return CentrePublic.model_validate(centre)


async def centre_in_charge(work: Work, area_code: str) -> Centre:
    """The centre that answers for an area; raises ``NoCentre`` when its town has none."""
    centre = await repository.centre_of_area(work, area_code)
    if centre is None:
        raise NoCentre(area_code=town_of(area_code))
    return centre


async def centre_in_reach(work: Work, centre_id: UUID) -> Centre:
    """A centre whose area the actor covers; raises ``NotFound`` for any other."""
    centre = await repository.centre_by_id(work, centre_id)
    if centre is None or not work.actor.covers_area(centre.area_code):
        raise NotFound
    return centre


async def only_county(work: Work) -> str:
    """The code of the county that this installation serves; empty where it serves none yet, or several."""
    counties = {county_of(centre.area_code) for centre in await repository.all_centres(work)}
    return counties.pop() if len(counties) == 1 else ""
