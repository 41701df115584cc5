"""Readings over HTTP: charts, gaps, a month, and what is kept how long."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from api.house import House
from services.core.actor import SYSTEM, Role
from services.core.ids import new_id
from services.vitals.aggregates.service import aggregate_due
from services.vitals.kinds import Quality, ReadingKind
from services.vitals.repository import ReadingRow, save_readings
from tests.world import World, build_world, open_case

WHEN = datetime(2026, 11, 10, 1, tzinfo=UTC)
"""Nine in the morning in Shanghai."""


@pytest.fixture(scope="module")
async def measured(house: House) -> World:
    """The first resident here: an hour of blood pressure, a value a minute, 20 of them missing."""
    world = await build_world(house.database, house.settings, house.vault)
    resident, terminal = world.here.households[0].resident, new_id()
    rows = [
        ReadingRow(
            terminal, kind, WHEN + timedelta(minutes=n), base + n, Quality.GOOD, n, resident.id,
            resident.area_code, WHEN, False,
        )
        for n in (*range(20), *range(40, 60))
        for kind, base in ((ReadingKind.SYSTOLIC_BP, 100.0), (ReadingKind.DIASTOLIC_BP, 60.0))
    ]  # fmt: skip
    async with house.database.unit_of_work(SYSTEM) as work:
        await save_readings(await work.session.connection(), rows)
    async with house.database.unit_of_work(SYSTEM) as work:  # readings this late show once a worker knows of them
        await aggregate_due(work)
    return world


async def get(
    client: httpx.AsyncClient, world: World, path: str, role: Role = Role.CLINICIAN, **query: Any
) -> httpx.Response:
    """Read something of the first resident's readings."""
    resident_id = world.here.households[0].resident.id
    headers = await world.headers(role)
    return await client.get(f"/residents/{resident_id}/vitals{path}", headers=headers, params=query)


def around(**wider: float) -> dict[str, str]:
    """An hour, or a wider range around it."""
    margin = timedelta(**wider)
    return {"start": (WHEN - margin).isoformat(), "end": (WHEN + timedelta(hours=1) + margin).isoformat()}


async def test_two_kinds_in_one_chart_with_units_and_codes(client: httpx.AsyncClient, measured: World) -> None:
    kinds = ["systolic_bp", "diastolic_bp"]
    answer = await get(client, measured, "/chart", kind=kinds, bucket="15m", **around())
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["bucket"] == "15m"
    high, low = body["series"]
    assert (high["kind"], high["unit"], high["loinc"]) == ("systolic_bp", "mm[Hg]", "8480-6")
    assert (low["kind"], low["loinc"]) == ("diastolic_bp", "8462-4")
    assert [(p["minimum"], p["mean"], p["maximum"], p["count"]) for p in high["points"]] == [
        (100, 107, 114, 15),
        (115, 117, 119, 5),
        (140, 142, 144, 5),
        (145, 152, 159, 15),
    ]
    assert high["latest"]["value"] == 159
    assert high["latest"]["unit"] == "mm[Hg]"


@pytest.mark.parametrize(
    ("days", "points", "bucket"), [(0, 400, "1m"), (0, 30, "5m"), (182, 400, "1d"), (182, 60, "7d")]
)
async def test_the_bucket_follows_from_the_range(
    client: httpx.AsyncClient, measured: World, days: int, points: int, bucket: str
) -> None:
    answer = await get(client, measured, "/chart", kind="systolic_bp", points=points, **around(days=days))
    body = answer.json()
    assert body["bucket"] == bucket
    [series] = body["series"]
    assert sum(point["count"] for point in series["points"]) == 40
    assert len(series["points"]) <= points


@pytest.mark.parametrize(
    "query",
    [
        {"start": "2026-11-10T02:00:00Z", "end": "2026-11-10T01:00:00Z"},
        {"start": "2025-11-10T02:00:00Z", "end": "2026-11-10T01:00:00Z", "bucket": "1m"},
        {"start": "2025-11-10T02:00:00", "end": "2026-11-10T01:00:00Z"},
        {"bucket": "3h"},
        {"points": "0"},
        {"kind": "mood"},
    ],
    ids=["backwards", "too fine", "no offset", "no such bucket", "no points", "no such kind"],
)
async def test_a_senseless_chart_is_refused(
    client: httpx.AsyncClient, measured: World, query: dict[str, str]
) -> None:
    answer = await get(client, measured, "/chart", **{"kind": "heart_rate", **query})
    assert answer.status_code == 422, answer.text


