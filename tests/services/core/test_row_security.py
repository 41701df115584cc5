"""The second wall: what the database itself lets through when a query forgets to narrow."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.core.actor import Actor, Role
from services.core.database import Database
from tests.world import Case, World, open_case

BY_RESIDENT = [
    "resident", "emergency_contact", "care_relationship", "service_order", "offer", "booking", "visit",
    "alert", "terminal", "terminal_binding", "terminal_fault", "terminal_command",
]  # fmt: skip
"""Tables of personal data in which every place of the world has a row."""
BY_AREA = [*BY_RESIDENT, "account", "caregiver", "credential", "shift", "escalation"]


@pytest.fixture(scope="module")
async def cases(world: World) -> list[Case]:
    """Something of everything in every place, of both residents here."""
    places = (world.here, world.neighbour, world.abroad)
    return [await open_case(world, place) for place in places] + [await open_case(world, world.here, 1)]


async def areas_seen(database: Database, actor: Actor, table: str) -> set[str]:
    """The areas of all rows that a query without any condition finds."""
    async with database.unit_of_work(actor) as work:
        found = await work.sql(text(f"SELECT DISTINCT area_code FROM {table}"))  # noqa: S608  from a list above
        return set(found.scalars())


async def ids_seen(database: Database, actor: Actor, table: str, column: str) -> set[Any]:
    """All values of a column that a query without any condition finds."""
    async with database.unit_of_work(actor) as work:
        found = await work.sql(text(f"SELECT DISTINCT {column} FROM {table}"))  # noqa: S608  from a list above
        return set(found.scalars())


@pytest.mark.parametrize("table", BY_AREA)
@pytest.mark.parametrize("role", [Role.DISPATCHER, Role.CENTRE_MANAGER, Role.CLINICIAN, Role.CAREGIVER])
async def test_staff_of_a_town_see_their_town(
    database: Database, world: World, cases: Sequence[Case], role: Role, table: str
) -> None:
    seen = await areas_seen(database, await world.actor(role), table)
    assert seen
    assert all(area.startswith(world.here.town) for area in seen)


@pytest.mark.parametrize("table", BY_AREA)
@pytest.mark.parametrize("role", [Role.COUNTY_OFFICER, Role.AUDITOR])
async def test_the_county_sees_its_towns_and_no_other_county(
    database: Database, world: World, cases: Sequence[Case], role: Role, table: str
) -> None:
    seen = await areas_seen(database, await world.actor(role), table)
    assert {area[:9] for area in seen} >= {world.here.town, world.neighbour.town}
    assert all(area.startswith(world.here.county) for area in seen)


@pytest.mark.parametrize("table", BY_RESIDENT)
@pytest.mark.parametrize("role", [Role.RESIDENT, Role.FAMILY])
async def test_a_household_sees_its_own_resident_only(
    database: Database, world: World, cases: Sequence[Case], role: Role, table: str
) -> None:
    column = "id" if table == "resident" else "resident_id"
    for number in (0, 1):
        own = world.here.households[number].resident.id
        assert await ids_seen(database, await world.actor(role, number=number), table, column) == {own}


@pytest.mark.parametrize("table", BY_AREA)
async def test_an_empty_scope_sees_nothing(
    database: Database, world: World, cases: Sequence[Case], table: str
) -> None:
    nobody = Actor(uuid4(), None, Role.DISPATCHER, "")
    assert await areas_seen(database, nobody, table) == set()


@pytest.mark.parametrize("table", BY_AREA)
async def test_an_unset_scope_sees_nothing(
    database: Database, world: World, cases: Sequence[Case], table: str
) -> None:
    async with database.engine.connect() as connection:
        await connection.execute(text("SET LOCAL ROLE guoyuan_app"))
        found = await connection.execute(text(f"SELECT count(*) FROM {table}"))  # noqa: S608  from a list above
        assert found.scalar_one() == 0


async def test_a_family_without_relationships_sees_nobody(
    database: Database, world: World, cases: Sequence[Case]
) -> None:
    actor = Actor(uuid4(), None, Role.FAMILY, world.here.town, resident_ids=frozenset())
    assert await ids_seen(database, actor, "resident", "id") == set()


async def test_the_scope_ends_with_the_transaction(database: Database, world: World) -> None:
    await areas_seen(database, await world.actor(Role.DISPATCHER), "resident")
    async with database.engine.connect() as connection:
        role = await connection.execute(text("SELECT current_user, current_setting('guoyuan.area', true)"))
        user, area = role.one()
    assert user != "guoyuan_app"
    assert not area


async def test_nobody_writes_into_a_foreign_area(database: Database, world: World) -> None:
    theirs = world.neighbour.households[0].resident
    statement = text(
        "INSERT INTO access_log"
        " (id, at, resident_id, area_code, role, reader_name, resource, purpose, fields)"
        " VALUES (:id, now(), :resident, :area, 'dispatcher', 'x', 'resident', 'care', '{}')"
    )
    values = {"id": uuid4(), "resident": theirs.id, "area": theirs.area_code}
    with pytest.raises(DBAPIError, match="row-level security"):
        async with database.unit_of_work(await world.actor(Role.DISPATCHER)) as work:
            await work.sql(statement, values)


async def test_nobody_moves_a_row_out_of_sight(database: Database, world: World, cases: Sequence[Case]) -> None:
    with pytest.raises(DBAPIError, match="row-level security"):
        async with database.unit_of_work(await world.actor(Role.DISPATCHER)) as work:
            await work.sql(
                text("UPDATE service_order SET area_code = :area WHERE id = :id"),
                {"area": world.neighbour.town, "id": cases[0].order_id},
            )


async def tables(database: Database) -> list[str]:
    """Every table of the house."""
    async with database.engine.connect() as connection:
        found = await connection.execute(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'")
        )
        return sorted(found.scalars())


async def may(database: Database, table: str, right: str) -> bool:
    """Whether people's units of work have a right on a table."""
    async with database.engine.connect() as connection:
        found = await connection.execute(
            text("SELECT has_table_privilege('guoyuan_app', :table, :right)"),
            {"table": table, "right": right},
        )
        return bool(found.scalar_one())


