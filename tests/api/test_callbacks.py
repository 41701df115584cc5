"""Vendors' callbacks: signed, once, and through the same pipeline as what comes over MQTT."""

import base64
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import cbor2
import httpx
import pytest
from sqlalchemy import text

from api.house import House
from services.core.actor import SYSTEM
from services.vendors.models import VendorKey
from services.vendors.service import add_key, enable_key, rotate_key
from services.vendors.signature import signature
from tests.terminals import new_pendant
from tests.world import Case, World, build_world, open_case


@pytest.fixture
async def world(house: House) -> World:
    """One of its own: what is raised here stays here."""
    return await build_world(house.database, house.settings, house.vault)


@pytest.fixture
async def case(world: World) -> Case:
    return await open_case(world)


@dataclass
class Vendor:
    """A vendor's cloud with its key."""

    key: VendorKey
    secret: str
    client: httpx.AsyncClient

    async def send(
        self,
        *messages: dict[str, Any] | bytes,
        message_id: str | None = None,
        at: datetime | None = None,
        secret: str | None = None,
        **headers: str,
    ) -> httpx.Response:
        """One signed callback; bytes are sent as the whole body."""
        body = messages[0] if isinstance(messages[0], bytes) else json.dumps({"messages": messages}).encode()
        message_id = message_id or str(uuid4())
        stamp = str(int((at or datetime.now(UTC)).timestamp()))
        signed = signature(secret or self.secret, message_id, stamp, body)
        given = {"webhook-id": message_id, "webhook-timestamp": stamp, "webhook-signature": signed} | headers
        return await self.client.post(f"/callbacks/{self.key.id}", content=body, headers=given)


Rows = Callable[..., Awaitable[list[Any]]]


@pytest.fixture
def rows(house: House) -> Rows:
    async def ask(statement: str, **values: object) -> list[Any]:
        async with house.database.engine.connect() as connection:
            return list((await connection.execute(text(statement), values)).mappings())

    return ask


@pytest.fixture
async def vendor(house: House, world: World, client: httpx.AsyncClient) -> Vendor:
    return await new_vendor(house, world, client, "native_json")


async def new_vendor(house: House, world: World, client: httpx.AsyncClient, codec: str) -> Vendor:
    async with house.database.unit_of_work(SYSTEM) as work:
        key, secret = await add_key(work, house.vault, "甲厂", world.here.centre.area_code, codec)
    return Vendor(key, secret, client)


async def serial(rows: Rows, case: Case) -> str:
    [terminal] = await rows("SELECT serial FROM terminal WHERE id = :id", id=case.terminal_id)
    return str(terminal["serial"])


def now(**ago: float) -> str:
    return (datetime.now(UTC) - timedelta(**ago)).isoformat()


def sos(device: str, alarm_id: str = "p1") -> dict[str, Any]:
    return {"device": device, "channel": "alarm", "payload": {"id": alarm_id, "kind": "sos", "at": now(seconds=3)}}


ALERTS = "SELECT * FROM alert WHERE resident_id = :id AND subject_id = :id"


async def test_an_sos_opens_an_alert_with_a_ladder(vendor: Vendor, case: Case, rows: Rows) -> None:
    answer = await vendor.send(sos(await serial(rows, case)))
    assert answer.status_code == 200, answer.text
    [result] = answer.json()["results"]
    [alert] = await rows(ALERTS, id=case.resident_id)
    assert (result["state"], result["alert_ids"]) == ("stored", [str(alert["id"])])
    assert (alert["kind"], alert["status"], alert["severity"]) == ("sos", "open", 4)
    assert await rows("SELECT * FROM escalation WHERE alert_id = :id AND next_at IS NOT NULL", id=alert["id"])
    opened = await rows("SELECT * FROM outbox WHERE payload ->> 'alert_id' = :id", id=str(alert["id"]))
    assert [event["name"] for event in opened] == ["alert.opened"]


async def test_the_same_callback_twice_has_one_effect(vendor: Vendor, case: Case, rows: Rows) -> None:
    device = await serial(rows, case)
    message = {"device": device, "channel": "alarm", "payload": {"kind": "sos"}}  # without an id or a time
    first = await vendor.send(message, message_id="call-1")
    again = await vendor.send(message, message_id="call-1", at=datetime.now(UTC) + timedelta(seconds=90))
    assert (first.json()["repeated"], again.json()["repeated"]) == (False, True)
    assert first.json()["results"] == again.json()["results"]
    [alert] = await rows(ALERTS, id=case.resident_id)
    assert alert["occurrences"] == 1


async def test_the_same_alarm_in_two_callbacks_is_one_press(vendor: Vendor, case: Case, rows: Rows) -> None:
    message = sos(await serial(rows, case))
    for _ in range(3):
        assert (await vendor.send(message)).json()["results"][0]["state"] == "stored"
    [alert] = await rows(ALERTS, id=case.resident_id)
    assert alert["occurrences"] == 1


