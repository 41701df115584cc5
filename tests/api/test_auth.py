"""Signing in and out over HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import jwt
import pytest
from sqlalchemy import text

from api.house import House, open_redis
from services.core.actor import SYSTEM, Role
from services.identity.models import Account
from services.identity.sender import codes_file
from services.identity.tokens import Claims, issue_access_token, signing_key
from services.residents.models import RelationKind
from tests.people import PASSWORD, new_phone, relationship
from tests.world import World, build_world


@pytest.fixture(autouse=True)
async def forget_tries(house: House) -> None:
    """All tests come from one address: its counter starts at zero."""
    keys = [key async for key in house.redis.scan_iter("gy:tries:*")]
    keys += [key async for key in house.redis.scan_iter("gy:code:address:*")]
    if keys:
        await house.redis.delete(*keys)


async def sign_in(client: httpx.AsyncClient, login: str | None, password: str = PASSWORD) -> httpx.Response:
    """Try a password."""
    return await client.post("/auth/sign-in", json={"login": login, "password": password})


async def me(client: httpx.AsyncClient, token: str) -> httpx.Response:
    """The cheapest request that needs a token."""
    return await client.get("/me", headers={"Authorization": f"Bearer {token}"})


def code_for(house: House, phone: str) -> str:
    """The last code that was sent to a number."""
    lines = [json.loads(line) for line in codes_file(house.settings).read_text().splitlines()]
    return str(next(line["code"] for line in reversed(lines) if line["phone"] == phone))


def code_of(answer: httpx.Response) -> Any:
    """The stable code of a refusal."""
    return answer.json()["code"]


async def execute(house: House, statement: str, **values: Any) -> None:
    """Change something behind the API's back."""
    async with house.database.unit_of_work(SYSTEM) as work:
        await work.sql(text(statement), values)


# Passwords


@pytest.mark.parametrize(
    "role",
    [
        Role.DISPATCHER,
        Role.CENTRE_MANAGER,
        Role.CLINICIAN,
        Role.CAREGIVER,
        Role.COUNTY_OFFICER,
        Role.AUDITOR,
    ],
)
async def test_staff_sign_in_with_a_password(client: httpx.AsyncClient, world: World, role: Role) -> None:
    account = world.account(role)
    answer = await sign_in(client, account.login)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["token_type"] == "Bearer"
    assert body["role"] == role
    assert body["expires_in"] == 15 * 60
    own = (await me(client, body["access_token"])).json()
    assert (own["account_id"], own["role"], own["area_code"]) == (str(account.id), role, account.area_code)


async def test_a_login_is_written_in_any_case(client: httpx.AsyncClient, world: World) -> None:
    login = world.account(Role.DISPATCHER).login
    assert login is not None
    assert (await sign_in(client, f" {login.upper()} ")).status_code == 200


async def test_a_wrong_password_and_an_unknown_login_get_the_same_answer(
    client: httpx.AsyncClient, world: World
) -> None:
    wrong = await sign_in(client, world.account(Role.AUDITOR).login, "a wrong password")
    unknown = await sign_in(client, f"nobody-{uuid4()}", "a wrong password")
    assert wrong.status_code == unknown.status_code == 401
    assert code_of(wrong) == code_of(unknown) == "wrong_credentials"
    assert wrong.json().keys() == unknown.json().keys()
    assert wrong.headers["www-authenticate"] == "Bearer"


async def test_five_failures_lock_the_login_even_for_the_right_password(
    client: httpx.AsyncClient, house: House
) -> None:
    world = await build_world(house.database, house.settings, house.vault)
    login = world.account(Role.DISPATCHER).login
    for _ in range(5):
        assert (await sign_in(client, login, "a wrong password")).status_code == 401
    locked = await sign_in(client, login)
    assert locked.status_code == 429
    assert code_of(locked) == "too_many_attempts"
    assert 0 < int(locked.headers["retry-after"]) <= 900
    other = await sign_in(client, world.account(Role.CENTRE_MANAGER).login)
    assert other.status_code == 200


async def test_success_forgets_the_failures(client: httpx.AsyncClient, world: World) -> None:
    login = world.account(Role.CLINICIAN).login
    for _ in range(2):
        for _ in range(4):
            await sign_in(client, login, "a wrong password")
        assert (await sign_in(client, login)).status_code == 200


