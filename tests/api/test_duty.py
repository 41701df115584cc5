"""Rotas, replacements and swaps over HTTP."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from api.house import House
from services.core.actor import Role
from services.core.clock import BUSINESS_ZONE
from tests.world import World, build_world


@pytest.fixture
async def fresh(house: House) -> World:
    """A world of one's own: a rota changes who is on duty."""
    return await build_world(house.database, house.settings, house.vault)


def rota_of(world: World, *turn: Any, **changes: Any) -> dict[str, Any]:
    shift = {
        "name": "全天",
        "weekdays": [1, 2, 3, 4, 5, 6, 7],
        "starts": "00:00",
        "ends": "00:00",
        "turns": [[str(person) for person in turn]],
    }
    today = datetime.now(BUSINESS_ZONE).date()
    body = {
        "centre_id": str(world.here.centre.id),
        "role": "dispatcher",
        "name": "调度值班",
        "shifts": [shift],
        "valid_from": today.isoformat(),
    }
    return body | changes


async def test_a_rota_from_making_to_ending(client: httpx.AsyncClient, fresh: World) -> None:
    manager, dispatcher = await fresh.headers(Role.CENTRE_MANAGER), fresh.account(Role.DISPATCHER)
    key = manager | {"Idempotency-Key": str(uuid4())}
    made = await client.post("/duty/rotas", headers=key, json=rota_of(fresh, dispatcher.id))
    again = await client.post("/duty/rotas", headers=key, json=rota_of(fresh, dispatcher.id))
    assert made.status_code == 201, made.text
    assert made.json()["id"] == again.json()["id"]
    rota_id = made.json()["id"]
    centre = f"/centres/{fresh.here.centre.id}/duty"
    duty = (await client.get(centre, headers=manager)).json()
    assert duty["has_rota"] is True
    assert [person["account_id"] for person in duty["now"]] == [str(dispatcher.id)]
    assert (await client.get(f"{centre}/gaps", headers=manager)).json()["items"] == []
    fields = {k: v for k, v in rota_of(fresh).items() if k not in ("centre_id", "role")}
    stale = await client.put(f"/duty/rotas/{rota_id}", headers=manager | {"If-Match": '"9"'}, json=fields)
    assert stale.status_code == 412
    changed = await client.put(f"/duty/rotas/{rota_id}", headers=manager | {"If-Match": '"1"'}, json=fields)
    assert (changed.json()["version"], changed.headers["etag"]) == (2, '"2"')
    (gap,) = (await client.get(f"{centre}/gaps", headers=manager)).json()["items"]
    length = datetime.fromisoformat(gap["ends_at"]) - datetime.fromisoformat(gap["starts_at"])
    assert length == timedelta(days=14)


async def test_a_replacement_and_its_end(client: httpx.AsyncClient, fresh: World) -> None:
    manager, dispatcher = await fresh.headers(Role.CENTRE_MANAGER), fresh.account(Role.DISPATCHER)
    rota = (await client.post("/duty/rotas", headers=manager, json=rota_of(fresh, dispatcher.id))).json()
    now = fresh.database.clock.now()
    body = {
        "absent_account_id": str(dispatcher.id),
        "starts_at": (now - timedelta(hours=1)).isoformat(),
        "ends_at": (now + timedelta(hours=1)).isoformat(),
        "reason": "临时请病假",
    }
    made = await client.post(f"/duty/rotas/{rota['id']}/overrides", headers=manager, json=body)
    assert made.status_code == 201, made.text
    centre = f"/centres/{fresh.here.centre.id}/duty"
    assert (await client.get(centre, headers=manager)).json()["now"] == []
    (listed,) = (await client.get(f"/duty/rotas/{rota['id']}/overrides", headers=manager)).json()["items"]
    cancelled = await client.post(
        f"/duty/overrides/{listed['id']}/cancel", headers=manager | {"If-Match": f'"{listed["version"]}"'}
    )
    assert cancelled.json()["cancelled_at"]
    assert len((await client.get(centre, headers=manager)).json()["now"]) == 1


async def test_a_swap_between_a_dispatcher_and_nobody(client: httpx.AsyncClient, fresh: World) -> None:
    manager, own = await fresh.headers(Role.CENTRE_MANAGER), await fresh.headers(Role.DISPATCHER)
    dispatcher = fresh.account(Role.DISPATCHER)
    rota = (await client.post("/duty/rotas", headers=manager, json=rota_of(fresh, dispatcher.id))).json()
    now = fresh.database.clock.now()
    body = {
        "rota_id": rota["id"],
        "to_account_id": str(fresh.account(Role.CENTRE_MANAGER).id),
        "starts_at": (now + timedelta(days=1)).isoformat(),
        "ends_at": (now + timedelta(days=2)).isoformat(),
        "reason": "家里有事",
    }
    # A manager is no dispatcher: cannot take a dispatcher's duty.
    refused = await client.post("/duty/swaps", headers=own, json=body)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_input")


@pytest.mark.parametrize(
    "changes",
    [
        {"shifts": []},
        {"valid_to": "2000-01-01"},
        {"role": "auditor"},
        {"centre_id": None},
        {"name": ""},
        {"shifts": [{"name": "x", "weekdays": [8], "starts": "08:00", "ends": "20:00", "turns": [[]]}]},
        {"shifts": [{"name": "x", "weekdays": [1], "starts": "24:00", "ends": "20:00", "turns": [[]]}]},
        {"shifts": [{"name": "x", "weekdays": [1], "starts": "08:00", "ends": "20:00", "turns": []}]},
    ],
)
async def test_what_makes_no_sense_is_refused(
    client: httpx.AsyncClient, world: World, changes: dict[str, Any]
) -> None:
    manager = await world.headers(Role.CENTRE_MANAGER)
    answer = await client.post("/duty/rotas", headers=manager, json=rota_of(world, **changes))
    assert answer.status_code in (404, 422), answer.text