async def test_an_id_used_twice_for_two_calls_loses_neither(vendor: Vendor, case: Case, rows: Rows) -> None:
    device = await serial(rows, case)
    await vendor.send(sos(device, "p1"), message_id="always-the-same")
    second = await vendor.send(sos(device, "p2"), message_id="always-the-same")
    assert second.json()["repeated"] is False
    [alert] = await rows(ALERTS, id=case.resident_id)
    assert alert["occurrences"] == 2


@pytest.mark.parametrize("fault", ["secret", "body", "id", "timestamp", "no signature", "version"])
async def test_a_bad_signature_changes_nothing_and_is_counted(
    vendor: Vendor, case: Case, rows: Rows, fault: str
) -> None:
    async def refusals() -> float:
        metrics = (await vendor.client.get("http://api/metrics")).text.splitlines()
        return sum(
            float(line.rpartition(" ")[2])
            for line in metrics
            if line.startswith('guoyuan_http_requests_total{route="take_callback",status="401"}')
        )

    message, before = sos(await serial(rows, case)), await refusals()
    body = json.dumps({"messages": [message]}).encode()
    stamp = str(int(datetime.now(UTC).timestamp()))
    good = signature(vendor.secret, "m1", stamp, body)
    headers = {"webhook-id": "m1", "webhook-timestamp": stamp, "webhook-signature": good}
    if fault == "secret":
        headers["webhook-signature"] = signature(
            "whsec_" + base64.b64encode(b"x" * 32).decode(), "m1", stamp, body
        )
    elif fault == "body":
        body += b" "
    elif fault == "id":
        headers["webhook-id"] = "m2"
    elif fault == "timestamp":
        headers["webhook-timestamp"] = str(int(stamp) + 1)
    elif fault == "no signature":
        headers["webhook-signature"] = "v1,"
    else:
        headers["webhook-signature"] = good.replace("v1,", "v2,")
    answer = await vendor.client.post(f"/callbacks/{vendor.key.id}", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "callback_refused")
    assert not await rows(ALERTS, id=case.resident_id)
    assert not await rows("SELECT * FROM dead_letter WHERE area_code = :area", area=vendor.key.area_code)
    assert not await rows("SELECT * FROM vendor_callback WHERE vendor_key_id = :id", id=vendor.key.id)
    assert await refusals() == before + 1


@pytest.mark.parametrize("minutes", [-6, 6, -60 * 24])
async def test_an_old_callback_sent_again_is_refused(vendor: Vendor, case: Case, rows: Rows, minutes: int) -> None:
    answer = await vendor.send(sos(await serial(rows, case)), at=datetime.now(UTC) + timedelta(minutes=minutes))
    assert (answer.status_code, answer.json()["code"]) == (401, "callback_expired")
    assert not await rows(ALERTS, id=case.resident_id)


async def test_an_unknown_and_a_disabled_key_look_alike(
    vendor: Vendor, case: Case, rows: Rows, house: House
) -> None:
    message = sos(await serial(rows, case))
    stranger = VendorKey(
        vendor="乙厂", area_code="1", codec="native_json", secret="", created_at=datetime.now(UTC)
    )
    unknown = await Vendor(stranger, vendor.secret, vendor.client).send(message)
    async with house.database.unit_of_work(SYSTEM) as work:
        await enable_key(work, vendor.key.id, False)
    disabled = await vendor.send(message)
    for answer in (unknown, disabled):
        assert (answer.status_code, answer.json()["code"]) == (401, "callback_refused")


async def test_after_a_rotation_both_secrets_are_good_for_a_while(
    vendor: Vendor, case: Case, rows: Rows, house: House
) -> None:
    message = sos(await serial(rows, case))
    async with house.database.unit_of_work(SYSTEM) as work:
        _, newer = await rotate_key(work, house.vault, vendor.key.id, timedelta(hours=1))
    assert (await vendor.send(message)).status_code == 200
    assert (await vendor.send(message, secret=newer)).status_code == 200
    async with house.database.unit_of_work(SYSTEM) as work:
        _, newest = await rotate_key(work, house.vault, vendor.key.id, timedelta(0))
    assert (await vendor.send(message, secret=newer)).status_code == 401
    assert (await vendor.send(message, secret=newest)).status_code == 200


async def test_the_secret_is_sealed(vendor: Vendor, rows: Rows) -> None:
    [row] = await rows("SELECT * FROM vendor_key WHERE id = :id", id=vendor.key.id)
    assert vendor.secret.removeprefix("whsec_") not in str(dict(row))


