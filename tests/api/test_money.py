"""Money over HTTP: tariffs and payers are published, never edited; everybody reads what concerns them in words."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from api.house import House
from services.core.actor import SYSTEM, Role
from services.core.clock import BUSINESS_ZONE
from services.residents.models import Resident
from tests.permits import assess_ability
from tests.world import World, build_world


@pytest.fixture
async def town(house: House) -> World:
    """A world that the test may use up."""
    return await build_world(house.database, house.settings, house.vault)


def day(days: int = 0) -> str:
    return (datetime.now(UTC).astimezone(BUSINESS_ZONE).date() + timedelta(days=days)).isoformat()


def tariff(fen: int, **more: Any) -> dict[str, Any]:
    part = {"code": "service", "name_zh": "服务费", "name_en": "Service fee", "kind": "flat", "unit_fen": fen}
    return {
        "item_code": "bathing",
        "valid_from": day(),
        "basis": "tender",
        "reason": "年度招标",
        "price_rule": {
            "source": "测试",
            "version": "1",
            "effective_date": day(),
            "verified": False,
            "components": [part],
        },
        **more,
    }


def fund(**more: Any) -> dict[str, Any]:
    return {
        "code": "village_fund",
        "kind": "collective",
        "name_zh": "村集体资助",
        "name_en": "Village fund",
        "stacking_order": 5,
        "is_active": True,
        "valid_from": day(),
        "source": "测试",
        "reason": "测试",
        "terms": {"share_basis_points": 3000, "caps": {"visit_fen": 2000}},
        **more,
    }


async def test_a_published_price_is_quoted_and_split(client: httpx.AsyncClient, town: World) -> None:
    officer, household = await town.headers(Role.COUNTY_OFFICER), await town.headers(Role.RESIDENT)
    assert (await client.post("/tariffs", json=tariff(9001), headers=officer)).status_code == 201
    assert (await client.post("/payer-programmes", json=fund(), headers=officer)).status_code == 201
    start = datetime.now(UTC) + timedelta(hours=1)
    asked = await client.post(
        "/quotes",
        json={
            "resident_id": str(town.here.households[0].resident.id),
            "items": [{"item_code": "bathing"}],
            "windows": [{"start": start.isoformat(), "end": (start + timedelta(hours=4)).isoformat()}],
        },
        headers=household,
    )
    assert asked.json()["total_fen"] == 9001, asked.text
    split = (await client.get(f"/quotes/{asked.json()['id']}/split", headers=household)).json()
    assert split["self_fen"] == 7001
    assert split["words_zh"] == "预计共90.01元，其中个人承担70.01元。以实际服务为准。"
    told = {payer["payer"]: (payer["amount_fen"], payer["code"]) for payer in split["payers"]}
    assert told["village_fund"] == (2000, "capped_per_visit")
    assert told["consumption_voucher"] == (0, "not_assessed")


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/tariffs", tariff(100, valid_from=day(-1)), 422, "starts_in_the_past"),
        ("/tariffs", tariff(100, item_code="no_such_item"), 404, "not_found"),
        ("/tariffs", tariff(100, basis="public_medical"), 422, "invalid_input"),
        ("/tariffs", tariff(2_000_000), 422, "invalid_input"),
        ("/tariffs", tariff(-1), 422, "invalid_input"),
        ("/tariffs", tariff(100, valid_until=day()), 422, "invalid_input"),
        ("/payer-programmes", fund(code="self"), 422, "invalid_input"),
        ("/payer-programmes", fund(terms={"share_basis_points": 10_001}), 422, "invalid_input"),
        (
            "/payer-programmes",
            fund(terms={"share_basis_points": 1, "excludes": ["nobody"]}),
            422,
            "no_such_programme",
        ),
        (
            "/payer-programmes",
            fund(terms={"share_basis_points": 1, "covers": {"items": ["no_such_item"]}}),
            422,
            "no_such_item",
        ),
        (
            "/payer-programmes",
            fund(terms={"share_basis_points": 1, "conditions": [{"kind": "moon"}]}),
            422,
            "invalid_input",
        ),
        ("/payer-budgets", {"programme": "nobody", "year": 2026, "budget_fen": 1}, 422, "no_such_programme"),
    ],
)
async def test_bad_figures_get_a_clear_answer(
    client: httpx.AsyncClient, world: World, path: str, body: dict[str, Any], status: int, code: str
) -> None:
    answer = await client.post(path, json=body, headers=await world.headers(Role.COUNTY_OFFICER))
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


async def test_a_double_tap_publishes_once_and_a_second_version_of_the_day_is_refused(
    client: httpx.AsyncClient, town: World
) -> None:
    officer = await town.headers(Role.COUNTY_OFFICER)
    key = officer | {"Idempotency-Key": str(uuid4())}
    answers = await asyncio.gather(*(client.post("/tariffs", json=tariff(100), headers=key) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    again = await client.post("/tariffs", json=tariff(200), headers=officer)
    assert (again.status_code, again.json()["code"]) == (409, "period_taken")
    assert (await client.post("/tariffs", json=tariff(200, valid_from=day(1)), headers=officer)).status_code == 201
    listed = (await client.get("/tariffs", params={"item_code": "bathing"}, headers=officer)).json()["items"]
    spans = [(one["valid_from"], one["valid_until"]) for one in listed]
    assert spans == [(day(1), None), (day(), day(1))]


async def test_vouchers_are_issued_once_and_read_in_words(client: httpx.AsyncClient, town: World) -> None:
    resident = town.here.households[0].resident
    async with town.database.unit_of_work(SYSTEM) as work:
        assess_ability(work, await work.session.get_one(Resident, resident.id))
    manager = await town.headers(Role.CENTRE_MANAGER)
    path = f"/residents/{resident.id}/vouchers"
    answers = await asyncio.gather(*(client.post(path, json={}, headers=manager) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {201}
    (voucher,) = (await client.get(path, headers=await town.headers(Role.RESIDENT))).json()["vouchers"]
    assert (voucher["issued_fen"], voucher["available_fen"]) == (80_000, 80_000)
    assert "还可用800.00元" in voucher["words_zh"]
    ledger = (await client.get("/ledger/balances", headers=manager)).json()
    assert set(ledger["sums_fen"].values()) == {0}
    reads = await client.get("/me/access-log", headers=await town.headers(Role.RESIDENT))
    assert "vouchers" in {row["resource"] for row in reads.json()["items"]}
