"""Caregivers, their rota and institutions over HTTP."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from api.house import House
from services.caregivers.limits import local_day, monday_of
from services.core.actor import Role
from services.core.clock import BUSINESS_ZONE
from tests.staffing import PAIR_REASON, file_of, institution_of
from tests.world import World, build_world


@pytest.fixture
async def fresh(house: House) -> World:
    """A world of one's own: a rota changes who works."""
    return await build_world(house.database, house.settings, house.vault)


def next_monday() -> datetime:
    """Midnight of the Monday after next, in Shanghai: nobody of the world works then."""
    day = monday_of(local_day(datetime.now(BUSINESS_ZONE))) + timedelta(days=14)
    return datetime(day.year, day.month, day.day, tzinfo=BUSINESS_ZONE)


def match(version: int) -> dict[str, str]:
    return {"If-Match": f'"{version}"'}


async def test_a_nurse_from_taking_on_to_a_published_week(client: httpx.AsyncClient, fresh: World) -> None:
    manager = await fresh.headers(Role.CENTRE_MANAGER)
    centre = fresh.here.centre.id
    key = manager | {"Idempotency-Key": str(uuid4())}
    body = {"centre_id": str(centre), "phone": "13912345678", **file_of(profession="nurse", skills=["nursing"])}
    made = await client.post("/caregivers", headers=key, json=body)
    again = await client.post("/caregivers", headers=key, json=body)
    assert (made.status_code, again.json()["id"]) == (201, made.json()["id"]), made.text
    assert made.headers["etag"] == '"1"'
    one = f"/caregivers/{made.json()['id']}"
    stale = await client.put(one, headers=manager | match(9), json=file_of())
    assert (stale.status_code, stale.json()["code"]) == (412, "version_mismatch")

    licence = {
        "kind": "nurse_licence",
        "issuer": "示范发证机关（虚构）",
        "number": "SF87654321",
        "valid_from": "2024-01-01",
        "valid_until": "2089-01-01",
    }
    recorded = await client.post(f"{one}/credentials", headers=manager, json=licence)
    assert (recorded.status_code, recorded.json()["counts_today"]) == (201, False), recorded.text
    double = await client.post(f"{one}/credentials", headers=manager, json=licence)
    assert (double.status_code, double.json()["code"]) == (409, "credential_on_file")
    path = f"/credentials/{recorded.json()['id']}"
    verified = await client.post(f"{path}/verify", headers=manager | match(1), json={"note": "已核对原件"})
    assert (verified.json()["status"], verified.json()["counts_today"]) == ("verified", True)
    file = (await client.get(one, headers=await fresh.headers(Role.DISPATCHER))).json()
    assert file["phone_masked"] == "139****5678"
    assert [each["number_masked"] for each in file["credentials"]] == ["******4321"]
    assert "87654321" not in str(file)

    start = next_monday() + timedelta(hours=8)
    shift = {"starts_at": start.isoformat(), "ends_at": (start + timedelta(hours=8)).isoformat()}
    draft = await client.post(f"{one}/shifts", headers=manager, json=shift)
    assert (draft.status_code, draft.json()["status"]) == (201, "draft"), draft.text
    week = {"monday": start.date().isoformat()}
    published = await client.post(f"/centres/{centre}/rota/publish", headers=manager, json=week)
    assert published.json()["published"] == 1, published.text
    rota = await client.get(f"/centres/{centre}/rota", headers=manager, params=week)
    row = next(each for each in rota.json()["rows"] if each["caregiver_id"] == made.json()["id"])
    assert (row["work_minutes"], [each["status"] for each in row["shifts"]]) == (480, ["published"])
    wrong = await client.get(f"/centres/{centre}/rota", headers=manager, params={"monday": "2026-11-24"})
    assert (wrong.status_code, wrong.json()["errors"][0]["code"]) == (422, "not_a_monday")


