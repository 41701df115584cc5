"""Terminals of every codec on a real broker and database; and payloads that nobody can read, by the thousand."""

import asyncio
import random
import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

import cbor2
import pytest
from sqlalchemy import text

from api.house import open_house
from devices.codecs.registry import NAMES, decode
from devices.ingest import run
from devices.messages import MalformedMessage
from devices.topics import UpChannel
from services.alerts.service import acknowledge
from services.core.actor import Role
from services.core.database import Database
from services.core.settings import Settings
from tests.devices.codec_samples import samples
from tests.fuzz.mutation import Mutator
from tests.terminals import Pendant, connected_pendant, ingest_hears, now
from tests.world import World, build_world

_PROFILE = text(
    """
    INSERT INTO terminal_profile (id, code, name_zh, name_en, kind, capabilities, codec, heartbeat_seconds,
        inactivity_seconds, is_life_safety, default_rules, allow_new, is_active, source, verified, version)
    SELECT gen_random_uuid(), :code, name_zh, name_en, kind, capabilities, :codec, 600, 3600, is_life_safety,
        default_rules, false, is_active, 'test', false, 1
    FROM terminal_profile WHERE code = 'pendant' ON CONFLICT (code) DO NOTHING
    """
)


@pytest.fixture(scope="module")
async def world(settings: Settings) -> AsyncIterator[World]:
    house = open_house(settings)
    built = await build_world(house.database, settings, house.vault)
    async with house.database.engine.begin() as connection:
        for codec in (*NAMES, "klingon"):
            await connection.execute(_PROFILE, {"code": f"speaks-{codec}", "codec": codec})
    yield built
    await house.close()


@pytest.fixture(scope="module")
async def ingest(settings: Settings, world: World) -> AsyncIterator[None]:
    """Both lanes, running."""
    task = asyncio.create_task(run(settings, "all"))
    await ingest_hears(settings, world)
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def read_xml(payload: bytes) -> dict[str, Any]:
    return dict(re.findall(r"<(\w+)>([^<]*)</", payload.decode()))


Speaker = Callable[[str], AbstractAsyncContextManager[Pendant]]


@pytest.fixture
def speaking(settings: Settings, world: World, ingest: None) -> Speaker:
    """A connected terminal of one codec."""

    @asynccontextmanager
    async def speak(codec: str) -> AsyncIterator[Pendant]:
        async with connected_pendant(settings, world, f"speaks-{codec}") as pendant:
            pendant.read = {"cbor": cbor2.loads, "scaip": read_xml}.get(codec, pendant.read)
            yield pendant

    return speak


async def rows(database: Database, statement: str, **values: object) -> list[Any]:
    async with database.engine.connect() as connection:
        return list((await connection.execute(text(statement), values)).mappings())


async def counted(database: Database, statement: str, key: UUID) -> int:
    return len(await rows(database, statement, id=key))


async def until(seconds: float, ask: Callable[[], Awaitable[int]], least: int) -> None:
    async with asyncio.timeout(seconds):
        while await ask() < least:  # noqa: ASYNC110  a table has no event to wait on
            await asyncio.sleep(0.1)


ALERTS = "SELECT * FROM alert WHERE resident_id = :id ORDER BY id"


async def test_cbor_there_and_back(speaking: Speaker, world: World) -> None:
    async with speaking("cbor") as pendant:
        send = partial(pendant.send, UpChannel.ALARM)
        await send(cbor2.dumps({"id": "p1", "kind": "sos", "at": now(seconds=1)}))
        receipt = await pendant.hears(id="p1", state="received")
        [alert] = await rows(world.database, ALERTS, id=pendant.resident_id)
        assert receipt["alert_id"] == str(alert["id"])
        reading = {"kind": "temperature", "value": 98.6, "unit": "[degF]", "at": now()}
        await pendant.send(UpChannel.VITALS, cbor2.dumps({"seq": 5, "readings": [reading]}))
        await pendant.covered(5)
        [stored] = await rows(world.database, "SELECT * FROM reading WHERE terminal_id = :id", id=pendant.id)
        assert stored["value"] == pytest.approx(37)
        async with world.database.unit_of_work(await world.actor(Role.DISPATCHER)) as work:
            await acknowledge(work, alert["id"])
        await pendant.hears(id="p1", state="acknowledged")


async def test_a_gateway_calls_for_help_among_its_readings(speaking: Speaker, world: World) -> None:
    async with speaking("thingsboard") as pendant:
        ts = int(datetime.now(UTC).timestamp() * 1000)
        message = {"ts": ts, "values": {"heartRate": 88, "sos": True, "battery": 33}}
        for _ in range(3):
            await pendant.send(UpChannel.VITALS, message)
        await pendant.hears(type="alarm", state="received", id=f"sos-{ts}")
        await pendant.hears(type="vitals")
        [alert] = await rows(world.database, ALERTS, id=pendant.resident_id)
        assert (alert["kind"], alert["occurrences"]) == ("sos", 1)
        assert await rows(world.database, "SELECT 1 FROM escalation WHERE alert_id = :id", id=alert["id"])
        stored = await rows(world.database, "SELECT * FROM reading WHERE terminal_id = :id", id=pendant.id)
        assert [(row["kind"], row["value"]) for row in stored] == [("heart_rate", 88)]


