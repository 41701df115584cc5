"""The menu for one resident, with what stands in her way."""

import pytest

from services.assessments.menu import menu
from services.assessments.models import Withdraw
from services.assessments.service import list_first_assessments, withdraw_first_assessment
from services.audit.service import list_reads_of_residents
from services.catalogue.models import CataloguePublic, MenuItem
from services.catalogue.offering import switch_item
from services.catalogue.views import CentreItemSwitch
from services.consents.models import ConsentRevoke
from services.consents.service import list_consents, revoke_consent
from services.core.actor import SYSTEM, Role
from services.core.database import Database
from services.core.errors import Forbidden, NotFound
from services.residents.models import Resident
from tests.drafts import new_code, published
from tests.world import World


def find(shown: CataloguePublic, code: str) -> MenuItem:
    return next(item for section in shown.sections for item in section.items if item.code == code)


def codes(item: MenuItem) -> list[str]:
    return [barrier.code for barrier in item.refusals]


async def test_what_stands_in_her_way_is_told_item_by_item(database: Database, fresh_world: World) -> None:
    resident = fresh_world.here.households[0].resident
    own = await fresh_world.actor(Role.RESIDENT)
    async with database.unit_of_work(own) as work:
        before = await menu(work, resident.id)
    assert before.centre_id == fresh_world.here.centre.id
    assert find(before, "wound_dressing").orderable
    assert codes(find(before, "family_bed_round")) == ["may_not_order_this"]
    assert (codes(find(before, "iv_infusion")), find(before, "iv_infusion").orderable) == (
        ["negative_list"],
        False,
    )
    async with database.unit_of_work(await fresh_world.actor(Role.CLINICIAN)) as work:
        await revoke_consent(work, (await list_consents(work, resident.id, 1, None))[0].id, ConsentRevoke())
        first = (await list_first_assessments(work, resident.id, 1, None))[0]
        await withdraw_first_assessment(work, first.id, Withdraw(reason="录错了长者"))
    async with database.unit_of_work(own) as work:
        after = await menu(work, resident.id)
    assert codes(find(after, "wound_dressing")) == ["institution_assessment", "informed_consent"]
    assert find(after, "cleaning").orderable


async def test_what_a_centre_does_not_offer_is_refused_there(database: Database, fresh_world: World) -> None:
    code = new_code()
    await published(database, await fresh_world.actor(Role.COUNTY_OFFICER), code)
    async with database.unit_of_work(await fresh_world.actor(Role.CENTRE_MANAGER)) as work:
        await switch_item(work, fresh_world.here.centre.id, code, CentreItemSwitch(is_offered=False), None)
    for place, expected in ((fresh_world.here, ["not_offered_here"]), (fresh_world.neighbour, [])):
        async with database.unit_of_work(await fresh_world.actor(Role.DISPATCHER, place)) as work:
            shown = await menu(work, place.households[0].resident.id)
            assert codes(find(shown, code)) == expected
            assert codes(find(await menu(work, None), code)) == expected


async def test_her_record_stands_against_an_item(database: Database, fresh_world: World) -> None:
    resident = fresh_world.here.households[0].resident
    async with database.unit_of_work(SYSTEM) as work:
        row = await work.session.get_one(Resident, resident.id)
        row.conditions = ["骨折", "慢性心力衰竭"]
    async with database.unit_of_work(await fresh_world.actor(Role.DISPATCHER)) as work:
        shown = await menu(work, resident.id)
    assert codes(find(shown, "tuina")) == ["contraindication"]
    assert "骨折" in find(shown, "tuina").refusals[0].zh
    bath = find(shown, "bathing")
    assert (bath.orderable, [one.code for one in bath.warnings]) == (True, ["contraindication"])
    async with database.unit_of_work(await fresh_world.actor(Role.RESIDENT)) as work:
        seen = await list_reads_of_residents(work, 20, None)
    assert [(one.resource, one.role) for one in seen] == [("catalogue", "dispatcher")]


@pytest.mark.parametrize("role", [Role.COUNTY_OFFICER, Role.AUDITOR, Role.CAREGIVER])
async def test_who_does_not_order_gets_the_menu_and_nothing_of_anybody(
    database: Database, world: World, role: Role
) -> None:
    async with database.unit_of_work(await world.actor(role)) as work:
        assert (await menu(work, None)).sections
        with pytest.raises(Forbidden):
            await menu(work, world.here.households[0].resident.id)


async def test_a_neighbour_is_not_found(database: Database, world: World) -> None:
    with pytest.raises(NotFound):
        async with database.unit_of_work(await world.actor(Role.RESIDENT, number=1)) as work:
            await menu(work, world.here.households[0].resident.id)
