"""The access log."""

from uuid import uuid4

from sqlmodel import col, select

from services.audit.models import AccessLog
from services.audit.service import list_reads_of_residents, record_read
from services.core.actor import SYSTEM, Role
from services.core.database import Database
from tests.world import World


async def reads(database: Database, world: World) -> list[AccessLog]:
    """All rows about the world's residents, oldest first."""
    async with database.unit_of_work(SYSTEM) as work:
        query = select(AccessLog).where(col(AccessLog.area_code).startswith(world.here.county))
        return list((await work.session.exec(query.order_by(col(AccessLog.id)))).all())


async def test_one_row_a_resident_with_her_area_the_reader_and_the_field_names(
    database: Database, fresh_world: World
) -> None:
    world = fresh_world
    residents = [household.resident for household in world.here.households]
    actor = await world.actor(Role.CLINICIAN)
    async with database.unit_of_work(actor) as work:
        ids = [residents[0].id, residents[1].id, residents[0].id]
        await record_read(work, ids, "vitals", ["heart_rate"], "round visit")
    rows = await reads(database, world)
    assert sorted(row.resident_id for row in rows) == sorted(resident.id for resident in residents)
    for row in rows:
        assert row.area_code == residents[0].area_code
        assert (row.account_id, row.role, row.reader_name) == (actor.account_id, "clinician", actor.display_name)
        assert (row.resource, row.fields, row.purpose) == ("vitals", ["heart_rate"], "round visit")


async def test_ones_own_data_and_the_systems_reading_leave_no_row(database: Database, fresh_world: World) -> None:
    resident = fresh_world.here.households[0].resident
    for actor in (SYSTEM, await fresh_world.actor(Role.RESIDENT)):
        async with database.unit_of_work(actor) as work:
            await record_read(work, [resident.id], "vitals", ["heart_rate"])
    assert await reads(database, fresh_world) == []


async def test_whoever_is_out_of_reach_gets_no_row(database: Database, fresh_world: World) -> None:
    theirs = fresh_world.neighbour.households[0].resident
    async with database.unit_of_work(await fresh_world.actor(Role.DISPATCHER)) as work:
        await record_read(work, [theirs.id, uuid4()], "vitals", ["heart_rate"])
        await record_read(work, [], "vitals", ["heart_rate"])
    assert await reads(database, fresh_world) == []


async def test_a_read_that_fails_afterwards_is_not_written_down(database: Database, fresh_world: World) -> None:
    resident = fresh_world.here.households[0].resident
    try:
        async with database.unit_of_work(await fresh_world.actor(Role.CLINICIAN)) as work:
            await record_read(work, [resident.id], "vitals", ["heart_rate"])
            raise LookupError
    except LookupError:
        pass
    assert await reads(database, fresh_world) == []


async def test_a_family_sees_the_reads_of_its_own_resident_only(database: Database, fresh_world: World) -> None:
    residents = [household.resident for household in fresh_world.here.households]
    async with database.unit_of_work(await fresh_world.actor(Role.CLINICIAN)) as work:
        await record_read(work, [resident.id for resident in residents], "vitals", ["heart_rate"])
    for number, resident in enumerate(residents):
        actor = await fresh_world.actor(Role.FAMILY, number=number)
        async with database.unit_of_work(actor) as work:
            rows = await list_reads_of_residents(work, 20, None)
            asked = await list_reads_of_residents(work, 20, None, residents[1 - number].id)
        assert [row.resident_id for row in rows] == [resident.id]
        assert asked == []