async def test_a_reading_that_cannot_be_taken_does_not_swallow_the_call(speaking: Speaker, world: World) -> None:
    async with speaking("thingsboard") as pendant:
        await pendant.send(UpChannel.VITALS, {"heartRate": "fast", "sos": True})
        await pendant.hears(type="refused", code="wrong_type")
        await pendant.hears(type="alarm", state="received")
        [alert] = await rows(world.database, ALERTS, id=pendant.resident_id)
        assert alert["kind"] == "sos"


async def test_a_scaip_unit_is_answered_in_scaip(speaking: Speaker, world: World) -> None:
    async with speaking("scaip") as unit:
        await unit.send(UpChannel.ALARM, b"<mrq><ref>41</ref><mty>PI</mty><cid>1</cid><dty>0004</dty></mrq>")
        assert await unit.hears(ref="41", snu="0") == {"ref": "41", "snu": "0", "hbi": "10"}
        [state] = await rows(world.database, "SELECT * FROM terminal_state WHERE terminal_id = :id", id=unit.id)
        assert state["is_online"]
        assert not await rows(world.database, ALERTS, id=unit.resident_id)
        await unit.send(UpChannel.ALARM, b"<mrq><ref>42</ref><mty>ME</mty><dty>0005</dty><cid>1</cid></mrq>")
        assert await unit.hears(ref="42") == {"ref": "42", "snu": "0"}
        await unit.send(UpChannel.ALARM, b"<!DOCTYPE a [<!ENTITY b 'c'>]><mrq/>")
        await unit.hears(snu="2")
        kinds = [alert["kind"] for alert in await rows(world.database, ALERTS, id=unit.resident_id)]
        assert kinds == ["fall", "unreadable_alarm"]


async def test_a_codec_that_is_not_known_loses_no_alarm(speaking: Speaker, world: World) -> None:
    async with speaking("klingon") as pendant:
        await pendant.press("p1")
        await pendant.hears(type="refused", code="unknown_codec")
        [alert] = await rows(world.database, ALERTS, id=pendant.resident_id)
        assert (alert["kind"], alert["status"]) == ("unreadable_alarm", "open")
        [letter] = await rows(world.database, "SELECT * FROM dead_letter WHERE terminal_id = :id", id=pendant.id)
        assert letter["code"] == "unknown_codec"


async def test_a_thousand_unreadable_alarms_are_one_alert_and_page_a_few_times(
    speaking: Speaker, world: World
) -> None:
    async with speaking("native_json") as pendant:
        for number in range(1_000):
            await pendant.send(UpChannel.ALARM, b"\xff garbage %d" % number)
        await pendant.press("after")
        await pendant.hears(seconds=60, id="after", state="received")
        alerts = {row["kind"]: row for row in await rows(world.database, ALERTS, id=pendant.resident_id)}
        assert set(alerts) == {"unreadable_alarm", "sos"}
        assert alerts["unreadable_alarm"]["occurrences"] <= 2  # a border between two periods may lie in between
        letters = await rows(world.database, "SELECT 1 FROM dead_letter WHERE terminal_id = :id", id=pendant.id)
        assert len(letters) == 1_000
        pages = await rows(
            world.database,
            "SELECT name FROM outbox WHERE payload ->> 'alert_id' = :id AND name LIKE 'alert.%'",
            id=str(alerts["unreadable_alarm"]["id"]),
        )
        assert 1 <= len(pages) <= 2


async def test_after_it_was_closed_the_next_unreadable_one_opens_another(speaking: Speaker, world: World) -> None:
    async with speaking("native_json") as pendant:
        await pendant.send(UpChannel.ALARM, b"\xff one")
        await pendant.hears(type="refused")
        async with world.database.engine.begin() as connection:
            await connection.execute(
                text("UPDATE alert SET status = 'resolved' WHERE resident_id = :id"), {"id": pendant.resident_id}
            )
        pendant.told.clear()
        await pendant.send(UpChannel.ALARM, b"\xff two")
        await pendant.hears(type="refused")
        alerts = await rows(world.database, ALERTS, id=pendant.resident_id)
        assert [row["status"] for row in alerts] == ["resolved", "open"]


@pytest.mark.parametrize("codec", NAMES)
async def test_thousands_of_malformed_payloads_and_the_stream_goes_on(
    speaking: Speaker, world: World, codec: str
) -> None:
    """Each is a dead letter with its reason, and what comes behind them is stored."""
    mutator = Mutator(codec, [sample.payload for sample in samples(codec)], random.Random(11))  # noqa: S311  draws
    expected: Counter[str] = Counter()
    async with speaking(codec) as pendant:
        while expected.total() < 1_500:
            payload = mutator.draw()
            try:
                decode(codec, UpChannel.VITALS, payload, datetime.now(UTC), 65_536)
            except MalformedMessage as refusal:
                expected[refusal.code] += 1
                await pendant.send(UpChannel.VITALS, payload)
        good = next(row.payload for row in samples(codec) if "alarms" in row.expect and row.channel == "alarm")
        await pendant.send(UpChannel.ALARM, good)
        letters = "SELECT code FROM dead_letter WHERE terminal_id = :id"
        # The two lanes are two streams: each must have come through before anything is counted.
        await until(60, lambda: counted(world.database, letters, pendant.id), expected.total())
        await until(10, lambda: counted(world.database, ALERTS, pendant.resident_id), 1)
        found = await rows(world.database, letters, id=pendant.id)
        assert Counter(row["code"] for row in found) == expected
        assert len(expected) >= 4
