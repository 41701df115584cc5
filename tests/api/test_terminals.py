"""Terminals over HTTP: lists, the whole life, profiles, self-provisioning, and the broker's questions."""

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from pydantic import SecretStr

from api.app import create_app
from services.core.actor import Role
from services.core.settings import Settings
from tests.world import World, open_case

HOOK_SECRET = "a-secret-of-the-broker"
SERVICE_PASSWORD = "of-the-platform"


async def call(
    client: httpx.AsyncClient, world: World, role: Role, method: str, path: str, **options: Any
) -> httpx.Response:
    """One request as a role, with whatever headers come along."""
    headers = await world.headers(role) | options.pop("headers", {})
    return await client.request(method, path, headers=headers, **options)


async def post(client: httpx.AsyncClient, world: World, role: Role, path: str, **body: Any) -> dict[str, Any]:
    """A change that must work."""
    answer = await call(client, world, role, "POST", path, json=body)
    assert answer.status_code < 300, answer.text
    found: dict[str, Any] = answer.json()
    return found


def stock(world: World) -> dict[str, str]:
    return {
        "serial": f"H-{uuid4()}",
        "profile_id": str(world.profile_id),
        "centre_id": str(world.here.centre.id),
    }


async def test_a_terminals_life_over_http(client: httpx.AsyncClient, world: World) -> None:
    new = await post(client, world, Role.CENTRE_MANAGER, "/terminals", **stock(world))
    path = f"/terminals/{new['id']}"
    given = await post(client, world, Role.CENTRE_MANAGER, f"{path}/provision")
    assert given["username"] == new["id"]
    resident = str(world.here.households[0].resident.id)
    bound = await post(client, world, Role.DISPATCHER, f"{path}/bind", resident_id=resident, room="卧室")
    assert (bound["status"], bound["resident_id"], bound["room"]) == ("bound", resident, "卧室")
    rotated = await post(client, world, Role.CENTRE_MANAGER, f"{path}/credential")
    assert rotated["password"] != given["password"]
    await post(client, world, Role.DISPATCHER, f"{path}/unbind", reason="长者搬走")
    answer = await call(client, world, Role.DISPATCHER, "GET", f"{path}/bindings")
    [binding] = answer.json()["items"]
    assert (binding["resident_id"], binding["room"]) == (resident, "卧室")
    assert binding["unbound_at"] is not None
    history = await call(client, world, Role.CENTRE_MANAGER, "GET", f"{path}/history")
    assert [line["to_status"] for line in history.json()["items"]][::-1] == [
        "stock", "provisioned", "bound", "bound", "provisioned",
    ]  # fmt: skip
    for shown in (answer.text, history.text, (await call(client, world, Role.DISPATCHER, "GET", path)).text):
        assert given["password"] not in shown
        assert "hash" not in shown


