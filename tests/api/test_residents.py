"""Residents over HTTP: who sees what, and what is written down about it."""

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text

from api.house import House
from services.core.actor import SYSTEM, Role
from tests.people import CONDITION
from tests.world import World, build_world, open_case

HEALTH_ROLES = [Role.DISPATCHER, Role.CENTRE_MANAGER, Role.CLINICIAN, Role.RESIDENT, Role.FAMILY]
SUPERVISORS = [Role.COUNTY_OFFICER, Role.AUDITOR]


async def get(
    client: httpx.AsyncClient, world: World, role: Role, path: str, number: int = 0, **query: Any
) -> httpx.Response:
    """Read something as a role."""
    return await client.get(path, headers=await world.headers(role, number=number), params=query)


async def change(house: House, statement: str, **values: Any) -> None:
    """Change something behind the API's back."""
    async with house.database.unit_of_work(SYSTEM) as work:
        await work.sql(text(statement), values)


async def log_of(client: httpx.AsyncClient, world: World, resident_id: UUID) -> list[dict[str, Any]]:
    """The newest rows of a resident's access log, as the resident sees them."""
    answer = await get(client, world, Role.RESIDENT, f"/residents/{resident_id}/access-log", limit=100)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


@pytest.mark.parametrize("role", HEALTH_ROLES)
async def test_those_who_care_see_health_and_masked_numbers(
    client: httpx.AsyncClient, world: World, role: Role
) -> None:
    household = world.here.households[0]
    answer = await get(client, world, role, f"/residents/{household.resident.id}")
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["health"]["conditions"] == [CONDITION]
    assert body["phone_masked"] == f"199****{household.phone[-4:]}"
    assert body["id_number_masked"] == f"{household.id_number[:4]}**********{household.id_number[-4:]}"
    assert household.phone not in answer.text
    assert household.id_number not in answer.text
    assert "钥匙" not in answer.text
    assert answer.headers["etag"] == f'"{body["version"]}"'


@pytest.mark.parametrize("role", SUPERVISORS)
async def test_supervisors_see_no_health_and_no_numbers(
    client: httpx.AsyncClient, world: World, role: Role
) -> None:
    answer = await get(client, world, role, f"/residents/{world.here.households[0].resident.id}")
    assert answer.status_code == 200
    body = answer.json()
    hidden = ("health", "phone_masked", "id_number_masked", "latitude", "longitude", "categories", "birth_date")
    assert {name: body[name] for name in hidden} == dict.fromkeys(hidden)
    assert CONDITION not in answer.text
    assert body["name"].startswith("李秀")


async def test_family_without_that_consent_sees_no_health(client: httpx.AsyncClient, house: House) -> None:
    world = await build_world(house.database, house.settings, house.vault)
    resident, family = world.here.households[0].resident, world.account(Role.FAMILY)
    statement = "UPDATE care_relationship SET may_see_health = false WHERE account_id = :id"
    await change(house, statement, id=family.id)
    answer = await get(client, world, Role.FAMILY, f"/residents/{resident.id}")
    assert answer.status_code == 200
    assert answer.json()["health"] is None
    assert answer.json()["phone_masked"] is not None


@pytest.mark.parametrize(
    ("hours", "record", "health"),
    [
        (-30, False, False),
        (-23, True, True),
        (0, True, True),
        (23, True, True),
        (26, True, False),
        (24 * 30, True, False),
    ],
)
async def test_a_caregiver_sees_health_a_day_around_the_visit(
    client: httpx.AsyncClient, house: House, hours: int, record: bool, health: bool
) -> None:
    world = await build_world(house.database, house.settings, house.vault)
    case = await open_case(world)
    for table in ("booking", "visit"):
        statement = (
            f"UPDATE {table} SET starts_at = now() + make_interval(hours => :hours),"  # noqa: S608  two names
            " ends_at = now() + make_interval(hours => :hours + 1) WHERE resident_id = :id"
        )
        await change(house, statement, hours=hours, id=case.resident_id)
    await change(house, "UPDATE offer SET status = 'declined' WHERE resident_id = :id", id=case.resident_id)
    answer = await get(client, world, Role.CAREGIVER, f"/residents/{case.resident_id}")
    assert answer.status_code == (200 if record else 404)
    if record:
        assert (answer.json()["health"] is not None) is health
    colleague = await get(client, world, Role.CAREGIVER, f"/residents/{case.resident_id}", number=1)
    assert colleague.status_code == 404


async def test_a_caregiver_who_is_asked_sees_whom_but_no_health(client: httpx.AsyncClient, house: House) -> None:
    world = await build_world(house.database, house.settings, house.vault)
    case = await open_case(world)
    colleague = world.here.caregivers[1].id
    for table in ("visit", "booking"):
        statement = f"UPDATE {table} SET caregiver_id = :other WHERE resident_id = :id"  # noqa: S608  named above
        await change(house, statement, other=colleague, id=case.resident_id)
    answer = await get(client, world, Role.CAREGIVER, f"/residents/{case.resident_id}")
    assert answer.status_code == 200
    assert answer.json()["health"] is None
    await change(house, "UPDATE offer SET status = 'declined' WHERE resident_id = :id", id=case.resident_id)
    assert (await get(client, world, Role.CAREGIVER, f"/residents/{case.resident_id}")).status_code == 404