@pytest.mark.parametrize("right", ["DELETE", "TRUNCATE"])
async def test_people_delete_nothing(database: Database, right: str) -> None:
    assert [table for table in await tables(database) if await may(database, table, right)] == []


@pytest.mark.parametrize(
    "table", ["status_change", "access_log", "alert_log", "alert_occurrence", "outbox", "reading", "account"]
)
async def test_history_cannot_be_rewritten(database: Database, world: World, table: str) -> None:
    assert not await may(database, table, "UPDATE")
    with pytest.raises(DBAPIError, match="permission denied"):
        async with database.unit_of_work(await world.actor(Role.CENTRE_MANAGER)) as work:
            await work.sql(text(f"UPDATE {table} SET area_code = area_code"))  # noqa: S608  from a list above


async def test_sessions_and_passwords_of_others_are_out_of_reach(database: Database, world: World) -> None:
    assert not await may(database, "auth_session", "SELECT")


async def test_every_table_with_an_area_has_the_wall(database: Database) -> None:
    async with database.engine.connect() as connection:
        found = await connection.execute(
            text(
                "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
                " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')"
                " AND NOT c.relispartition AND a.attname = 'area_code' AND NOT c.relrowsecurity"
            )
        )
        # A centre is public reference data: everybody may know it.
        assert set(found.scalars()) == {"centre"}


async def test_partitions_cannot_be_read_around_the_wall(database: Database, world: World) -> None:
    async with database.engine.connect() as connection:
        found = await connection.execute(
            text("SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r'")
        )
        partitions = list(found.scalars())
    assert partitions
    assert [name for name in partitions if await may(database, name, "SELECT")] == []