async def test_a_caregivers_own_pages(client: httpx.AsyncClient, fresh: World) -> None:
    mine, theirs = await fresh.headers(Role.CAREGIVER), await fresh.headers(Role.CAREGIVER, number=1)
    manager = await fresh.headers(Role.CENTRE_MANAGER)
    me, colleague = fresh.here.caregivers
    start = next_monday() + timedelta(hours=8)

    async def shift(who: Any, days: int) -> dict[str, Any]:
        begin = start + timedelta(days=days)
        body = {
            "starts_at": begin.isoformat(),
            "ends_at": (begin + timedelta(hours=8)).isoformat(),
            "publish": True,
        }
        made = await client.post(f"/caregivers/{who.id}/shifts", headers=manager, json=body)
        assert made.status_code == 201, made.text
        found: dict[str, Any] = made.json()
        return found

    given, taken = await shift(me, 0), await shift(colleague, 1)
    assert (await client.get("/me/caregiver", headers=mine)).json()["id"] == str(me.id)
    swap = await client.post(
        "/me/shift-swaps",
        headers=mine,
        json={
            "shift_id": given["id"],
            "to_caregiver_id": str(colleague.id),
            "return_shift_id": taken["id"],
            "reason": "家里有事",
        },
    )
    assert swap.status_code == 201, swap.text
    path = f"shift-swaps/{swap.json()['id']}"
    assert (await client.post(f"/me/{path}/agree", headers=theirs)).json()["status"] == "agreed"
    assert (await client.post(f"/{path}/approve", headers=mine, json={})).status_code == 403
    assert (await client.post(f"/{path}/approve", headers=manager, json={})).json()["status"] == "approved"
    week = {"monday": start.date().isoformat()}
    own = (await client.get("/me/week", headers=mine, params=week)).json()
    assert [each["id"] for each in own["shifts"]] == [taken["id"]]
    team = (await client.get("/me/team-week", headers=mine, params=week)).json()
    assert {each["caregiver_id"]: len(each["shifts"]) for each in team["colleagues"]} == {
        str(me.id): 1,
        str(colleague.id): 1,
    }
    now = datetime.now(BUSINESS_ZONE)
    sick = {"kind": "sick", "starts_at": now.isoformat(), "ends_at": (now + timedelta(days=1)).isoformat()}
    reported = await client.post("/me/absences", headers=mine, json=sick)
    assert (reported.status_code, reported.json()["status"]) == (201, "approved"), reported.text
    seen = (await client.get("/absences", headers=theirs)).json()["items"]
    assert seen == []


async def test_nothing_tells_a_caregiver_with_whom_she_is_kept_apart(
    client: httpx.AsyncClient, fresh: World
) -> None:
    manager, mine = await fresh.headers(Role.CENTRE_MANAGER), await fresh.headers(Role.CAREGIVER)
    pair = {
        "resident_id": str(fresh.here.households[0].resident.id),
        "caregiver_id": str(fresh.here.caregivers[0].id),
        "asked_by": "family",
        "reason": PAIR_REASON,
    }
    made = await client.post("/blocked-pairs", headers=manager, json=pair)
    assert (made.status_code, made.json()["reason"]) == (201, PAIR_REASON), made.text
    desk = await client.get("/blocked-pairs", headers=await fresh.headers(Role.DISPATCHER))
    assert PAIR_REASON not in desk.text
    assert (await client.get("/blocked-pairs", headers=mine)).status_code == 403
    for path in ("/me/caregiver", "/me/week", "/me/team-week", "/me/notifications", "/absences", "/shift-swaps"):
        answer = await client.get(path, headers=mine)
        assert answer.status_code == 200, path
        assert made.json()["id"] not in answer.text
        assert PAIR_REASON not in answer.text


async def test_an_institution_from_admission_to_exit(client: httpx.AsyncClient, fresh: World) -> None:
    officer, desk = await fresh.headers(Role.COUNTY_OFFICER), await fresh.headers(Role.DISPATCHER)
    made = await client.post("/institutions", headers=officer, json=institution_of())
    assert (made.status_code, made.json()["takes_work"]) == (201, True), made.text
    path = f"/institutions/{made.json()['id']}"
    assert (await client.post(f"{path}/suspend", headers=desk, json={"reason": "无权"})).status_code == 403
    gone = await client.post(f"{path}/suspend", headers=officer | match(1), json={"reason": "台账造假"})
    assert (gone.json()["status"], gone.json()["closed_because"]) == ("suspended", ["suspended"])
    assert (await client.get(f"{path}/work-to-move", headers=officer)).json()["items"] == []
    listed = (await client.get("/institutions", headers=desk)).json()["items"]
    assert [each["takes_work"] for each in listed if each["id"] == made.json()["id"]] == [False]
    stale = await client.post(f"{path}/exit", headers=officer | match(1), json={"reason": "协议终止"})
    assert stale.status_code == 412
    last = await client.post(f"{path}/exit", headers=officer | match(2), json={"reason": "协议终止"})
    assert last.json()["status"] == "exited"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/caregivers", {"name": "刘"}),
        ("/institutions", institution_of(licence_until="2019-01-01")),
        ("/me/absences", {"kind": "holiday"}),
        ("/rota-templates", {"name": "x", "caregiver_ids": [], "pattern": []}),
    ],
)
async def test_what_makes_no_sense_is_refused(
    client: httpx.AsyncClient, world: World, path: str, body: dict[str, Any]
) -> None:
    role = {"/institutions": Role.COUNTY_OFFICER, "/me/absences": Role.CAREGIVER}.get(path, Role.CENTRE_MANAGER)
    answer = await client.post(path, headers=await world.headers(role), json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input"), answer.text