async def test_a_cancelled_visit_shows_nothing(client: httpx.AsyncClient, house: House) -> None:
    world = await build_world(house.database, house.settings, house.vault)
    case = await open_case(world)
    for statement in (
        "UPDATE visit SET status = 'cancelled' WHERE resident_id = :id",
        "UPDATE booking SET is_active = false WHERE resident_id = :id",
        "UPDATE offer SET status = 'withdrawn' WHERE resident_id = :id",
    ):
        await change(house, statement, id=case.resident_id)
    assert (await get(client, world, Role.CAREGIVER, f"/residents/{case.resident_id}")).status_code == 404


# Lists


@pytest.mark.parametrize("role", [Role.DISPATCHER, Role.CENTRE_MANAGER, Role.CLINICIAN])
async def test_lists_hold_ones_own_town_and_nothing_of_health(
    client: httpx.AsyncClient, world: World, role: Role
) -> None:
    answer = await get(client, world, role, "/residents", limit=100)
    assert answer.status_code == 200
    own = {str(household.resident.id) for household in world.here.households}
    assert {item["id"] for item in answer.json()["items"]} == own
    assert CONDITION not in answer.text
    assert "199" not in answer.text


async def test_the_county_lists_all_its_towns_page_by_page(client: httpx.AsyncClient, world: World) -> None:
    headers, seen, cursor = await world.headers(Role.COUNTY_OFFICER), [], None
    for _ in range(5):
        query = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = (await client.get("/residents", headers=headers, params=query)).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    everybody = [h.resident.id for place in (world.here, world.neighbour) for h in place.households]
    assert seen == sorted((str(key) for key in everybody), reverse=True)


async def test_finding_by_the_whole_number(client: httpx.AsyncClient, world: World) -> None:
    household, theirs = world.here.households[1], world.neighbour.households[0]
    found = await get(client, world, Role.DISPATCHER, "/residents", phone=f"+86 {household.phone}")
    assert [item["id"] for item in found.json()["items"]] == [str(household.resident.id)]
    foreign = await get(client, world, Role.DISPATCHER, "/residents", phone=theirs.phone)
    assert foreign.json() == {"items": [], "next_cursor": None}
    refused = await get(client, world, Role.DISPATCHER, "/residents", phone="not a number")
    assert refused.status_code == 422


@pytest.mark.parametrize(("name", "count"), [("李", 2), ("李秀", 2), ("%", 0), ("_", 0), ("王", 0), ("'--", 0)])
async def test_finding_by_a_part_of_the_name(
    client: httpx.AsyncClient, world: World, name: str, count: int
) -> None:
    found = await get(client, world, Role.DISPATCHER, "/residents", name=name)
    assert len(found.json()["items"]) == count


# Revealing, the emergency card


@pytest.mark.parametrize("field", ["phone", "id_number"])
async def test_revealing_gives_the_number_and_writes_down_why(
    client: httpx.AsyncClient, world: World, field: str
) -> None:
    household = world.here.households[0]
    purpose = f"确认上门时间 {uuid4()}"
    answer = await client.post(
        f"/residents/{household.resident.id}/reveal",
        headers=await world.headers(Role.DISPATCHER),
        json={"field": field, "purpose": purpose},
    )
    assert answer.status_code == 200
    value = household.phone if field == "phone" else household.id_number
    assert answer.json() == {"field": field, "value": value}
    newest = (await log_of(client, world, household.resident.id))[0]
    assert (newest["purpose"], newest["fields"], newest["role"]) == (purpose, [field], "dispatcher")
    assert newest["reader_name"] == world.account(Role.DISPATCHER).display_name
    assert value not in str(newest)


@pytest.mark.parametrize(
    "body", [{"field": "phone"}, {"field": "phone", "purpose": ""}, {"field": "name", "purpose": "why"}]
)
async def test_revealing_needs_a_purpose(client: httpx.AsyncClient, world: World, body: dict[str, str]) -> None:
    answer = await client.post(
        f"/residents/{world.here.households[0].resident.id}/reveal",
        headers=await world.headers(Role.DISPATCHER),
        json=body,
    )
    assert answer.status_code == 422


async def test_what_was_never_recorded_is_said_so(client: httpx.AsyncClient, house: House) -> None:
    world = await build_world(house.database, house.settings, house.vault)
    resident = world.here.households[0].resident
    await change(
        house, "UPDATE resident SET phone_encrypted = NULL, phone_lookup = NULL WHERE id = :id", id=resident.id
    )
    headers = await world.headers(Role.DISPATCHER)
    answer = await client.post(
        f"/residents/{resident.id}/reveal", headers=headers, json={"field": "phone", "purpose": "why"}
    )
    assert (answer.status_code, answer.json()["code"]) == (404, "nothing_recorded")
    assert (await client.get(f"/residents/{resident.id}", headers=headers)).json()["phone_masked"] is None
    card = await client.get(f"/residents/{resident.id}/emergency-card", headers=headers)
    assert card.json()["phone"] is None