async def test_many_failures_from_one_address_lock_the_address(client: httpx.AsyncClient, world: World) -> None:
    answers = await asyncio.gather(*(sign_in(client, f"nobody-{uuid4()}", "x") for _ in range(55)))
    assert sorted({answer.status_code for answer in answers}) == [401, 429]
    assert (await sign_in(client, world.account(Role.DISPATCHER).login)).status_code == 429


async def test_disabled_and_household_accounts_have_no_password_way_in(
    client: httpx.AsyncClient, house: House
) -> None:
    world = await build_world(house.database, house.settings, house.vault)
    staff, terminal = world.account(Role.DISPATCHER), world.account(Role.TERMINAL)
    await execute(house, "UPDATE account SET disabled_at = now() WHERE id = :id", id=staff.id)
    for account in (staff, terminal):
        answer = await sign_in(client, account.login)
        assert (answer.status_code, code_of(answer)) == (401, "wrong_credentials")


async def test_a_password_never_comes_back_in_an_answer(client: httpx.AsyncClient) -> None:
    answer = await client.post("/auth/sign-in", json={"login": "x", "password": ["a secret word"]})
    assert answer.status_code == 422
    assert "secret" not in answer.text


# One-time codes


async def request_code(client: httpx.AsyncClient, phone: str) -> httpx.Response:
    """Ask for a code."""
    return await client.post("/auth/codes", json={"phone": phone})


async def test_a_resident_and_a_daughter_sign_in_with_a_code(
    client: httpx.AsyncClient, house: House, world: World
) -> None:
    household = world.here.households[0]
    for phone, role in ((household.phone, "resident"), (household.family_phone, "family")):
        assert (await request_code(client, f"+86 {phone}")).status_code == 202
        body = {"phone": phone, "code": code_for(house, phone)}
        answer = await client.post("/auth/codes/sign-in", json=body)
        assert answer.status_code == 200, answer.text
        assert answer.json()["role"] == role
        own = (await me(client, answer.json()["access_token"])).json()
        assert [resident["id"] for resident in own["residents"]] == [str(household.resident.id)]
        assert own["centre"]["id"] == str(world.here.centre.id)
        again = await client.post("/auth/codes/sign-in", json=body)
        assert (again.status_code, code_of(again)) == (401, "wrong_code")


async def test_a_known_and_an_unknown_number_get_the_same_answers(
    client: httpx.AsyncClient, house: House, world: World
) -> None:
    unknown, known = new_phone(), world.here.households[1].phone
    first = [await request_code(client, phone) for phone in (unknown, known)]
    assert [answer.status_code for answer in first] == [202, 202]
    assert first[0].json() == first[1].json()
    again = [await request_code(client, phone) for phone in (unknown, known)]
    assert [answer.status_code for answer in again] == [429, 429]
    assert all(0 < int(answer.headers["retry-after"]) <= 60 for answer in again)
    tries = [
        await client.post("/auth/codes/sign-in", json={"phone": phone, "code": "000000"})
        for phone in (unknown, known)
    ]
    assert {code_of(answer) for answer in tries} == {"wrong_code"}
    assert unknown not in codes_file(house.settings).read_text()


async def test_staff_and_disabled_accounts_get_no_code(client: httpx.AsyncClient, house: House) -> None:
    world = await build_world(house.database, house.settings, house.vault)
    household = world.here.households[0]
    await execute(house, "UPDATE account SET disabled_at = now() WHERE id = :id", id=household.account.id)
    assert (await request_code(client, household.phone)).status_code == 202
    assert household.phone not in codes_file(house.settings).read_text()


@pytest.mark.parametrize("phone", ["0731-84010000", "12345", "not a number", "+1 202 555 0100"])
async def test_what_is_no_mobile_number_is_refused(client: httpx.AsyncClient, phone: str) -> None:
    answer = await request_code(client, phone)
    assert (answer.status_code, code_of(answer)) == (422, "invalid_input")


# Refreshing and signing out


async def refresh(client: httpx.AsyncClient, token: str) -> httpx.Response:
    """Use a refresh token."""
    return await client.post("/auth/refresh", json={"refresh_token": token})


async def test_refreshing_rotates_both_tokens(client: httpx.AsyncClient, world: World) -> None:
    first = await world.sign_in(Role.DISPATCHER)
    second = (await refresh(client, first.refresh_token)).json()
    assert second["refresh_token"] != first.refresh_token
    third = (await refresh(client, second["refresh_token"])).json()
    assert (await me(client, third["access_token"])).status_code == 200


