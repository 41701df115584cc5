"""Making accounts, and signing in to them."""

import asyncio
import time
from dataclasses import replace
from uuid import uuid4

import pytest
from argon2 import PasswordHasher
from sqlmodel import select

from api.house import House
from services.core.actor import SYSTEM, Role
from services.core.errors import InvalidInput
from services.identity.accounts import NewAccount, create_phone_account, create_staff_account
from services.identity.errors import LoginTaken, NotSignedIn, WrongCredentials
from services.identity.models import Account
from services.identity.service import (
    authenticate,
    request_code,
    session_stands,
    sign_in_with_password,
    sign_out,
)
from tests.people import PASSWORD, new_phone
from tests.world import World


def staff(role: Role = Role.COUNTY_OFFICER) -> NewAccount:
    """Somebody new."""
    return NewAccount(role=role, display_name="新来的人", area_code="430121")


async def test_a_new_officer_signs_in(house: House) -> None:
    login = f" Officer-{uuid4().hex[:8]} "
    async with house.database.unit_of_work(SYSTEM) as work:
        made = await create_staff_account(work, staff(), login, "a good password")
    signed_in = await sign_in_with_password(house, login.lower(), "a good password", None)
    assert (signed_in.account_id, signed_in.role) == (made.id, Role.COUNTY_OFFICER)
    assert "a good password" not in str(made.password_hash)


async def test_a_login_is_taken_once_and_the_unit_goes_on(house: House) -> None:
    login = f"officer-{uuid4().hex[:8]}"
    async with house.database.unit_of_work(SYSTEM) as work:
        await create_staff_account(work, staff(), login, "a good password")
        with pytest.raises(LoginTaken):
            await create_staff_account(work, staff(), login.upper(), "a good password")
        other = await create_staff_account(work, staff(), f"{login}-2", "a good password")
    async with house.database.unit_of_work(SYSTEM) as work:
        assert await work.session.get(Account, other.id) is not None


@pytest.mark.parametrize(
    ("role", "login", "password"),
    [
        (Role.RESIDENT, "x", "a good password"),
        (Role.TERMINAL, "x", "a good password"),
        (Role.SYSTEM, "x", "a good password"),
        (Role.AUDITOR, " ", "a good password"),
        (Role.AUDITOR, "x" * 65, "a good password"),
        (Role.AUDITOR, "x", "short"),
    ],
)
async def test_what_makes_no_staff_account(house: House, role: Role, login: str, password: str) -> None:
    async with house.database.unit_of_work(SYSTEM) as work:
        with pytest.raises(InvalidInput):
            await create_staff_account(work, staff(role), login, password)


async def test_a_phone_account_keeps_the_number_sealed(house: House) -> None:
    phone = new_phone()
    async with house.database.unit_of_work(SYSTEM) as work:
        made = await create_phone_account(work, house.vault, staff(Role.FAMILY), f"+86 {phone}")
        with pytest.raises(LoginTaken):
            await create_phone_account(work, house.vault, staff(Role.FAMILY), phone)
        for role, number in ((Role.DISPATCHER, new_phone()), (Role.FAMILY, "0731-84010000")):
            with pytest.raises(InvalidInput):
                await create_phone_account(work, house.vault, staff(role), number)
    assert phone not in f"{made.phone_encrypted}{made.phone_lookup}"
    outgoing = await request_code(house, phone, None)
    assert outgoing is not None
    assert outgoing.phone == phone


async def test_a_hash_with_old_parameters_is_renewed_at_the_next_sign_in(house: House, world: World) -> None:
    old = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    login = f"officer-{uuid4().hex[:8]}"
    async with house.database.unit_of_work(SYSTEM) as work:
        made = await create_staff_account(work, staff(), login, PASSWORD)
        made.password_hash = old
    await sign_in_with_password(house, login, PASSWORD, None)
    async with house.database.unit_of_work(SYSTEM) as work:
        kept = (await work.session.exec(select(Account).where(Account.login == login))).one()
    assert kept.password_hash != old
    await sign_in_with_password(house, login, PASSWORD, None)
    with pytest.raises(WrongCredentials):
        await sign_in_with_password(house, login, "another password", None)


async def test_checking_passwords_leaves_the_event_loop_free(house: House, world: World) -> None:
    logins = [f"nobody-{uuid4()}" for _ in range(6)]
    guesses = asyncio.gather(
        *(sign_in_with_password(house, login, "x", None) for login in logins), return_exceptions=True
    )
    longest = 0.0
    while not guesses.done():
        started = time.perf_counter()
        await asyncio.sleep(0.001)
        longest = max(longest, time.perf_counter() - started)
    assert all(isinstance(refused, WrongCredentials) for refused in await guesses)
    # One check takes 30 ms of a core; six in the loop would stand still for 180.
    assert longest < 0.15


async def test_demo_accounts_end_where_production_begins(house: House) -> None:
    login, phone = f"demo-{uuid4().hex[:8]}", new_phone()
    async with house.database.unit_of_work(SYSTEM) as work:
        await create_staff_account(work, replace(staff(), is_demo=True), login, PASSWORD)
        await create_phone_account(work, house.vault, replace(staff(Role.FAMILY), is_demo=True), phone)
    production = replace(house, settings=house.settings.model_copy(update={"mode": "production"}))
    token = (await sign_in_with_password(house, login, PASSWORD, None)).access_token
    await authenticate(house.database, house.settings, token, house.clock)
    with pytest.raises(NotSignedIn):
        await authenticate(house.database, production.settings, token, house.clock)
    with pytest.raises(WrongCredentials):
        await sign_in_with_password(production, login, PASSWORD, None)
    assert await request_code(production, phone, None) is None


async def test_a_stream_can_ask_whether_its_session_still_stands(house: House, world: World) -> None:
    session_id = (await world.actor(Role.DISPATCHER)).session_id
    assert session_id is not None
    assert await session_stands(house.database, house.settings, session_id, house.clock)
    await sign_out(house, session_id)
    for gone in (session_id, uuid4(), None):
        assert not await session_stands(house.database, house.settings, gone, house.clock)
