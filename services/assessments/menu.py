"""What one resident can order, and why not: the catalogue's own reasons and what is missing for her."""

from uuid import UUID

from services.assessments.service import unmet_preconditions
from services.audit.service import record_read
from services.catalogue.models import Barrier, CataloguePublic, OrderedBy
from services.catalogue.orderability import WAYS, Asked
from services.catalogue.service import catalogue, menu_facts
from services.centres.models import Centre
from services.centres.service import centre_in_charge
from services.core.actor import SUPERVISING_ROLES, Role
from services.core.database import Work
from services.core.errors import Forbidden
from services.residents.models import Resident
from services.residents.service import may_read_health, resident_in_reach


async def menu(work: Work, resident_id: UUID | None) -> CataloguePublic:
    """The menu for the reader, or for a resident whom the reader may order for.

    With a resident it tells something of her record: the read is audited, and supervising roles get none.
    Raises ``NotFound``, ``Forbidden``, ``NoCentre``.
    """
    way = WAYS.get(work.actor.role)
    if resident_id is None:
        asked = Asked(way=way, centre_id=work.actor.centre_id, area_code=_own_place(work))
        return await catalogue(work, asked)
    if work.actor.role in SUPERVISING_ROLES | {Role.CAREGIVER}:
        raise Forbidden
    resident = await resident_in_reach(work, resident_id)
    centre = await centre_in_charge(work, resident.area_code)
    unmet = await unmet_preconditions(work, resident, await menu_facts(work))
    missing: dict[str, list[Barrier]] = {}
    for one in unmet:
        missing.setdefault(one.item_code, []).append(Barrier(code=str(one.precondition), zh=one.zh, en=one.en))
    await record_read(work, [resident.id], "catalogue", ["conditions", "assessments", "consents"])
    names = await may_read_health(work, resident.id)
    return await catalogue(work, _asked(way, resident, centre, names_conditions=names), missing)


def _asked(way: OrderedBy | None, resident: Resident, centre: Centre, *, names_conditions: bool) -> Asked:
    return Asked(
        way=way,
        resident_id=resident.id,
        centre_id=centre.id,
        area_code=resident.area_code,
        conditions=tuple(resident.conditions),
        names_conditions=names_conditions,
    )


def _own_place(work: Work) -> str | None:
    """The area that the reader's own menu is for; a county's people see all of it."""
    return work.actor.area_code if work.actor.centre_id is not None else None