async def test_the_emergency_card_has_everything_a_responder_needs(
    client: httpx.AsyncClient, world: World
) -> None:
    household = world.here.households[0]
    answer = await get(client, world, Role.DISPATCHER, f"/residents/{household.resident.id}/emergency-card")
    assert answer.status_code == 200
    card = answer.json()
    assert (card["phone"], card["access_note"], card["address"]) == (household.phone, "钥匙在邻居家", "果园路1号")
    assert (card["conditions"], card["allergies"], card["medicines"]) == ([CONDITION], ["青霉素"], ["二甲双胍"])
    assert card["contacts"] == [
        {"call_order": 1, "name": "李女士", "relation": "女儿", "phone": household.family_phone}
    ]
    newest = (await log_of(client, world, household.resident.id))[0]
    assert (newest["resource"], newest["purpose"]) == ("emergency_card", "emergency")
    assert {"phone", "conditions", "contacts"} <= set(newest["fields"])


# The access log


async def test_every_reading_leaves_a_row_and_ones_own_does_not(client: httpx.AsyncClient, house: House) -> None:
    world = await build_world(house.database, house.settings, house.vault)
    resident = world.here.households[0].resident
    for role in (Role.RESIDENT, Role.CLINICIAN, Role.AUDITOR, Role.FAMILY):
        assert (await get(client, world, role, f"/residents/{resident.id}")).status_code == 200
    rows = await log_of(client, world, resident.id)
    assert [row["role"] for row in rows] == ["family", "auditor", "clinician"]
    by_role = {row["role"]: row["fields"] for row in rows}
    assert "conditions" in by_role["clinician"]
    assert "conditions" not in by_role["auditor"]
    assert CONDITION not in str(rows)
    mine = (await get(client, world, Role.RESIDENT, "/me/access-log")).json()["items"]
    assert mine == rows


async def test_a_refused_reading_leaves_no_row(client: httpx.AsyncClient, house: House) -> None:
    world = await build_world(house.database, house.settings, house.vault)
    resident = world.neighbour.households[0].resident
    assert (await get(client, world, Role.DISPATCHER, f"/residents/{resident.id}")).status_code == 404
    assert (await get(client, world, Role.CAREGIVER, f"/residents/{resident.id}")).status_code == 404
    audited = await get(client, world, Role.AUDITOR, "/audit/reads", resident_id=str(resident.id))
    assert audited.json()["items"] == []


async def test_the_log_has_pages(client: httpx.AsyncClient, house: House) -> None:
    world = await build_world(house.database, house.settings, house.vault)
    resident = world.here.households[0].resident
    for _ in range(5):
        await get(client, world, Role.CLINICIAN, f"/residents/{resident.id}")
    headers, seen, cursor = await world.headers(Role.RESIDENT), [], None
    for _ in range(4):
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await client.get("/me/access-log", headers=headers, params=query)).json()
        seen += [row["id"] for row in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == 5
    assert seen == sorted(set(seen), reverse=True)


@pytest.mark.parametrize("role", SUPERVISORS)
async def test_supervisors_see_the_reads_of_their_county(
    client: httpx.AsyncClient, house: House, role: Role
) -> None:
    world = await build_world(house.database, house.settings, house.vault)
    places = (world.here, world.neighbour, world.abroad)
    for place in places:
        path = f"/residents/{place.households[0].resident.id}"
        headers = await world.headers(Role.CLINICIAN, place)
        assert (await client.get(path, headers=headers)).status_code == 200
    answer = await get(client, world, role, "/audit/reads")
    assert answer.status_code == 200
    residents = [row["resident_id"] for row in answer.json()["items"]]
    assert residents == [str(place.households[0].resident.id) for place in reversed(places[:2])]
    assert CONDITION not in answer.text
    one = await get(client, world, role, "/audit/reads", account_id=str(world.account(Role.CLINICIAN).id))
    assert [row["resident_id"] for row in one.json()["items"]] == residents[1:]


async def test_a_village_doctor_reaches_one_village(client: httpx.AsyncClient, house: House) -> None:
    world = await build_world(house.database, house.settings, house.vault)
    near, far = (household.resident for household in world.here.households)
    doctor = world.account(Role.CLINICIAN)
    await change(house, "UPDATE account SET area_code = :area WHERE id = :id", area=near.area_code, id=doctor.id)
    await change(
        house,
        "UPDATE resident SET area_code = :area WHERE id = :id",
        area=f"{world.here.town}202",
        id=far.id,
    )
    listed = await get(client, world, Role.CLINICIAN, "/residents")
    assert [item["id"] for item in listed.json()["items"]] == [str(near.id)]
    assert (await get(client, world, Role.CLINICIAN, f"/residents/{near.id}")).status_code == 200
    assert (await get(client, world, Role.CLINICIAN, f"/residents/{far.id}")).status_code == 404
