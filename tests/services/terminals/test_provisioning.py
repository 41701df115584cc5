"""Factory-new terminals that fetch their credential: once, in a crowd too, and always on record."""

import asyncio
from dataclasses import dataclass
from uuid import uuid4

import pytest
from pydantic import SecretStr
from sqlmodel import col, select

from api.house import House
from services.core.actor import SYSTEM, Role
from services.core.errors import DomainError
from services.identity.errors import TooManyAttempts
from services.terminals import lifecycle, profile_desk
from services.terminals.credentials import verify_password
from services.terminals.errors import (
    AlreadyProvisioned,
    NotInStock,
    ProvisionRefused,
    UnknownSerial,
    WrongProfile,
)
from services.terminals.models import (
    ProvisionAttempt,
    ProvisionOutcome,
    Terminal,
    TerminalKind,
    TerminalProfile,
)
from services.terminals.provisioning import ADDRESS_TRIES, provision_itself
from services.terminals.queries import page_of_attempts
from services.terminals.registry_models import (
    CredentialPublic,
    ProfileCreate,
    ProvisionRequest,
    TerminalCreate,
)
from services.terminals.states import TerminalStatus
from tests.crowd import all_connected
from tests.world import World


@dataclass
class Model:
    """A profile with its key and secret, and its terminals on the shelf."""

    house: House
    world: World
    profile: TerminalProfile
    key: str
    secret: str

    async def in_stock(self) -> Terminal:
        new = TerminalCreate(
            serial=f"N-{uuid4()}", profile_id=self.profile.id, centre_id=self.world.here.centre.id
        )
        async with self.house.database.unit_of_work(SYSTEM) as work:
            return await lifecycle.register(work, new)

    async def ask(
        self, serial: str, secret: str | None = None, key: str | None = None, address: str | None = None
    ) -> CredentialPublic:
        request = ProvisionRequest(
            profile_key=key or self.key, profile_secret=SecretStr(secret or self.secret), serial=serial
        )
        return await provision_itself(self.house, request, address)

    async def attempts(self, serial: str) -> list[ProvisionOutcome]:
        async with self.house.database.unit_of_work(SYSTEM) as work:
            query = select(ProvisionAttempt).where(ProvisionAttempt.serial == serial)
            rows = (await work.session.exec(query.order_by(col(ProvisionAttempt.id)))).all()
        return [row.outcome for row in rows]

    async def terminal(self, serial: str) -> Terminal | None:
        async with self.house.database.unit_of_work(SYSTEM) as work:
            return (await work.session.exec(select(Terminal).where(Terminal.serial == serial))).one_or_none()


async def new_model(house: House, world: World, *, allow_new: bool = False) -> Model:
    new = ProfileCreate(
        code=f"m-{uuid4()}",
        kind=TerminalKind.PENDANT,
        name_zh="新型吊坠",
        name_en="A new pendant",
        capabilities={"alarms": ["sos"]},
        source="test",
        allow_new=allow_new,
        intake_centre_id=world.here.centre.id if allow_new else None,
    )
    async with house.database.unit_of_work(await world.actor(Role.COUNTY_OFFICER)) as work:
        profile = await profile_desk.create_profile(work, new, ["native_json"])
    async with house.database.unit_of_work(await world.actor(Role.COUNTY_OFFICER)) as work:
        secret = await profile_desk.renew_secret(work, profile.id)
    return Model(house, world, profile, secret.provision_key, secret.provision_secret)


@pytest.fixture
async def model(house: House, world: World) -> Model:
    return await new_model(house, world)


async def test_the_credential_is_given_once_and_works(model: Model) -> None:
    terminal = await model.in_stock()
    given = await model.ask(terminal.serial, address="192.0.2.7")
    assert (given.id, given.username, given.client_id) == (terminal.id, str(terminal.id), str(terminal.id))
    assert given.topics["alarm"] == f"gy/v1/{terminal.id}/up/alarm"
    assert given.broker.startswith("mqtt")
    stored = await model.terminal(terminal.serial)
    assert stored is not None
    assert stored.status is TerminalStatus.PROVISIONED
    assert verify_password(given.password, stored.password_hash or "")
    with pytest.raises(AlreadyProvisioned):
        await model.ask(terminal.serial)
    after = await model.terminal(terminal.serial)
    assert after is not None
    assert after.password_hash == stored.password_hash
    assert await model.attempts(terminal.serial) == ["granted", "already_provisioned"]


async def test_sixteen_at_once_get_one_credential(model: Model) -> None:
    terminal = await model.in_stock()
    await all_connected(model.house.database, model.house.settings.database_pool_size)
    results = await asyncio.gather(*(model.ask(terminal.serial) for _ in range(16)), return_exceptions=True)
    given = [result for result in results if isinstance(result, CredentialPublic)]
    assert len(given) == 1
    assert sum(isinstance(result, AlreadyProvisioned) for result in results) == 15
    stored = await model.terminal(terminal.serial)
    assert stored is not None
    assert verify_password(given[0].password, stored.password_hash or "")
    assert sorted(await model.attempts(terminal.serial)) == ["already_provisioned"] * 15 + ["granted"]


