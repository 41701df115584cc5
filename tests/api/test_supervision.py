"""The fault desk over HTTP: what is shown, who takes it, what is written down of the reading."""

from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from api.house import House
from services.core.actor import Role
from tests.world import Case, World, build_world, open_case


@pytest.fixture
async def world(house: House) -> World:
    """A world of its own: faults are counted."""
    return await build_world(house.database, house.settings, house.vault)


@pytest.fixture
async def case(world: World) -> Case:
    """One open fault of a pendant."""
    return await open_case(world)


async def reads(world: World, resident_id: UUID, resource: str) -> int:
    async with world.database.engine.connect() as connection:
        found = await connection.execute(
            text("SELECT count(*) FROM access_log WHERE resident_id = :id AND resource = :resource"),
            {"id": resident_id, "resource": resource},
        )
        return int(found.scalar_one())


async def test_a_fault_is_shown_taken_handed_on_and_cleared(
    client: httpx.AsyncClient, world: World, case: Case
) -> None:
    headers = await world.headers(Role.DISPATCHER)
    faults = f"/centres/{case.centre_id}/faults"
    [shown] = (await client.get(faults, headers=headers)).json()["items"]
    assert (shown["kind"], shown["status"], shown["is_life_safety"]) == ("offline", "open", True)
    assert await reads(world, case.resident_id, "terminal.faults") == 1
    board = (await client.get(f"/centres/{case.centre_id}/board", headers=headers)).json()
    assert [fault["id"] for fault in board["faults"]] == [shown["id"]]
    assert board["faults"][0]["resident_name"].startswith("李")
    assert board["tests_overdue"] == 0

    fault = f"/faults/{shown['id']}"
    taken = await client.post(f"{fault}/assign", headers=headers, json={})
    assert taken.json()["assigned_account_id"] == str(world.account(Role.DISPATCHER).id)
    manager = str(world.account(Role.CENTRE_MANAGER).id)
    stale = {**headers, "If-Match": '"1"'}
    refused = await client.post(f"{fault}/assign", headers=stale, json={"account_id": manager})
    assert (refused.status_code, refused.json()["code"]) == (412, "version_mismatch")
    fresh = {**headers, "If-Match": taken.headers["etag"]}
    handed = await client.post(f"{fault}/assign", headers=fresh, json={"account_id": manager})
    assert (handed.status_code, handed.json()["assigned_account_id"]) == (200, manager)

    cleared = await client.post(f"{fault}/clear", headers=headers, json={"note": "长者住院，终端已断电"})
    assert (cleared.json()["status"], cleared.json()["cleared_by"]) == ("cleared", "person")
    again = await client.post(f"{fault}/clear", headers=headers, json={"note": "再来一次"})
    assert (again.status_code, again.json()["code"]) == (409, "fault_ended")
    assert (await client.get(faults, headers=headers)).json()["items"] == []
    ended = (await client.get(faults, headers=headers, params={"status": "cleared"})).json()["items"]
    assert [one["note"] for one in ended] == ["长者住院，终端已断电"]


async def test_a_colleague_of_another_centre_is_not_found(
    client: httpx.AsyncClient, world: World, case: Case
) -> None:
    stranger = world.account(Role.DISPATCHER, world.neighbour)
    answer = await client.post(
        f"/faults/{case.fault_id}/assign",
        headers=await world.headers(Role.DISPATCHER),
        json={"account_id": str(stranger.id)},
    )
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_faults_come_in_pages(client: httpx.AsyncClient, world: World, case: Case) -> None:
    for _ in range(4):
        await open_case(world)
    headers, seen, cursor = await world.headers(Role.DISPATCHER), [], None
    for _ in range(3):
        params = {"limit": "2"} | ({} if cursor is None else {"cursor": cursor})
        page = (await client.get(f"/centres/{case.centre_id}/faults", headers=headers, params=params)).json()
        seen += [fault["id"] for fault in page["items"]]
        cursor = page["next_cursor"]
    assert cursor is None
    assert len(set(seen)) == len(seen) == 5


async def test_whoever_reads_where_somebody_is_leaves_a_row(
    client: httpx.AsyncClient, world: World, case: Case
) -> None:
    headers = await world.headers(Role.DISPATCHER)
    commands = f"/terminals/{case.terminal_id}/commands"
    shown = (await client.get(f"{commands}/{case.command_id}", headers=headers)).json()
    assert shown["result"]["position"] == {"lat": 28.2, "lng": 113.1}
    await client.get(commands, headers=headers)
    assert await reads(world, case.resident_id, "terminal.commands") == 2


@pytest.mark.parametrize(
    "wish",
    [
        {"kind": "dance"},
        {"kind": "speak"},
        {"kind": "speak", "text": ""},
        {"kind": "locate", "text": "您好"},
        {"kind": "set_interval", "seconds": 0},
        {},
    ],
)
async def test_a_wish_that_is_none(
    client: httpx.AsyncClient, world: World, case: Case, wish: dict[str, object]
) -> None:
    headers = await world.headers(Role.DISPATCHER)
    answer = await client.post(f"/terminals/{case.terminal_id}/commands", headers=headers, json=wish)
    assert answer.status_code == 422, answer.text