async def test_each_message_has_its_own_fate(vendor: Vendor, world: World, case: Case, rows: Rows) -> None:
    device = await serial(rows, case)
    foreign = await serial(rows, await open_case(world, world.neighbour))
    reading = {"kind": "heart_rate", "value": 71, "at": now(minutes=1)}
    answer = await vendor.send(
        {"device": device, "channel": "vitals", "payload": {"seq": 1, "readings": [reading]}},
        {"device": device, "channel": "vitals", "payload": {"seq": 2, "readings": [{**reading, "value": "71"}]}},
        sos("nobody's"),
        sos(foreign),
        {"device": device, "channel": "status", "payload": {"state": "heartbeat", "battery": 51}},
        {"channel": "vitals"},
        {"device": device, "channel": "alarm", "payload": "aiuto"},
        sos(device),
    )
    assert answer.status_code == 200, answer.text
    fates = [(result["state"], result["code"]) for result in answer.json()["results"]]
    assert fates == [
        ("stored", None),
        ("refused", "wrong_type"),
        ("refused", "unknown_terminal"),
        ("refused", "unknown_terminal"),
        ("stored", None),
        ("refused", "wrong_type"),
        ("refused", "wrong_type"),
        ("stored", None),
    ]
    stored = await rows("SELECT kind, value FROM reading WHERE terminal_id = :id", id=case.terminal_id)
    assert [(row["kind"], row["value"]) for row in stored] == [("heart_rate", 71)]
    alerts = {alert["kind"] for alert in await rows(ALERTS, id=case.resident_id)}
    assert alerts == {"sos", "unreadable_alarm"}
    letters = await rows(
        "SELECT code FROM dead_letter WHERE area_code LIKE :area", area=f"{vendor.key.area_code}%"
    )
    assert sorted(row["code"] for row in letters) == [
        "unknown_terminal",
        "unknown_terminal",
        "wrong_type",
        "wrong_type",
        "wrong_type",
    ]
    state = await rows("SELECT battery_percent FROM terminal_state WHERE terminal_id = :id", id=case.terminal_id)
    assert state[0]["battery_percent"] == 51


@pytest.mark.parametrize("channel", [{}, {"channel": "emergency"}])
async def test_an_alarm_without_a_channel_is_an_alarm(
    vendor: Vendor, case: Case, rows: Rows, channel: dict[str, str]
) -> None:
    message = {key: value for key, value in sos(await serial(rows, case)).items() if key != "channel"}
    assert (await vendor.send(message | channel)).json()["results"][0]["alert_ids"]
    assert await rows(ALERTS, id=case.resident_id)


@pytest.mark.parametrize("body", [b"", b"[]", b'{"messages": 7}', b"\xff", b"[" * 5000, b'{"messages":['])
async def test_what_is_no_envelope_is_a_dead_letter(vendor: Vendor, rows: Rows, body: bytes) -> None:
    answer = await vendor.send(body)
    assert (answer.status_code, answer.json()["code"]) == (422, "callback_unreadable")
    [letter] = await rows("SELECT * FROM dead_letter WHERE area_code = :area", area=vendor.key.area_code)
    assert (letter["topic"], letter["code"]) == (f"callbacks/{vendor.key.id}", "not_an_envelope")


async def test_the_vendors_codec_is_spoken(
    house: House, world: World, case: Case, rows: Rows, client: httpx.AsyncClient
) -> None:
    device, at = await serial(rows, case), int(datetime.now(UTC).timestamp() * 1000) - 5_000
    board = await new_vendor(house, world, client, "thingsboard")
    told = await board.send(
        {"device": device, "channel": "vitals", "payload": {"ts": at, "values": {"heartRate": 77, "sos": True}}}
    )
    assert told.json()["results"][0]["state"] == "stored", told.text
    binary = await new_vendor(house, world, client, "cbor")
    payload = base64.b64encode(cbor2.dumps({"id": "c1", "kind": "fall", "at": now(seconds=1)})).decode()
    assert (await binary.send({"device": device, "channel": "alarm", "payload": payload})).status_code == 200
    scaip = await new_vendor(house, world, client, "scaip")
    document = "<mrq><ref>1</ref><mty>ME</mty><dty>0003</dty><stc>0010</stc></mrq>"
    assert (await scaip.send({"device": device, "channel": "alarm", "payload": document})).status_code == 200
    alerts = {alert["kind"]: alert["occurrences"] for alert in await rows(ALERTS, id=case.resident_id)}
    assert alerts == {"sos": 2, "fall": 1}
    assert len(await rows("SELECT 1 FROM reading WHERE terminal_id = :id", id=case.terminal_id)) == 1


async def test_readings_are_judged_by_the_same_rules(vendor: Vendor, world: World, rows: Rows) -> None:
    terminal_id, _, resident_id = await new_pendant(world)  # its serial number is its id
    reading = {"kind": "glucose", "value": 450, "unit": "mg/dL", "at": now()}
    message = {"device": str(terminal_id), "channel": "vitals", "payload": {"seq": 1, "readings": [reading]}}
    assert (await vendor.send(message)).json()["results"][0]["state"] == "stored"
    assert [alert["kind"] for alert in await rows(ALERTS, id=resident_id)] == ["glucose"]
