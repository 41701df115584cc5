"""What each sender puts on the wire, and what it makes of the answers."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest

from services.core.settings import Settings
from services.notifications.models import Channel
from services.notifications.senders.contract import Message, SendFailed, Sent
from services.notifications.senders.registry import senders_from
from tests.services.notifications.gateway import Gateway, gateway, refuse

SECRET = "between the two of us, 32 bytes!"


@pytest.fixture
async def door() -> AsyncIterator[Gateway]:
    async with gateway() as running:
        yield running


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False, timeout=5) as opened:
        yield opened


def settings(door: Gateway) -> Settings:
    urls: dict[str, Any] = {
        f"{name}_url": door.url for name in ("sms_gateway", "voice_gateway", "push_gateway", "webhook")
    }
    secrets = {name.replace("_url", "_secret"): SECRET for name in urls}
    return Settings(
        _env_file=None,
        notification_outlet="gateways",
        wecom_robot_url=door.url,
        sms_template_ids="alert_family=SMS_0002, alert_page = SMS_0001,",
        **urls,
        **secrets,
    )


def message(channel: Channel, **changes: Any) -> Message:
    given: dict[str, Any] = {
        "key": uuid4(),
        "channel": channel,
        "template": "alert_page",
        "text": "【果园】紧急呼叫",
        "fields": {"code": "ABCDEF"},
        "account_id": uuid4(),
        "contact_id": None,
        "is_life_safety": True,
        "at": datetime.now(UTC),
        "phone": "13800001234",
    }
    return Message(**given | changes)


async def test_the_gateways_document(door: Gateway, client: httpx.AsyncClient) -> None:
    sent = message(Channel.SMS)
    assert await senders_from(settings(door), client)[Channel.SMS].send(sent) == Sent("m-1", is_delivered=False)
    assert door.requests[0].json == {
        "idempotency_key": str(sent.key),
        "channel": "sms",
        "to": {"phone": "13800001234"},
        "template": "alert_page",
        "template_id": "SMS_0001",
        "fields": {"code": "ABCDEF"},
        "text": "【果园】紧急呼叫",
        "language": "zh-CN",
        "is_life_safety": True,
    }


@pytest.mark.parametrize("channel", [Channel.APP, Channel.WEBHOOK])
async def test_push_and_webhook_get_an_id_and_no_number(
    door: Gateway, client: httpx.AsyncClient, channel: Channel
) -> None:
    sent = message(channel)
    await senders_from(settings(door), client)[channel].send(sent)
    assert door.requests[0].json["to"] == {"account_id": str(sent.account_id)}
    assert "13800001234" not in door.requests[0].body.decode()


@pytest.mark.parametrize(
    ("status", "body", "code", "is_transient"),
    [
        (400, {"code": "BAD_NUMBER"}, "BAD_NUMBER", False),
        (404, {}, "http_404", False),
        (302, {}, "http_302", False),
        (400, {"code": "13800001234 不存在"}, "http_400", False),  # nothing but a plain word is kept
        (408, {}, "http_408", True),
        (429, {"code": "TOO_FAST"}, "TOO_FAST", True),
        (500, {}, "http_500", True),
        (503, [], "http_503", True),
    ],
)
async def test_refusals(
    door: Gateway, client: httpx.AsyncClient, status: int, body: Any, code: str, is_transient: bool
) -> None:
    async def answer(_request: object) -> tuple[int, Any]:
        return status, body

    door.behaviour = answer
    with pytest.raises(SendFailed) as refused:
        await senders_from(settings(door), client)[Channel.SMS].send(message(Channel.SMS))
    assert (refused.value.code, refused.value.is_transient) == (code, is_transient)


async def test_a_gateway_may_say_that_it_has_arrived(door: Gateway, client: httpx.AsyncClient) -> None:
    door.behaviour = refuse(202, status="delivered", message_id=17)
    sent = await senders_from(settings(door), client)[Channel.VOICE].send(message(Channel.VOICE))
    assert sent == Sent("17", is_delivered=True)


async def test_the_robots_message(door: Gateway, client: httpx.AsyncClient) -> None:
    door.behaviour = refuse(200, errcode=0, errmsg="ok")
    robot = senders_from(settings(door), client)[Channel.WECOM]
    await robot.send(message(Channel.WECOM))
    await robot.send(message(Channel.WECOM, phone=None, text="长" * 1000))
    first, second = (request.json for request in door.requests)
    assert first == {
        "msgtype": "text",
        "text": {"content": "【果园】紧急呼叫", "mentioned_mobile_list": ["13800001234"]},
    }
    assert "mentioned_mobile_list" not in second["text"]
    assert 2040 < len(second["text"]["content"].encode()) <= 2048


@pytest.mark.parametrize(
    ("code", "is_transient"), [(45009, True), (-1, True), (93000, False), (None, False), ("0", False)]
)
async def test_the_robots_refusals(
    door: Gateway, client: httpx.AsyncClient, code: Any, is_transient: bool
) -> None:
    door.behaviour = refuse(200, errcode=code, errmsg="…")
    with pytest.raises(SendFailed) as refused:
        await senders_from(settings(door), client)[Channel.WECOM].send(message(Channel.WECOM))
    assert refused.value.is_transient is is_transient


async def test_what_is_for_a_family_is_not_posted_to_the_staffs_group(
    door: Gateway, client: httpx.AsyncClient
) -> None:
    with pytest.raises(SendFailed, match="not_for_families"):
        await senders_from(settings(door), client)[Channel.WECOM].send(
            message(Channel.WECOM, account_id=None, contact_id=uuid4())
        )
    assert not door.requests


def test_numbers_and_secrets_do_not_show_in_a_log(door: Gateway) -> None:
    shown = repr(message(Channel.SMS)) + repr(senders_from(settings(door), httpx.AsyncClient()))
    assert "13800001234" not in shown
    assert SECRET not in shown
