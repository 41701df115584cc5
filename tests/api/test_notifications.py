"""Inbox, reading, the gateways' door and one's own number, over HTTP."""

import json
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
from pydantic import SecretStr
from sqlmodel import select

from api.house import House
from services.core.actor import SYSTEM, Role
from services.core.signing import sign
from services.notifications.models import Channel, NotificationAttempt
from services.notifications.service import Notice, Recipient, notify
from tests.world import World

SECRET = "between the two of us, 32 bytes!"


async def queue(world: World, channel: Channel, alert_id: str | None = None) -> None:
    """One page to the dispatcher here."""
    place = world.here
    notice = Notice(
        key=f"api:{uuid4()}",
        template="alert_page",
        area_code=place.households[0].resident.area_code,
        centre_id=place.centre.id,
        parameters={"kind": "sos"},
        is_life_safety=True,
        alert_id=None if alert_id is None else uuid4(),
    )
    async with world.database.unit_of_work(SYSTEM) as work:
        await notify(work, notice, [Recipient(account_id=world.account(Role.DISPATCHER).id)], [channel])


async def test_fetching_delivers_and_reading_reads(client: httpx.AsyncClient, world: World) -> None:
    await queue(world, Channel.APP)
    headers = await world.headers(Role.DISPATCHER)
    item = (await client.get("/me/notifications", headers=headers)).json()["items"][0]
    assert "紧急呼叫" in item["text_zh"]
    assert item["read_at"] is None
    listed = (await client.get("/notifications", headers=headers)).json()["items"][0]
    assert (listed["status"], listed["attempts"][0]["status"]) == ("delivered", "delivered")
    first = await client.post(f"/notifications/{item['id']}/read", headers=headers)
    again = await client.post(f"/notifications/{item['id']}/read", headers=headers)
    assert first.json() == again.json()
    assert first.json()["status"] == "read"
    other = await world.headers(Role.CENTRE_MANAGER)
    assert (await client.post(f"/notifications/{item['id']}/read", headers=other)).status_code == 404


async def test_pages_of_the_inbox(client: httpx.AsyncClient, world: World) -> None:
    for _ in range(3):
        await queue(world, Channel.APP)
    headers = await world.headers(Role.DISPATCHER)
    first = (await client.get("/me/notifications", headers=headers, params={"limit": 2})).json()
    second = await client.get(
        "/me/notifications", headers=headers, params={"limit": 2, "cursor": first["next_cursor"]}
    )
    ids = [item["id"] for item in first["items"] + second.json()["items"]]
    assert len(ids) == len(set(ids)) >= 3
    assert ids == sorted(ids, reverse=True)


@pytest.fixture
def signed_house(house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    """The text gateway has a secret, for as long as the test runs."""
    monkeypatch.setattr(house.settings, "sms_gateway_secret", SecretStr(SECRET))
    return house


async def test_reports_are_taken_from_the_gateway_only(
    client: httpx.AsyncClient, world: World, signed_house: House
) -> None:
    await queue(world, Channel.SMS)
    headers = await world.headers(Role.DISPATCHER)
    now = signed_house.clock.now()
    newest = (await client.get("/notifications", headers=headers)).json()["items"][0]
    attempt = await attempt_of(world, newest["id"])
    body = json.dumps({"attempt_id": attempt, "status": "delivered", "code": "DELIVRD"}).encode()
    content = {"Content-Type": "application/json"}
    for path, signature in (
        ("sms", {}),
        ("sms", sign("another secret", now, body)),
        ("sms", sign(SECRET, now - timedelta(minutes=6), body)),
        ("sms", sign(SECRET, now, body + b" ")),
        ("voice", sign(SECRET, now, body)),  # has no gateway
        ("wecom", sign(SECRET, now, body)),
    ):
        refused = await client.post(f"/notifications/reports/{path}", content=body, headers=content | signature)
        assert (refused.status_code, refused.json()["code"]) == (403, "report_not_signed"), path
    for _ in range(2):
        taken = await client.post(
            "/notifications/reports/sms", content=body, headers=content | sign(SECRET, now, body)
        )
        assert (taken.status_code, taken.json()) == (200, {"status": "delivered"})
    shown = (await client.get("/notifications", headers=headers)).json()["items"][0]
    assert (shown["id"], shown["status"]) == (newest["id"], "delivered")
    nobody = json.dumps({"attempt_id": str(uuid4()), "status": "failed"}).encode()
    answer = await client.post(
        "/notifications/reports/sms", content=nobody, headers=content | sign(SECRET, now, nobody)
    )
    assert answer.status_code == 404


async def attempt_of(world: World, notification_id: str) -> str:
    async with world.database.unit_of_work(SYSTEM) as work:
        query = select(NotificationAttempt.id).where(NotificationAttempt.notification_id == notification_id)
        return str((await work.session.exec(query)).one())


async def test_ones_own_number_is_masked_and_versioned(client: httpx.AsyncClient, world: World) -> None:
    headers = await world.headers(Role.CLINICIAN)
    assert (await client.get("/me/staff-phone", headers=headers)).json() == {"phone_masked": None, "version": 0}
    answer = await client.put("/me/staff-phone", headers=headers, json={"phone": "13800001234"})
    assert answer.json() == {"phone_masked": "138****1234", "version": 1}
    stale = await client.put(
        "/me/staff-phone", headers=headers | {"If-Match": '"7"'}, json={"phone": "13800005678"}
    )
    assert stale.status_code == 412
    bad = await client.put("/me/staff-phone", headers=headers, json={"phone": "not a number"})
    assert bad.status_code == 422
    good = await client.put(
        "/me/staff-phone", headers=headers | {"If-Match": '"1"'}, json={"phone": "13800005678"}
    )
    assert good.json() == {"phone_masked": "138****5678", "version": 2}
