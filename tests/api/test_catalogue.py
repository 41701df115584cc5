"""The catalogue over HTTP: writing, publishing, spreadsheets, and what a resident can order."""

import io
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from openpyxl import load_workbook

from api.middleware import MAX_BODY_BYTES
from services.catalogue.sheet import HEADINGS
from services.core.actor import Role
from services.core.sheets import XLSX, write_xlsx
from tests.drafts import draft, new_code
from tests.world import World


@pytest.fixture
async def officer(world: World) -> dict[str, str]:
    return await world.headers(Role.COUNTY_OFFICER)


def body(code: str, **said: Any) -> dict[str, Any]:
    return draft(code, **said).model_dump(mode="json")


async def upload(
    client: httpx.AsyncClient, headers: Mapping[str, str], content: bytes, media_type: str = XLSX, **query: str
) -> httpx.Response:
    return await client.post(
        "/catalogue/import", content=content, headers={**headers, "content-type": media_type}, params=query
    )


async def test_from_draft_to_menu_and_off_it_again(
    client: httpx.AsyncClient, world: World, officer: dict[str, str]
) -> None:
    code = new_code()
    key = {"Idempotency-Key": f"item-{code}"}
    made = await client.post("/catalogue/items", json=body(code), headers=officer | key)
    again = await client.post("/catalogue/items", json=body(code), headers=officer | key)
    assert (made.status_code, again.status_code) == (201, 201)
    assert made.json() == again.json()
    address = f"/catalogue/items/{code}"
    stale = await client.put(f"{address}/draft", json=body(code), headers=officer | {"If-Match": '"99"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "version_mismatch")
    saved = await client.put(
        f"{address}/draft", json=body(code, unit="visit"), headers=officer | {"If-Match": made.headers["etag"]}
    )
    assert saved.json()["draft"]["facts"]["unit"] == "visit"
    done = await client.post(f"{address}/publish", json={"reason": "新增"}, headers=officer)
    assert done.json()["in_force"]["state"] == "published"
    assert code in (await client.get("/catalogue", headers=await world.headers(Role.RESIDENT))).text
    nothing = await client.post(f"{address}/publish", json={"reason": "新增"}, headers=officer)
    assert (nothing.status_code, nothing.json()["code"]) == (409, "no_draft")
    history = await client.get(f"{address}/versions", headers=officer)
    assert [one["number"] for one in history.json()["items"]] == [1]


async def test_every_problem_of_an_item_is_told_at_once(
    client: httpx.AsyncClient, officer: dict[str, str]
) -> None:
    answer = await client.post(
        "/catalogue/items", json=body(new_code()) | {"required_skill": "flying", "may_order": []}, headers=officer
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "item_invalid")
    assert [one["field"] for one in answer.json()["problems"]] == ["required_skill", "may_order"]
    unknown = await client.get("/catalogue/items/no_such_item", headers=officer)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")


async def test_out_to_a_spreadsheet_and_back(client: httpx.AsyncClient, officer: dict[str, str]) -> None:
    exported = await client.get("/catalogue/export", headers=officer)
    assert (exported.status_code, exported.headers["content-type"]) == (200, XLSX)
    page = load_workbook(io.BytesIO(exported.content)).active
    assert page is not None
    assert [cell.value for cell in page[1]] == list(HEADINGS.values())
    report = (await upload(client, officer, exported.content)).json()
    assert (report["errors"], report["created"], report["changed"], report["written"]) == ([], [], [], True)
    assert report["unchanged"] == report["rows"] >= 28


async def test_errors_of_an_import_name_row_and_column_and_nothing_is_written(
    client: httpx.AsyncClient, officer: dict[str, str]
) -> None:
    code = new_code()
    exported = await client.get("/catalogue/export", headers=officer)
    book = load_workbook(io.BytesIO(exported.content))
    page = book.active
    assert page is not None
    heads = [cell.value for cell in page[1]]
    row = [cell.value for cell in page[2]]
    row[heads.index("编码")] = code
    page.append(row)
    page.cell(3, heads.index("人数") + 1).value = "两人"
    out = io.BytesIO()
    book.save(out)
    for query, written in (
        ({}, False),
        ({"only_valid": "true", "preview": "true"}, False),
        ({"only_valid": "true"}, True),
    ):
        report = (await upload(client, officer, out.getvalue(), **query)).json()
        assert (report["written"], report["created"]) == (written, [code])
        assert [(one["row"], one["column"], one["code"]) for one in report["errors"]] == [
            (3, "人数", "not_a_number")
        ]
        found = await client.get(f"/catalogue/items/{code}", headers=officer)
        assert found.status_code == (200 if written else 404)


@pytest.mark.parametrize(
    ("content", "media_type", "status", "code"),
    [
        (b"", XLSX, 422, "sheet_unreadable"),
        (b"PK\x03\x04 not a workbook", XLSX, 422, "sheet_unreadable"),
        (write_xlsx("x", ["编码"], []), XLSX, 422, "sheet_unreadable"),
        (write_xlsx("x", ["编码"], []), "text/csv", 415, "unsupported_media_type"),
        (b"0" * (MAX_BODY_BYTES + 1), XLSX, 413, "too_large"),
    ],
)
async def test_what_is_no_workbook_of_ours_is_refused(
    client: httpx.AsyncClient, officer: dict[str, str], content: bytes, media_type: str, status: int, code: str
) -> None:
    answer = await upload(client, officer, content, media_type)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_resident_sees_what_stands_in_her_way_in_both_languages(
    client: httpx.AsyncClient, world: World
) -> None:
    resident = world.here.households[0].resident
    answer = await client.get(
        "/catalogue", params={"resident_id": str(resident.id)}, headers=await world.headers(Role.RESIDENT)
    )
    items = {item["code"]: item for section in answer.json()["sections"] for item in section["items"]}
    assert items["cleaning"]["orderable"] is True
    refused = items["iv_infusion"]["refusals"][0]
    assert (items["iv_infusion"]["orderable"], refused["code"]) == (False, "negative_list")
    assert "负面清单" in refused["zh"]
    assert "negative list" in refused["en"]
    placed = await client.post(
        "/orders",
        json={
            "resident_id": str(resident.id),
            "item_code": "iv_infusion",
            "window_start": (datetime.now(UTC) + timedelta(days=2)).isoformat(),
            "window_end": (datetime.now(UTC) + timedelta(days=2, hours=3)).isoformat(),
        },
        headers=await world.headers(Role.RESIDENT),
    )
    assert placed.status_code == 422
    assert "negative_list" in placed.text


async def test_consent_and_assessment_over_http(client: httpx.AsyncClient, world: World) -> None:
    resident = world.neighbour.households[1].resident
    clinician = await world.headers(Role.CLINICIAN, world.neighbour)
    own = await world.headers(Role.RESIDENT, world.neighbour, 1)
    texts = (await client.get("/consent-texts", headers=own)).json()
    version = next(text["version"] for text in texts if text["purpose"] == "visit_photos")
    given = await client.post(
        f"/residents/{resident.id}/consents",
        json={"purpose": "visit_photos", "how": "in_app", "text_version": version},
        headers=own,
    )
    assert (given.status_code, given.json()["is_in_force"]) == (201, True)
    revoked = await client.post(f"/consents/{given.json()['id']}/revoke", json={}, headers=own)
    assert (revoked.json()["is_in_force"], revoked.json()["ended_how"]) == (False, "revoked")
    standards = (await client.get("/assessments/standards", headers=clinician)).json()["ability"]
    scores = {item["code"]: item["max"] for group in standards["groups"] for item in group["items"]}
    assert sum(scores.values()) == 90
    form = {
        "assessed_on": "2026-01-05",
        "reason": "first",
        "scores": scores | {"stairs": 0, "walking": 1},
        "risk_events": 2,
        "assessors": [{"name": "测试评估员甲", "has_clinical_background": True}, {"name": "测试评估员乙"}],
    }
    address = f"/residents/{resident.id}/ability-assessments"
    made = (await client.post(address, json=form, headers=clinician)).json()
    assert (made["total"], made["level_by_points"], made["level"]) == (84, 1, 2)
    assert (made["adjustments"], made["valid_until"]) == (["care_risk_events"], "2027-01-04")
    broken = await client.post(address, json={**form, "scores": {"stairs": 9}}, headers=clinician)
    assert (broken.status_code, broken.json()["code"]) == (422, "form_not_whole")
    assert {"item": "stairs", "code": "out_of_range"} in broken.json()["problems"]
    seen = await client.get(address, headers=own)
    assert [one["id"] for one in seen.json()["items"]] == [made["id"]]
    officer = await client.get(address, headers=await world.headers(Role.COUNTY_OFFICER))
    assert officer.status_code == 403