async def test_a_used_refresh_token_ends_the_whole_session(client: httpx.AsyncClient, world: World) -> None:
    first = await world.sign_in(Role.DISPATCHER)
    second = (await refresh(client, first.refresh_token)).json()
    third = (await refresh(client, second["refresh_token"])).json()
    stolen = await refresh(client, first.refresh_token)
    assert (stolen.status_code, code_of(stolen)) == (401, "refresh_refused")
    assert (await refresh(client, third["refresh_token"])).status_code == 401
    for token in (first.access_token, second["access_token"], third["access_token"]):
        answer = await me(client, token)
        assert (answer.status_code, code_of(answer)) == (401, "not_signed_in")


async def test_of_two_refreshes_at_once_one_is_taken_for_theft(client: httpx.AsyncClient, world: World) -> None:
    first = await world.sign_in(Role.DISPATCHER)
    answers = await asyncio.gather(*(refresh(client, first.refresh_token) for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [200, 401]
    assert (await me(client, first.access_token)).status_code == 401


async def test_a_made_up_refresh_token_ends_nothing(client: httpx.AsyncClient, world: World) -> None:
    signed_in = await world.sign_in(Role.DISPATCHER)
    for token in ("x" * 86, signed_in.refresh_token[:-3] + "AAA", signed_in.access_token[:200]):
        assert (await refresh(client, token)).status_code == 401
    assert (await me(client, signed_in.access_token)).status_code == 200
    assert (await refresh(client, signed_in.refresh_token)).status_code == 200


async def test_an_expired_session_cannot_be_refreshed(
    client: httpx.AsyncClient, house: House, world: World
) -> None:
    signed_in = await world.sign_in(Role.DISPATCHER)
    session = jwt.decode(signed_in.access_token, options={"verify_signature": False})["sid"]
    await execute(
        house, "UPDATE auth_session SET expires_at = now() - interval '1 s' WHERE id::text = :id", id=session
    )
    assert (await refresh(client, signed_in.refresh_token)).status_code == 401
    assert (await me(client, signed_in.access_token)).status_code == 401


async def test_signing_out_works_at_once_and_for_this_session_only(
    client: httpx.AsyncClient, world: World
) -> None:
    one, other = await world.sign_in(Role.DISPATCHER), await world.sign_in(Role.DISPATCHER)
    out = await client.post("/auth/sign-out", headers={"Authorization": f"Bearer {one.access_token}"})
    assert out.status_code == 204
    assert out.content == b""
    assert (await me(client, one.access_token)).status_code == 401
    assert (await refresh(client, one.refresh_token)).status_code == 401
    assert (await me(client, other.access_token)).status_code == 200


# Tokens


async def test_without_a_good_token_nobody_is_signed_in(client: httpx.AsyncClient) -> None:
    for header in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Basic eDp5"}, {"Authorization": ""}):
        answer = await client.get("/me", headers=header)
        assert (answer.status_code, code_of(answer)) == (401, "not_signed_in"), header


async def test_an_expired_token_says_so(client: httpx.AsyncClient, house: House, world: World) -> None:
    signed_in = await world.sign_in(Role.DISPATCHER)
    session = jwt.decode(signed_in.access_token, options={"verify_signature": False})
    claims = Claims(session["sub"], session["sid"], session["role"], session["area"])
    past = house.clock.now() - timedelta(minutes=16)
    answer = await me(client, issue_access_token(signing_key(house.settings), claims, past, 15))
    assert (answer.status_code, code_of(answer)) == (401, "token_expired")


async def test_a_token_for_another_account_of_a_live_session_is_refused(
    client: httpx.AsyncClient, house: House, world: World
) -> None:
    signed_in = await world.sign_in(Role.DISPATCHER)
    session = jwt.decode(signed_in.access_token, options={"verify_signature": False})["sid"]
    claims = Claims(world.account(Role.AUDITOR).id, session, "auditor", "430121")
    token = issue_access_token(signing_key(house.settings), claims, house.clock.now(), 15)
    assert (await me(client, token)).status_code == 401


async def test_disabling_an_account_and_changing_its_role_work_at_once(
    client: httpx.AsyncClient, house: House
) -> None:
    world = await build_world(house.database, house.settings, house.vault)
    account, token = world.account(Role.AUDITOR), await world.token(Role.AUDITOR)
    await execute(house, "UPDATE account SET role = 'dispatcher' WHERE id = :id", id=account.id)
    assert (await me(client, token)).json()["role"] == "dispatcher"
    await execute(house, "UPDATE account SET disabled_at = now() WHERE id = :id", id=account.id)
    assert (await me(client, token)).status_code == 401


async def test_nobody_signs_in_as_the_system(client: httpx.AsyncClient, house: House) -> None:
    world = await build_world(house.database, house.settings, house.vault)
    token = await world.token(Role.AUDITOR)
    await execute(house, "UPDATE account SET role = 'system' WHERE id = :id", id=world.account(Role.AUDITOR).id)
    assert (await me(client, token)).status_code == 401


# Care relationships


async def test_a_relationship_that_ends_closes_the_door_at_once(client: httpx.AsyncClient, house: House) -> None:
    world = await build_world(house.database, house.settings, house.vault)
    resident, family = world.here.households[0].resident, world.account(Role.FAMILY)
    headers = await world.headers(Role.FAMILY)
    assert (await client.get(f"/residents/{resident.id}", headers=headers)).status_code == 200
    await execute(house, "UPDATE care_relationship SET ended_at = now() WHERE account_id = :id", id=family.id)
    assert (await client.get(f"/residents/{resident.id}", headers=headers)).status_code == 404
    assert (await client.get("/me", headers=headers)).json()["residents"] == []


async def test_a_family_in_two_towns_reaches_both(client: httpx.AsyncClient, house: House) -> None:
    world = await build_world(house.database, house.settings, house.vault)
    here, there = world.here.households[0].resident, world.neighbour.households[0].resident
    async with house.database.unit_of_work(SYSTEM) as work:
        work.session.add(relationship(work, there, world.account(Role.FAMILY), RelationKind.GUARDIAN))
    headers = await world.headers(Role.FAMILY)
    own = (await client.get("/me", headers=headers)).json()
    assert own["area_code"] == world.here.county
    assert {resident["id"] for resident in own["residents"]} == {str(here.id), str(there.id)}
    for resident in (here, there):
        assert (await client.get(f"/residents/{resident.id}", headers=headers)).status_code == 200
    other = world.neighbour.households[1].resident
    assert (await client.get(f"/residents/{other.id}", headers=headers)).status_code == 404


async def test_me_names_the_place_from_the_county_down(client: httpx.AsyncClient, world: World) -> None:
    own = (await client.get("/me", headers=await world.headers(Role.DISPATCHER))).json()
    assert [(area["code"], area["name_zh"], area["level"]) for area in own["areas"]] == [
        (world.here.county, "测试县", "county"),
        (world.here.town, "测试镇1", "town"),
    ]
    assert own["centre"]["id"] == str(world.here.centre.id)
    assert own["residents"] == []
    officer = (await client.get("/me", headers=await world.headers(Role.COUNTY_OFFICER))).json()
    assert [area["code"] for area in officer["areas"]] == [world.here.county]
    assert officer["centre"] is None


# Redis away


@pytest.fixture
async def without_redis(house: House) -> AsyncIterator[None]:
    """The application's Redis is gone for one test."""
    nowhere = open_redis("redis://127.0.0.1:1")
    kept = house.redis
    object.__setattr__(house, "redis", nowhere)
    yield
    object.__setattr__(house, "redis", kept)
    await nowhere.aclose()


async def test_without_redis_staff_sign_in_and_codes_wait(
    client: httpx.AsyncClient, world: World, without_redis: None
) -> None:
    account: Account = world.account(Role.DISPATCHER)
    signed_in = await sign_in(client, account.login)
    assert signed_in.status_code == 200
    assert (await me(client, signed_in.json()["access_token"])).status_code == 200
    for path, body in (
        ("/auth/codes", {"phone": "13800001234"}),
        ("/auth/codes/sign-in", {"phone": "13800001234", "code": "000000"}),
    ):
        answer = await client.post(path, json=body)
        assert (answer.status_code, code_of(answer)) == (503, "service_unavailable")


async def test_without_redis_signing_out_still_works_at_once(
    client: httpx.AsyncClient, world: World, without_redis: None
) -> None:
    token = await world.token(Role.DISPATCHER)
    headers = {"Authorization": f"Bearer {token}"}
    assert (await client.post("/auth/sign-out", headers=headers)).status_code == 204
    assert (await me(client, token)).status_code == 401