async def test_a_terminal_registered_twice_with_one_key_is_one(client: httpx.AsyncClient, world: World) -> None:
    body, key = stock(world), {"idempotency-key": str(uuid4())}
    answers = [
        await call(client, world, Role.CENTRE_MANAGER, "POST", "/terminals", json=body, headers=key)
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    again = await call(client, world, Role.CENTRE_MANAGER, "POST", "/terminals", json=body)
    assert (again.status_code, again.json()["code"]) == (409, "serial_taken")


async def test_a_version_that_has_moved_on_is_refused(client: httpx.AsyncClient, world: World) -> None:
    new = await post(client, world, Role.CENTRE_MANAGER, "/terminals", **stock(world))
    path = f"/terminals/{new['id']}/provision"
    stale = await call(client, world, Role.CENTRE_MANAGER, "POST", path, headers={"if-match": '"99"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "version_mismatch")
    good = await call(
        client, world, Role.CENTRE_MANAGER, "POST", path, headers={"if-match": f'"{new["version"]}"'}
    )
    assert good.status_code == 200
    assert good.headers["etag"] == f'"{new["version"] + 1}"'


async def test_filters(client: httpx.AsyncClient, world: World) -> None:
    case = await open_case(world)
    new = await post(client, world, Role.CENTRE_MANAGER, "/terminals", **stock(world))

    async def found(**query: str) -> set[str]:
        answer = await call(client, world, Role.DISPATCHER, "GET", "/terminals", params={"limit": "100", **query})
        assert answer.status_code == 200, answer.text
        return {item["id"] for item in answer.json()["items"]}

    assert await found(serial=new["serial"][4:]) == {new["id"]}
    assert new["id"] in await found(status="stock")
    assert str(case.terminal_id) not in await found(status="stock")
    assert new["id"] in await found(profile_id=str(world.profile_id))
    assert str(case.terminal_id) in await found(resident_id=str(case.resident_id), kind="pendant")
    assert await found(resident_id=str(case.resident_id), kind="glucometer") == set()
    assert await found(centre_id=str(world.neighbour.centre.id)) == set()
    assert await found(serial="%%%") == set()


async def test_the_county_edits_profiles(client: httpx.AsyncClient, world: World) -> None:
    body = {
        "code": f"m-{uuid4()}", "kind": "wristband", "name_zh": "手环", "name_en": "Band", "source": "说明书",
        "capabilities": {"readings": ["heart_rate"], "is_worn": True},
        "heartbeat_seconds": 600, "inactivity_seconds": 3600,
    }  # fmt: skip
    made = await post(client, world, Role.COUNTY_OFFICER, "/terminal-profiles", **body)
    assert made["data_version"] is None
    again = await call(client, world, Role.COUNTY_OFFICER, "POST", "/terminal-profiles", json=body)
    assert (again.status_code, again.json()["code"]) == (409, "profile_code_taken")
    path = f"/terminal-profiles/{made['id']}"
    change = {key: value for key, value in body.items() if key not in ("code", "kind")} | {
        "battery_low_percent": 15
    }
    changed = await call(client, world, Role.COUNTY_OFFICER, "PUT", path, json=change, headers={"if-match": '"1"'})
    assert (changed.status_code, changed.json()["battery_low_percent"]) == (200, 15)
    stale = await call(client, world, Role.COUNTY_OFFICER, "PUT", path, json=change, headers={"if-match": '"1"'})
    assert stale.status_code == 412
    secret = await post(client, world, Role.COUNTY_OFFICER, f"{path}/provision-secret")
    shown = await call(client, world, Role.DISPATCHER, "GET", path)
    assert shown.json()["provision_key"] == secret["provision_key"]
    assert secret["provision_secret"] not in shown.text
    assert "hash" not in shown.text


@pytest.mark.parametrize(
    "wrong",
    [
        {"inactivity_seconds": 600},
        {"heartbeat_seconds": 1},
        {"codec": "No Such"},
        {"codec": "no_such_codec"},
        {"capabilities": {"alarms": ["earthquake"]}},
        {"capabilities": {"wings": True}},
        {"allow_new": True},
        {"default_rules": [{"code": "no_more_than_a_code"}]},
    ],
    ids=json.dumps,
)
async def test_a_profile_that_makes_no_sense_is_refused(
    client: httpx.AsyncClient, world: World, wrong: dict[str, Any]
) -> None:
    body = {
        "code": f"m-{uuid4()}", "kind": "pendant", "name_zh": "吊坠", "name_en": "P", "source": "说明书",
        "capabilities": {}, "heartbeat_seconds": 600, "inactivity_seconds": 3600, **wrong,
    }  # fmt: skip
    answer = await call(client, world, Role.COUNTY_OFFICER, "POST", "/terminal-profiles", json=body)
    assert answer.status_code == 422, answer.text


async def test_a_rule_of_a_profile_is_checked_when_it_is_saved(client: httpx.AsyncClient, world: World) -> None:
    rule = {
        "code": "slow_pulse",
        "kind": "heart_rate",
        "alert": "heart_rate",
        "condition": {"type": "n_of_m", "needed": 3, "of": 5},
        "levels": [{"severity": "warning", "limits": {"low": 45}}],
        "source": "说明书",
    }
    body = {
        "code": f"m-{uuid4()}", "kind": "wristband", "name_zh": "手环", "name_en": "W", "source": "说明书",
        "capabilities": {}, "default_rules": [rule],
    }  # fmt: skip
    answer = await call(client, world, Role.COUNTY_OFFICER, "POST", "/terminal-profiles", json=body)
    assert answer.status_code == 201, answer.text
    rule["condition"] = {"type": "n_of_m", "needed": 6, "of": 5}
    answer = await call(client, world, Role.COUNTY_OFFICER, "POST", "/terminal-profiles", json=body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["code"] == "invalid_rule"
    assert answer.json()["field"] == "default_rules.0.condition.needed"


async def test_a_new_terminal_fetches_its_credential_once(client: httpx.AsyncClient, world: World) -> None:
    secret = await post(
        client, world, Role.COUNTY_OFFICER, f"/terminal-profiles/{world.profile_id}/provision-secret"
    )
    new = await post(client, world, Role.CENTRE_MANAGER, "/terminals", **stock(world))
    body = {
        "profile_key": secret["provision_key"],
        "profile_secret": secret["provision_secret"],
        "serial": new["serial"],
    }
    given = await client.post("/terminals/provision", json=body)
    assert (given.status_code, given.json()["id"]) == (200, new["id"])
    second = await client.post("/terminals/provision", json=body)
    assert (second.status_code, second.json()["code"]) == (409, "already_provisioned")
    wrong = await client.post("/terminals/provision", json=body | {"profile_secret": "guessed"})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "provision_refused")
    for answer in (second, wrong):
        assert given.json()["password"] not in answer.text
        assert secret["provision_secret"] not in answer.text
    seen = await call(
        client, world, Role.CENTRE_MANAGER, "GET", "/provision-attempts", params={"terminal_id": new["id"]}
    )
    assert [row["outcome"] for row in seen.json()["items"]] == ["wrong_secret", "already_provisioned", "granted"]


@pytest.fixture(scope="module")
async def asked(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """An API whose broker asks it, as the broker."""
    own = settings.model_copy(
        update={
            "broker_hook_secret": SecretStr(HOOK_SECRET),
            "mqtt_url": f"mqtt://guoyuan-service:{SERVICE_PASSWORD}@broker:1883",
        }
    )
    application = create_app(own)
    async with application.router.lifespan_context(application):
        transport = httpx.ASGITransport(app=application, raise_app_exceptions=False)
        headers = {"x-broker-secret": HOOK_SECRET}
        async with httpx.AsyncClient(transport=transport, base_url="http://api/api/v1", headers=headers) as made:
            yield made


async def verdict(asked: httpx.AsyncClient, path: str, **body: str) -> str:
    answer = await asked.post(f"/broker/{path}", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["is_superuser"] is False
    return str(answer.json()["result"])


async def test_the_broker_is_told_who_may_connect(
    asked: httpx.AsyncClient, client: httpx.AsyncClient, world: World
) -> None:
    new = await post(client, world, Role.CENTRE_MANAGER, "/terminals", **stock(world))
    path, one = f"/terminals/{new['id']}", new["id"]
    given = await post(client, world, Role.CENTRE_MANAGER, f"{path}/provision")
    login = {"username": one, "client_id": one, "password": given["password"]}
    assert await verdict(asked, "authenticate", **login) == "allow"
    assert await verdict(asked, "authenticate", **login | {"password": "x"}) == "deny"
    assert await verdict(asked, "authenticate", **login | {"client_id": str(uuid4())}) == "deny"
    assert await verdict(asked, "authenticate", **login | {"username": "root", "client_id": "root"}) == "deny"
    assert (
        await verdict(asked, "authorise", username=one, action="publish", topic=f"gy/v1/{one}/up/alarm") == "allow"
    )
    rotated = await post(client, world, Role.CENTRE_MANAGER, f"{path}/credential")
    assert await verdict(asked, "authenticate", **login) == "deny"
    assert await verdict(asked, "authenticate", **login | {"password": rotated["password"]}) == "allow"
    await post(client, world, Role.CENTRE_MANAGER, f"{path}/credential/revoke", reason="泄露")
    assert await verdict(asked, "authenticate", **login | {"password": rotated["password"]}) == "deny"
    assert (
        await verdict(asked, "authorise", username=one, action="publish", topic=f"gy/v1/{one}/up/alarm") == "deny"
    )


async def test_the_platforms_own_account(asked: httpx.AsyncClient) -> None:
    own = {"username": "guoyuan-service", "client_id": "guoyuan-ingest", "password": SERVICE_PASSWORD}
    assert await verdict(asked, "authenticate", **own) == "allow"
    assert await verdict(asked, "authenticate", **own | {"password": ""}) == "deny"
    assert await verdict(asked, "authenticate", **own | {"client_id": "x"}) == "deny"
    who = "guoyuan-service"
    assert await verdict(asked, "authorise", username=who, action="subscribe", topic="gy/v1/+/up/alarm") == "allow"
    for topic, expected in (
        ("$share/guoyuan-ingest/gy/v1/+/up/vitals", "allow"),
        ("$share/guoyuan-ingest/#", "deny"),
        ("$share/gy", "deny"),
        ("#", "deny"),
    ):
        assert await verdict(asked, "authorise", username=who, action="subscribe", topic=topic) == expected


async def test_nobody_else_may_ask(asked: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    login = {"username": "guoyuan-service", "client_id": "guoyuan-x", "password": SERVICE_PASSWORD}
    for headers in ({"x-broker-secret": "guessed"}, {"x-broker-secret": ""}):
        answer = await asked.post("/broker/authenticate", json=login, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "broker_hook_refused")
    unset = await client.post("/broker/authenticate", json=login, headers={"x-broker-secret": HOOK_SECRET})
    assert (unset.status_code, unset.json()["code"]) == (403, "broker_hook_refused")