async def test_sixteen_at_once_of_an_unknown_serial_make_one_terminal(house: House, world: World) -> None:
    model = await new_model(house, world, allow_new=True)
    serial = f"N-{uuid4()}"
    await all_connected(house.database, house.settings.database_pool_size)
    results = await asyncio.gather(*(model.ask(serial) for _ in range(16)), return_exceptions=True)
    assert sum(isinstance(result, CredentialPublic) for result in results) == 1
    assert sum(isinstance(result, AlreadyProvisioned) for result in results) == 15
    stored = await model.terminal(serial)
    assert stored is not None
    assert (stored.centre_id, stored.area_code) == (world.here.centre.id, world.here.town)


async def test_an_unknown_serial_is_refused_and_stays_unknown(model: Model) -> None:
    serial = f"N-{uuid4()}"
    with pytest.raises(UnknownSerial):
        await model.ask(serial)
    assert await model.terminal(serial) is None
    assert await model.attempts(serial) == ["unknown_serial"]


@pytest.mark.parametrize("what", ["secret", "key", "no secret set", "old secret", "inactive"])
async def test_a_wrong_key_or_secret_is_refused_alike(model: Model, what: str) -> None:
    terminal = await model.in_stock()
    asked: dict[str, str] = {}
    async with model.house.database.unit_of_work(SYSTEM) as work:
        if what == "old secret":
            await profile_desk.renew_secret(work, model.profile.id)
        profile = await work.session.get(TerminalProfile, model.profile.id)
        assert profile is not None
        if what == "no secret set":
            profile.provision_secret_hash = None
        if what == "inactive":
            profile.is_active = False
    if what in ("secret", "key"):
        asked = {what: "guessed"}
    with pytest.raises(ProvisionRefused):
        await model.ask(terminal.serial, **asked)
    assert await model.attempts(terminal.serial) == ["wrong_secret"]
    stored = await model.terminal(terminal.serial)
    assert stored is not None
    assert (stored.status, stored.password_hash) == (TerminalStatus.STOCK, None)


async def test_another_models_secret_opens_nothing(model: Model, house: House, world: World) -> None:
    terminal = await model.in_stock()
    other = await new_model(house, world, allow_new=True)
    with pytest.raises(WrongProfile):
        await other.ask(terminal.serial)
    assert await model.attempts(terminal.serial) == ["wrong_profile"]


async def test_a_retired_terminal_does_not_come_back(model: Model) -> None:
    terminal = await model.in_stock()
    async with model.house.database.unit_of_work(SYSTEM) as work:
        await lifecycle.retire(work, terminal.id, "损坏")
    with pytest.raises(NotInStock):
        await model.ask(terminal.serial)


async def test_back_in_stock_it_may_fetch_another(model: Model) -> None:
    terminal = await model.in_stock()
    first = await model.ask(terminal.serial)
    async with model.house.database.unit_of_work(await model.world.actor(Role.CENTRE_MANAGER)) as work:
        await lifecycle.restock(work, terminal.id, "重置出厂")
    second = await model.ask(terminal.serial)
    assert first.password != second.password
    assert await model.attempts(terminal.serial) == ["granted", "granted"]


async def test_one_address_may_not_try_for_ever(model: Model) -> None:
    address = f"198.51.100.{uuid4()}"
    key = [key async for key in model.house.redis.scan_iter("gy:tries:provision:*")]
    serial = f"N-{uuid4()}"
    with pytest.raises(UnknownSerial):
        await model.ask(serial, address=address)
    [counter] = {k async for k in model.house.redis.scan_iter("gy:tries:provision:*")} - set(key)
    await model.house.redis.set(counter, ADDRESS_TRIES, ex=60)
    with pytest.raises(TooManyAttempts):
        await model.ask(serial, address=address)
    assert await model.attempts(serial) == ["unknown_serial"]


async def test_attempts_are_the_centres_to_see(model: Model, world: World) -> None:
    terminal = await model.in_stock()
    await model.ask(terminal.serial, address="192.0.2.9")
    async with model.house.database.unit_of_work(await world.actor(Role.CENTRE_MANAGER)) as work:
        rows = await page_of_attempts(work, 10, None, terminal.id)
    assert [(row.outcome, row.address) for row in rows] == [("granted", "192.0.2.9")]
    async with model.house.database.unit_of_work(await world.actor(Role.CENTRE_MANAGER, world.neighbour)) as work:
        assert await page_of_attempts(work, 10, None, terminal.id) == []


async def test_refusals_are_domain_errors_with_codes_of_their_own() -> None:
    kinds: list[type[DomainError]] = [
        ProvisionRefused, UnknownSerial, WrongProfile, AlreadyProvisioned, NotInStock,
    ]  # fmt: skip
    assert len({kind.code for kind in kinds}) == len(kinds)
