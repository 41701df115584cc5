"""Ingest on a real broker and database: what is receipted is stored, once; what is unreadable is kept aside."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from api.house import open_house
from devices.ingest import run
from devices.topics import UpChannel, up_topic
from services.alerts.service import acknowledge
from services.core.actor import Role
from services.core.database import Database
from services.core.settings import Settings
from tests.terminals import Pendant, connected_pendant, ingest_hears, now
from tests.world import World, build_world


@pytest.fixture(scope="module")
async def world(settings: Settings) -> AsyncIterator[World]:
    house = open_house(settings)
    yield await build_world(house.database, settings, house.vault)
    await house.close()


@pytest.fixture(scope="module")
async def ingest(settings: Settings, world: World) -> AsyncIterator[None]:
    """Both lanes, running."""
    task = asyncio.create_task(run(settings, "all"))
    await ingest_hears(settings, world)
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def pendant(settings: Settings, world: World, ingest: None) -> AsyncIterator[Pendant]:
    """A bound terminal, connected and listening."""
    async with connected_pendant(settings, world) as connected:
        yield connected


async def rows(database: Database, statement: str, **values: object) -> list[Any]:
    async with database.engine.connect() as connection:
        return list((await connection.execute(text(statement), values)).mappings())


async def test_an_sos_is_receipted_and_opens_an_alert(pendant: Pendant, world: World) -> None:
    await pendant.send(UpChannel.ALARM, {"id": "p1", "kind": "sos", "at": now(seconds=2), "battery": 80})
    receipt = await pendant.hears(id="p1", state="received")
    [alert] = await rows(world.database, "SELECT * FROM alert WHERE resident_id = :id", id=pendant.resident_id)
    assert str(alert["id"]) == receipt["alert_id"]
    assert (alert["kind"], alert["status"], alert["occurrences"]) == ("sos", "open", 1)
    assert 1 < (alert["received_at"] - alert["pressed_at"]).total_seconds() < 30
    ladders = await rows(world.database, "SELECT * FROM escalation WHERE alert_id = :id", id=alert["id"])
    assert len(ladders) == 1


async def test_the_same_alarm_many_times_is_one_press(pendant: Pendant, world: World) -> None:
    message = {"id": "again", "kind": "fall", "at": now()}
    for _ in range(5):
        await pendant.send(UpChannel.ALARM, message)
    await pendant.send(UpChannel.ALARM, {"id": "other", "kind": "fall", "at": now()})
    await pendant.hears(id="other", state="received")
    [alert] = await rows(world.database, "SELECT * FROM alert WHERE resident_id = :id", id=pendant.resident_id)
    assert alert["occurrences"] == 2


async def test_an_alarm_of_an_unknown_kind_without_id_or_time_is_still_an_alarm(
    pendant: Pendant, world: World
) -> None:
    await pendant.send(UpChannel.ALARM, {"kind": "earthquake"})
    await pendant.hears(type="alarm", state="received")
    [alert] = await rows(world.database, "SELECT * FROM alert WHERE resident_id = :id", id=pendant.resident_id)
    assert alert["kind"] == "other"


@pytest.mark.parametrize("payload", [b"\xff\xfe", b"", b"[]", b'{"id": 1}', b"{" * 5000, b"x" * 20_000])
async def test_an_unreadable_alarm_is_kept_aside_and_somebody_looks(
    pendant: Pendant, world: World, payload: bytes
) -> None:
    await pendant.send(UpChannel.ALARM, payload)
    await pendant.hears(type="refused", topic="alarm")
    [letter] = await rows(world.database, "SELECT * FROM dead_letter WHERE terminal_id = :id", id=pendant.id)
    assert letter["topic"] == up_topic(pendant.id, UpChannel.ALARM)
    assert letter["code"]
    [alert] = await rows(world.database, "SELECT * FROM alert WHERE resident_id = :id", id=pendant.resident_id)
    assert alert["kind"] == "unreadable_alarm"
    await pendant.send(UpChannel.ALARM, {"id": "after", "kind": "sos", "at": now()})
    await pendant.hears(id="after", state="received")


async def test_readings_are_stored_once_and_covered_by_a_receipt(pendant: Pendant, world: World) -> None:
    reading = {"kind": "heart_rate", "value": 72, "at": now(minutes=1)}
    pressure = {"kind": "blood_pressure", "systolic": 135, "diastolic": 85, "at": now(minutes=1)}
    for _ in range(3):
        await pendant.send(UpChannel.VITALS, {"seq": 1, "readings": [reading, pressure]})
    await pendant.send(UpChannel.VITALS, {"seq": 2, "readings": [{**reading, "at": now()}]})
    async with asyncio.timeout(10):
        covered: set[int] = set()
        while covered != {1, 2}:
            receipt = await pendant.hears(type="vitals")
            pendant.told.remove(receipt)
            covered |= {seq for first, last in receipt["ranges"] for seq in range(first, last + 1)}
    stored = await rows(
        world.database, "SELECT kind, value FROM reading WHERE terminal_id = :id ORDER BY kind", id=pendant.id
    )
    assert [(r["kind"], r["value"]) for r in stored] == [
        ("diastolic_bp", 85),
        ("heart_rate", 72),
        ("heart_rate", 72),
        ("systolic_bp", 135),
    ]


async def test_a_malformed_reading_goes_aside_and_the_stream_goes_on(pendant: Pendant, world: World) -> None:
    await pendant.send(UpChannel.VITALS, b'{"seq": 7, "readings": [{"kind": "heart_rate", "value": "72"}]}')
    await pendant.hears(type="refused", topic="vitals")
    await pendant.send(UpChannel.VITALS, {"seq": 8, "readings": [{"kind": "spo2", "value": 97, "at": now()}]})
    assert (await pendant.hears(type="vitals"))["ranges"] == [[8, 8]]
    [letter] = await rows(world.database, "SELECT * FROM dead_letter WHERE terminal_id = :id", id=pendant.id)
    assert "72" not in letter["detail"], "a reason must not repeat health data"


async def test_zero_and_absurd_values_are_no_data_and_raise_nothing(pendant: Pendant, world: World) -> None:
    readings = [
        {"kind": "heart_rate", "value": value, "at": now(minutes=10 - i)}
        for i, value in enumerate((0, 0, 0, 0, 900, 900, 900))
    ]
    await pendant.send(UpChannel.VITALS, {"seq": 1, "readings": readings})
    await pendant.hears(type="vitals")
    stored = await rows(world.database, "SELECT quality FROM reading WHERE terminal_id = :id", id=pendant.id)
    assert {r["quality"] for r in stored} == {"no_data"}
    assert not await rows(world.database, "SELECT * FROM alert WHERE resident_id = :id", id=pendant.resident_id)


async def test_a_fast_pulse_that_persists_raises_one_alert(pendant: Pendant, world: World) -> None:
    for seq, value in enumerate((150, 80, 150, 80, 150, 150, 150)):
        reading = {"kind": "heart_rate", "value": value, "at": now(minutes=20 - seq)}
        await pendant.send(UpChannel.VITALS, {"seq": seq, "readings": [reading]})
        await asyncio.sleep(0.05)  # as it comes in life: one by one, so that each is judged by itself
    await pendant.send(UpChannel.VITALS, {"seq": 99, "readings": [{"kind": "steps", "value": 1, "at": now()}]})
    await pendant.covered(99)
    [alert] = await rows(world.database, "SELECT * FROM alert WHERE resident_id = :id", id=pendant.resident_id)
    assert (alert["kind"], alert["occurrences"]) == ("heart_rate", 1)


async def test_a_clock_far_off_is_corrected_and_marked(pendant: Pendant, world: World) -> None:
    wrong = (datetime.now(UTC) + timedelta(days=800)).isoformat()
    await pendant.send(UpChannel.VITALS, {"seq": 1, "readings": [{"kind": "spo2", "value": 97, "at": wrong}]})
    await pendant.hears(type="vitals")
    [stored] = await rows(world.database, "SELECT * FROM reading WHERE terminal_id = :id", id=pendant.id)
    assert stored["clock_corrected"]
    assert abs((datetime.now(UTC) - stored["measured_at"]).total_seconds()) < 60


async def test_a_heartbeat_shows_the_terminal_online(pendant: Pendant, world: World) -> None:
    await pendant.send(UpChannel.STATUS, {"state": "heartbeat", "at": now(), "battery": 55, "signal": -70})
    await pendant.send(UpChannel.VITALS, {"seq": 1, "readings": [{"kind": "steps", "value": 1, "at": now()}]})
    await pendant.covered(1)
    state = await rows(world.database, "SELECT * FROM terminal_state WHERE terminal_id = :id", id=pendant.id)
    assert (state[0]["is_online"], state[0]["battery_percent"], state[0]["signal_dbm"]) == (True, 55, -70)


async def test_an_acknowledgement_reaches_the_terminal(pendant: Pendant, world: World) -> None:
    await pendant.send(UpChannel.ALARM, {"id": "help", "kind": "sos", "at": now()})
    receipt = await pendant.hears(id="help", state="received")
    async with world.database.unit_of_work(await world.actor(Role.DISPATCHER)) as work:
        await acknowledge(work, UUID(receipt["alert_id"]))
    assert (await pendant.hears(id="help", state="acknowledged"))["alert_id"] == receipt["alert_id"]
