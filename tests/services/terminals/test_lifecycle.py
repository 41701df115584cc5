"""A terminal's life, as staff lead it through: what each verb does, refuses and leaves behind."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlmodel import col, select

from services.audit.service import list_reads_of_residents
from services.core.actor import SYSTEM, Actor, Role
from services.core.database import Database
from services.core.errors import IllegalTransition, NotFound, VersionMismatch
from services.core.settings import Settings
from services.core.transitions import StatusChange
from services.terminals import lifecycle, service
from services.terminals.credentials import verify_password
from services.terminals.errors import NotInService, SerialTaken
from services.terminals.models import Terminal, TerminalBinding
from services.terminals.registry_models import BindRequest, TerminalCreate
from services.terminals.repository import one_bound
from services.terminals.states import TerminalStatus
from tests.clock import ManualClock
from tests.crowd import all_connected
from tests.world import Place, World

POOL = 12


class Stores:
    """A database whose clock the test turns, and the verbs as one unit of work each."""

    def __init__(self, world: World, database: Database, clock: ManualClock) -> None:
        self.world, self.database, self.clock = world, database, clock

    async def actor(self, role: Role = Role.CENTRE_MANAGER, place: Place | None = None) -> Actor:
        return await self.world.actor(role, place)

    async def new(self, place: Place | None = None) -> Terminal:
        place = place or self.world.here
        new = TerminalCreate(serial=f"S-{uuid4()}", profile_id=self.world.profile_id, centre_id=place.centre.id)
        async with self.database.unit_of_work(await self.actor(place=place)) as work:
            return await lifecycle.register(work, new)

    async def provisioned(self, place: Place | None = None) -> tuple[Terminal, str]:
        terminal = await self.new(place)
        async with self.database.unit_of_work(await self.actor(place=place)) as work:
            return await lifecycle.provision(work, terminal.id)

    async def bound(self, number: int = 0) -> Terminal:
        terminal, _ = await self.provisioned()
        return await self.bind(terminal.id, self.resident(number))

    def resident(self, number: int = 0, place: Place | None = None) -> UUID:
        return (place or self.world.here).households[number].resident.id

    async def bind(
        self, terminal_id: UUID, resident_id: UUID, role: Role = Role.DISPATCHER, if_match: int | None = None
    ) -> Terminal:
        async with self.database.unit_of_work(await self.actor(role)) as work:
            request = BindRequest(resident_id=resident_id, room="卧室")
            return await lifecycle.bind(work, terminal_id, request, if_match)

    async def unbind(self, terminal_id: UUID, role: Role = Role.DISPATCHER) -> Terminal:
        async with self.database.unit_of_work(await self.actor(role)) as work:
            return await lifecycle.unbind(work, terminal_id, "长者搬走")

    async def history(self, terminal_id: UUID) -> list[StatusChange]:
        async with self.database.unit_of_work(SYSTEM) as work:
            query = select(StatusChange).where(StatusChange.entity_id == terminal_id)
            return list((await work.session.exec(query.order_by(col(StatusChange.id)))).all())

    async def bindings(self, terminal_id: UUID) -> list[TerminalBinding]:
        async with self.database.unit_of_work(SYSTEM) as work:
            query = select(TerminalBinding).where(TerminalBinding.terminal_id == terminal_id)
            return list((await work.session.exec(query.order_by(col(TerminalBinding.bound_at)))).all())


@pytest.fixture
async def stores(settings: Settings, world: World) -> AsyncIterator[Stores]:
    clock = ManualClock()
    database = Database(str(settings.database_url), POOL, clock)
    yield Stores(world, database, clock)
    await database.close()


async def test_the_whole_life_stands_in_the_history(stores: Stores) -> None:
    terminal = await stores.bound()
    await stores.unbind(terminal.id)
    manager = await stores.actor()
    async with stores.database.unit_of_work(manager) as work:
        await lifecycle.suspend(work, terminal.id, "误报频繁")
    async with stores.database.unit_of_work(manager) as work:
        await lifecycle.resume(work, terminal.id)
    async with stores.database.unit_of_work(manager) as work:
        retired = await lifecycle.retire(work, terminal.id, "损坏")
    lines = await stores.history(terminal.id)
    assert [line.to_status for line in lines] == [
        "stock", "provisioned", "bound", "provisioned", "suspended", "provisioned", "retired",
    ]  # fmt: skip
    assert [line.reason for line in lines[3:]] == ["长者搬走", "误报频繁", "resumed", "损坏"]
    assert all(line.account_id is not None for line in lines)
    assert retired.password_hash is None


async def test_binding_keeps_who_where_and_when(stores: Stores) -> None:
    terminal = await stores.bound(0)
    first_at = stores.clock.now()
    stores.clock.forward(seconds=3_600)
    back = await stores.unbind(terminal.id)
    assert (back.resident_id, back.room, back.area_code) == (None, "", stores.world.here.town)
    await stores.bind(terminal.id, stores.resident(1))
    first, second = await stores.bindings(terminal.id)
    dispatcher = stores.world.account(Role.DISPATCHER).id
    assert (first.resident_id, first.bound_at, first.unbound_at) == (
        stores.resident(0), first_at, first_at + timedelta(hours=1),
    )  # fmt: skip
    assert (first.room, first.bound_by, first.unbound_by) == ("卧室", dispatcher, dispatcher)
    assert (second.resident_id, second.unbound_at) == (stores.resident(1), None)
    async with stores.database.engine.connect() as connection:
        bound = await one_bound(connection, terminal.id)
    assert bound is not None
    assert (bound.resident_id, bound.bound_since) == (stores.resident(1), second.bound_at)


async def test_a_resident_of_another_centre_takes_the_terminal_there(stores: Stores) -> None:
    terminal, _ = await stores.provisioned()
    neighbour = stores.world.neighbour
    bound = await stores.bind(terminal.id, stores.resident(0, neighbour), Role.COUNTY_OFFICER)
    resident = neighbour.households[0].resident
    assert (bound.centre_id, bound.area_code) == (neighbour.centre.id, resident.area_code)
    with pytest.raises(NotFound):  # it is theirs now
        await stores.unbind(terminal.id)


@pytest.mark.parametrize("place", ["neighbour", "abroad"])
async def test_a_dispatcher_reaches_neither_foreign_residents_nor_foreign_terminals(
    stores: Stores, place: str
) -> None:
    foreign: Place = getattr(stores.world, place)
    own, _ = await stores.provisioned()
    with pytest.raises(NotFound):
        await stores.bind(own.id, stores.resident(0, foreign))
    other, _ = await stores.provisioned(foreign)
    with pytest.raises(NotFound):
        await stores.bind(other.id, stores.resident(0))


async def test_a_foreign_centres_stock_is_not_ours_to_fill(stores: Stores) -> None:
    new = TerminalCreate(
        serial=f"S-{uuid4()}",
        profile_id=stores.world.profile_id,
        centre_id=stores.world.neighbour.centre.id,
    )
    with pytest.raises(NotFound):
        async with stores.database.unit_of_work(await stores.actor()) as work:
            await lifecycle.register(work, new)


async def test_a_serial_is_registered_once_wherever_it_is(stores: Stores) -> None:
    taken = await stores.new(stores.world.abroad)
    new = TerminalCreate(
        serial=taken.serial, profile_id=stores.world.profile_id, centre_id=stores.world.here.centre.id
    )
    with pytest.raises(SerialTaken):
        async with stores.database.unit_of_work(await stores.actor()) as work:
            await lifecycle.register(work, new)


async def test_only_one_of_many_binds_wins(stores: Stores) -> None:
    terminal, _ = await stores.provisioned()
    await all_connected(stores.database, POOL)
    tries = [stores.bind(terminal.id, stores.resident(number % 2)) for number in range(12)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(result, Terminal) for result in results) == 1
    assert all(isinstance(result, Terminal | IllegalTransition) for result in results)
    [binding] = await stores.bindings(terminal.id)
    [won] = [result for result in results if isinstance(result, Terminal)]
    assert binding.resident_id == won.resident_id


async def test_a_bound_terminal_is_bound_again_only_after_it_was_taken_back(stores: Stores) -> None:
    terminal = await stores.bound(0)
    with pytest.raises(IllegalTransition):
        await stores.bind(terminal.id, stores.resident(1))


async def test_a_suspended_terminal_stays_with_its_resident_and_comes_back(stores: Stores) -> None:
    terminal = await stores.bound()
    manager = await stores.actor()
    async with stores.database.unit_of_work(manager) as work:
        await lifecycle.suspend(work, terminal.id, "送修")
    async with stores.database.engine.connect() as connection:
        assert await one_bound(connection, terminal.id) is None
    async with stores.database.unit_of_work(manager) as work:
        back = await lifecycle.resume(work, terminal.id)
    assert (back.status, back.resident_id) == (TerminalStatus.BOUND, stores.resident())
    assert len(await stores.bindings(terminal.id)) == 1


async def test_retiring_ends_the_binding(stores: Stores) -> None:
    terminal = await stores.bound()
    async with stores.database.unit_of_work(await stores.actor()) as work:
        retired = await lifecycle.retire(work, terminal.id, "损坏")
    assert (retired.resident_id, retired.password_hash) == (None, None)
    [binding] = await stores.bindings(terminal.id)
    assert binding.unbound_at is not None
    with pytest.raises(IllegalTransition):
        async with stores.database.unit_of_work(await stores.actor()) as work:
            await lifecycle.retire(work, terminal.id, "again")


async def test_rotating_makes_a_new_password_and_revoking_leaves_none(stores: Stores) -> None:
    terminal, first = await stores.provisioned()
    manager = await stores.actor()
    async with stores.database.unit_of_work(manager) as work:
        rotated, second = await lifecycle.rotate(work, terminal.id)
    assert first != second
    assert verify_password(second, rotated.password_hash or "")
    assert not verify_password(first, rotated.password_hash or "")
    async with stores.database.unit_of_work(manager) as work:
        revoked = await lifecycle.revoke(work, terminal.id, "泄露")
    assert (revoked.password_hash, revoked.status) == (None, TerminalStatus.PROVISIONED)
    assert [line.reason for line in await stores.history(terminal.id)][-2:] == [
        "credential rotated",
        "credential revoked: 泄露",
    ]
    for text in [str(line.reason) for line in await stores.history(terminal.id)]:
        assert first not in text
        assert second not in text


async def test_what_is_on_the_shelf_has_no_credential_to_rotate(stores: Stores) -> None:
    terminal = await stores.new()
    with pytest.raises(NotInService):
        async with stores.database.unit_of_work(await stores.actor()) as work:
            await lifecycle.rotate(work, terminal.id)


async def test_an_old_version_is_refused(stores: Stores) -> None:
    terminal, _ = await stores.provisioned()
    with pytest.raises(VersionMismatch):
        await stores.bind(terminal.id, stores.resident(), if_match=terminal.version - 1)
    await stores.bind(terminal.id, stores.resident(), if_match=terminal.version)


async def test_reading_the_bindings_leaves_a_line_in_the_residents_log(stores: Stores) -> None:
    terminal = await stores.bound()
    async with stores.database.unit_of_work(await stores.actor(Role.DISPATCHER)) as work:
        rows = await service.bindings_of(work, 10, None, terminal.id)
    assert [row.resident_id for row in rows] == [stores.resident()]
    async with stores.database.unit_of_work(await stores.world.actor(Role.RESIDENT)) as work:
        reads = await list_reads_of_residents(work, 50, None)
    assert "terminal_bindings" in {read.resource for read in reads}