async def test_the_gap_is_found(client: httpx.AsyncClient, measured: World) -> None:
    answer = await get(client, measured, "/gaps", kind="systolic_bp", **around())
    body = answer.json()
    assert (body["usual_seconds"], body["longer_than_seconds"]) == (60, 600)
    [gap] = body["gaps"]
    assert datetime.fromisoformat(gap["start"]) == WHEN + timedelta(minutes=19)
    assert datetime.fromisoformat(gap["end"]) == WHEN + timedelta(minutes=40)
    long = await get(client, measured, "/gaps", kind="systolic_bp", **around(days=20))
    assert long.status_code == 422


async def test_a_month_for_the_clinician(client: httpx.AsyncClient, measured: World) -> None:
    body = (await get(client, measured, "/monthly/2026-11")).json()
    by_kind = {kind["kind"]: kind for kind in body["kinds"]}
    pressure = by_kind["systolic_bp"]
    assert (pressure["count"], pressure["days_measured"], pressure["mean"]) == (40, 1, 129.5)
    assert (pressure["morning_mean"], pressure["evening_mean"]) == (129.5, None)
    assert body["month"] == "2026-11"
    assert (await get(client, measured, "/monthly/2026-13")).status_code == 422


@pytest.mark.parametrize("path", ["/chart", "/gaps", "/monthly/2026-11"])
async def test_every_look_is_in_the_residents_access_log(
    client: httpx.AsyncClient, measured: World, path: str
) -> None:
    resident_id = measured.here.households[0].resident.id
    headers = await measured.headers(Role.RESIDENT)

    async def looks() -> int:
        log = await client.get(f"/residents/{resident_id}/access-log", headers=headers, params={"limit": 100})
        return sum(row["resource"].startswith("vitals.") for row in log.json()["items"])

    before = await looks()
    assert (await get(client, measured, path, kind="systolic_bp")).status_code == 200
    assert await looks() == before + 1


async def test_the_policy_of_keeping_is_no_secret(client: httpx.AsyncClient, measured: World) -> None:
    headers = await measured.headers(Role.AUDITOR)
    body = (await client.get("/retention", headers=headers)).json()
    assert {item["what"] for item in body["items"]} == {
        "reading",
        "reading_hourly",
        "reading_daily",
        "dead_letter",
    }
    assert body["verified"] is False
    assert (await client.get("/retention/log", headers=headers)).status_code == 200


async def test_figures_as_a_file(client: httpx.AsyncClient, measured: World) -> None:
    headers = await measured.headers(Role.CENTRE_MANAGER)
    answer = await client.get("/reports/response.csv", headers=headers, params={"month": "2026-11"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "response-2026-11.csv" in answer.headers["content-disposition"]
    assert answer.content.startswith("\ufeffmonth,".encode())


async def test_an_alert_tells_how_long_each_step_took(client: httpx.AsyncClient, measured: World) -> None:
    case = await open_case(measured)
    headers = await measured.headers(Role.DISPATCHER)
    before = (await client.get(f"/alerts/{case.alert_id}", headers=headers)).json()["durations"]
    assert (before["transport"], before["answer"]) == (0, None)
    await client.post(f"/alerts/{case.alert_id}/acknowledge", headers=headers)
    after = (await client.get(f"/alerts/{case.alert_id}", headers=headers)).json()
    waited = datetime.fromisoformat(after["acknowledged_at"]) - datetime.fromisoformat(after["received_at"])
    assert after["durations"]["answer"] == waited.total_seconds() > 0
    assert after["durations"]["close"] is None


async def test_metrics_show_how_far_the_aggregates_are(client: httpx.AsyncClient) -> None:
    answer = await client.get("http://api/metrics")
    assert "guoyuan_reading_notes_seconds" in answer.text
    assert "guoyuan_aggregates_overdue_seconds" in answer.text
