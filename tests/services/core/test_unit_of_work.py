"""The unit of work: all or nothing, at one moment, in the actor's scope."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlmodel import select

from services.core.actor import SYSTEM, Role
from services.core.columns import UtcDateTime
from services.core.database import Database
from services.core.outbox import OutboxEvent
from services.core.settings import Settings
from services.events import OrderCancelled
from tests.world import World

STILL = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


class StoppedClock:
    """A clock that stands."""

    def now(self) -> datetime:
        return STILL


async def stored(database: Database, order_id: UUID) -> list[OutboxEvent]:
    """Events about an order."""
    async with database.unit_of_work(SYSTEM) as work:
        query = select(OutboxEvent).where(OutboxEvent.payload["order_id"].astext == str(order_id))
        return list((await work.session.exec(query)).all())


async def test_what_is_done_is_there_for_others_afterwards(database: Database, world: World) -> None:
    order_id = uuid4()
    async with database.unit_of_work(await world.actor(Role.DISPATCHER)) as work:
        work.record(OrderCancelled(area_code=world.here.town, centre_id=world.here.centre.id, order_id=order_id))
        await work.session.flush()
        assert await stored(database, order_id) == []
    (event,) = await stored(database, order_id)
    assert (event.name, event.area_code, event.position) == ("order.cancelled", world.here.town, None)


async def test_what_fails_leaves_nothing(database: Database, world: World) -> None:
    actor, order_id = await world.actor(Role.DISPATCHER), uuid4()

    async def fail() -> None:
        async with database.unit_of_work(actor) as work:
            work.record(OrderCancelled(area_code=world.here.town, order_id=order_id))
            await work.session.flush()
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    assert await stored(database, order_id) == []


async def test_thin_sql_sees_what_the_session_still_holds_back(database: Database, world: World) -> None:
    order_id = uuid4()
    async with database.unit_of_work(await world.actor(Role.DISPATCHER)) as work:
        work.record(OrderCancelled(area_code=world.here.town, order_id=order_id))
        found = await work.sql(
            text("SELECT count(*) FROM outbox WHERE payload->>'order_id' = :id"), {"id": str(order_id)}
        )
        assert found.scalar_one() == 1


async def test_one_unit_is_one_moment(settings: Settings) -> None:
    database = Database(settings.database_url or "", 1, StoppedClock())
    async with database.unit_of_work(SYSTEM) as work:
        assert work.now == STILL
    await database.close()


async def test_people_work_under_the_bound_role_and_the_system_does_not(database: Database, world: World) -> None:
    roles = []
    for actor in (await world.actor(Role.DISPATCHER), SYSTEM):
        async with database.unit_of_work(actor) as work:
            roles.append((await work.sql(text("SELECT current_user"))).scalar_one())
    assert roles[0] == "guoyuan_app"
    assert roles[1] != "guoyuan_app"


async def test_connections_that_the_server_closed_are_not_handed_out(settings: Settings) -> None:
    database = Database(settings.database_url or "", 2)
    async with database.engine.connect() as first, database.engine.connect() as second:
        pids = [(await c.execute(text("SELECT pg_backend_pid()"))).scalar_one() for c in (first, second)]
    other = Database(settings.database_url or "", 1)
    async with other.engine.connect() as connection:
        for pid in pids:
            await connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
        await connection.execute(text("SELECT pg_sleep(0.2)"))
    for _ in range(3):
        async with database.unit_of_work(SYSTEM) as work:
            assert (await work.sql(text("SELECT 1"))).scalar_one() == 1
    await database.close()
    await other.close()


@pytest.mark.parametrize("url", ["mysql://x", "postgresq://x", "", "http://x"])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="postgresql"):
        Database(url)


def test_a_moment_without_time_zone_cannot_be_stored() -> None:
    column = UtcDateTime()
    with pytest.raises(ValueError, match="time zone"):
        column.process_bind_param(datetime(2026, 11, 22, 8, 0), None)  # type: ignore[arg-type]  # noqa: DTZ001  the point
