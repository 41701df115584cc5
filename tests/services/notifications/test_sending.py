"""From a queued notice to a message at a gateway, and on to the next channel when one fails."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from msgspec import structs
from sqlalchemy import text

from services.core.actor import SYSTEM, Role
from services.core.signing import is_signed
from services.identity.models import Account
from services.notifications import addressing
from services.notifications.addressing import STAFF_PURPOSE
from services.notifications.dispatcher import Lane, Outlet, run
from services.notifications.models import Channel, StaffPhone
from services.notifications.policy import load_policy
from services.notifications.senders.contract import Phone, SendFailed, Sent
from services.notifications.service import Notice, Recipient, notify
from services.notifications.texts import Facts, Language
from tests.people import ALLERGY, CONDITION, MEDICINE, new_phone
from tests.services.notifications.conftest import SECRET, Post
from tests.services.notifications.gateway import Answer, Gateway, Request, refuse


async def never(_request: Request) -> Answer:
    await asyncio.Event().wait()
    raise AssertionError


def failing(times: int) -> Any:
    """503 so many times, then accept."""
    left = times

    async def behaviour(_request: Request) -> Answer:
        nonlocal left
        left -= 1
        return (503, {}) if left >= 0 else (200, {"message_id": "late"})

    return behaviour


async def test_a_text_message_leaves_once_and_signed(post: Post, sms: Gateway) -> None:
    key = await post.notify(Channel.SMS, Channel.VOICE, template="alert_family")
    await post.send_due()
    await post.send_due()
    (request,) = sms.requests
    row, (attempt,) = await post.of(key)
    assert request.json["to"] == {"phone": post.world.here.households[0].family_phone}
    assert request.json["idempotency_key"] == request.headers["idempotency-key"] == str(attempt.id)
    stamp, signature = request.headers["x-guoyuan-timestamp"], request.headers["x-guoyuan-signature"]
    assert is_signed(SECRET, stamp, signature, request.body, post.clock.now())
    assert not is_signed(SECRET, stamp, signature, request.body + b" ", post.clock.now())
    assert (row.status, attempt.status, attempt.message_id) == ("sent", "sent", "m-1")
    number = post.world.here.households[0].family_phone
    assert attempt.address_masked == f"{number[:3]}****{number[-4:]}"


async def test_a_text_names_nobody_and_nothing_of_health(post: Post, sms: Gateway) -> None:
    for template, kind in (("alert_family", "sos"), ("alert_page", "heart_rate"), ("alert_family", "glucose")):
        await post.notify(Channel.SMS, template=template, kind=kind)
    await post.send_due()
    resident = post.world.here.households[0].resident
    secrets = (resident.name, resident.address, resident.access_note, CONDITION, ALLERGY, MEDICINE)
    for request in sms.requests:
        assert not [
            word for word in (*secrets, "血糖", "心率", "glucose", "heart") if word in request.body.decode()
        ]
    assert any("紧急呼叫" in request.json["text"] for request in sms.requests)


async def test_what_is_no_id_or_kind_is_not_even_stored(post: Post) -> None:
    key = await post.notify(Channel.SMS, kind="sos", name="李秀英", phone="13800001234", note="a b")
    row, _ = await post.of(key)
    assert row.parameters == {"kind": "sos"}


async def test_a_refused_channel_gives_way_at_once(post: Post, sms: Gateway) -> None:
    sms.behaviour = refuse(400, code="BAD_NUMBER")
    key = await post.notify(Channel.SMS, Channel.VOICE, life=False)
    lane = await post.lane(is_life_safety=False)
    await lane.look()
    await lane.settle()
    _, (first, second) = await post.of(key)
    assert (first.status, first.error_code) == ("failed", "BAD_NUMBER")
    assert (second.channel, second.status) == (Channel.VOICE, "queued")
    assert second.queued_at == second.next_at == first.failed_at == post.clock.now()
    await post.send_due(is_life_safety=False)
    assert await post.states(key) == ("sent", ["sms failed", "voice sent"])


@pytest.mark.parametrize(
    ("channels", "expected"),
    [
        ([Channel.WECOM, Channel.SMS], ["wecom failed", "sms sent"]),
        ([Channel.WEBHOOK, Channel.WECOM, Channel.VOICE], ["webhook failed", "wecom failed", "voice sent"]),
        ([Channel.APP, Channel.SMS], ["app failed", "sms sent"]),  # an emergency contact has no app
    ],
)
async def test_channels_that_cannot_work_fail_over_at_once(
    post: Post, channels: list[Channel], expected: list[str]
) -> None:
    key = await post.notify(*channels)
    await post.send_due()
    assert (await post.states(key))[1] == expected


async def test_an_ordinary_message_is_tried_again_in_its_channel(post: Post, sms: Gateway, voice: Gateway) -> None:
    sms.behaviour = failing(2)
    key = await post.notify(Channel.SMS, Channel.VOICE, life=False)
    await post.send_due(is_life_safety=False)
    post.clock.forward(seconds=29)
    await post.send_due(is_life_safety=False)
    assert len(sms.requests) == 1
    post.clock.forward(seconds=1)
    await post.send_due(is_life_safety=False)
    post.clock.forward(seconds=120)
    await post.send_due(is_life_safety=False)
    assert await post.states(key) == ("sent", ["sms sent"])
    assert not voice.requests
    assert len({request.json["idempotency_key"] for request in sms.requests}) == 1


async def test_when_its_tries_are_used_up_the_next_channel_begins(post: Post, sms: Gateway) -> None:
    sms.behaviour = refuse(500)
    key = await post.notify(Channel.SMS, Channel.VOICE, life=False)
    for seconds in (0, *load_policy().ordinary.retry_seconds):
        assert (await post.states(key))[1] == ["sms queued"]
        post.clock.forward(seconds=seconds)
        await post.send_due(is_life_safety=False)
    assert await post.states(key) == ("sent", ["sms failed", "voice sent"])
    assert len(sms.requests) == len(load_policy().ordinary.retry_seconds) + 1


async def test_life_safety_begins_the_next_channel_while_the_first_goes_on(
    post: Post, sms: Gateway, voice: Gateway
) -> None:
    sms.behaviour = failing(2)
    key = await post.notify(Channel.SMS, Channel.VOICE)
    await post.send_due()
    assert await post.states(key) == ("sent", ["sms queued", "voice sent"])
    assert len(voice.requests) == 1
    post.clock.forward(seconds=2)
    await post.send_due()
    post.clock.forward(seconds=5)
    await post.send_due()
    assert await post.states(key) == ("sent", ["sms sent", "voice sent"])
    assert (len(sms.requests), len(voice.requests)) == (3, 1)


async def test_a_gateway_that_hangs_is_a_failed_try(post: Post, sms: Gateway) -> None:
    sms.behaviour = never
    key = await post.notify(Channel.SMS, Channel.VOICE)
    lane = await post.lane(is_life_safety=True, policy=structs.replace(load_policy(), send_seconds=0.2))
    while await lane.look():
        await lane.settle()
    assert await post.states(key) == ("sent", ["sms queued", "voice sent"])
    assert (await post.of(key))[1][0].error_code == "timeout"


async def test_a_gateway_that_is_away_is_a_failed_try(post: Post, free_port: Any) -> None:
    away = post.settings.model_copy(update={"sms_gateway_url": f"http://127.0.0.1:{free_port()}/"})
    key = await post.notify(Channel.SMS, Channel.VOICE)
    lane = await post.lane(is_life_safety=True, settings=away)
    while await lane.look():
        await lane.settle()
    assert await post.states(key) == ("sent", ["sms queued", "voice sent"])
    assert (await post.of(key))[1][0].error_code == "unreachable"


async def test_a_sender_that_breaks_costs_one_try_only(post: Post) -> None:
    class Broken:
        channel, phone = Channel.SMS, Phone.UNUSED

        async def send(self, message: object) -> Sent:  # noqa: ARG002  the contract's
            raise RuntimeError("a bug of its own")

    senders = await post.senders() | {Channel.SMS: Broken()}
    key = await post.notify(Channel.SMS, Channel.VOICE)
    lane = Lane(post.database, Outlet(senders, post.world.vault), load_policy(), is_life_safety=True)
    while await lane.look():
        await lane.settle()
    assert await post.states(key) == ("sent", ["sms queued", "voice sent"])


async def test_a_message_that_cannot_be_written_holds_nobody_up(
    post: Post, sms: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = addressing.render

    def broken(facts: Facts, language: Language) -> str:
        if facts.template == "broken":
            raise RuntimeError("a bug")
        return written(facts, language)

    monkeypatch.setattr(addressing, "render", broken)
    bad = await post.notify(Channel.SMS, Channel.VOICE, template="broken")
    good = await post.notify(Channel.SMS)
    await post.send_due()
    assert await post.states(bad) == ("failed", ["sms failed", "voice failed"])
    assert await post.states(good) == ("sent", ["sms sent"])
    assert len(sms.requests) == 1


async def test_nobody_to_reach_is_written_down_and_announced(post: Post, sms: Gateway, voice: Gateway) -> None:
    sms.behaviour = refuse(400)
    voice.behaviour = refuse(404)
    key = await post.notify(Channel.SMS, Channel.VOICE)
    await post.send_due()
    assert await post.states(key) == ("failed", ["sms failed", "voice failed"])
    row, _ = await post.of(key)
    async with post.database.unit_of_work(SYSTEM) as work:
        events = await work.sql(
            text("SELECT payload FROM outbox WHERE name = 'notification.failed' AND payload ->> 'alert_id' = :id"),
            {"id": str(row.alert_id)},
        )
        (payload,) = events.scalars().all()
    assert payload["notification_id"] == str(row.id)
    assert payload["is_life_safety"] is True


async def test_staff_are_paged_at_the_number_they_gave(post: Post, sms: Gateway) -> None:
    key = await post.notify(Channel.SMS, to=post.dispatcher())
    await post.send_due()
    assert await post.states(key) == ("failed", ["sms failed"])
    account = post.world.account(Role.DISPATCHER)
    phone = new_phone()
    async with post.database.unit_of_work(SYSTEM) as work:
        sealed = post.world.vault.encrypt(phone, STAFF_PURPOSE)
        work.session.add(
            StaffPhone(
                account_id=account.id, area_code=account.area_code, phone_encrypted=sealed, updated_at=work.now
            )
        )
    await post.notify(Channel.SMS, to=post.dispatcher())
    await post.send_due()
    assert [request.json["to"] for request in sms.requests] == [{"phone": phone}]


async def test_a_disabled_account_gets_nothing(post: Post, sms: Gateway) -> None:
    family = post.world.account(Role.FAMILY)
    async with post.database.unit_of_work(SYSTEM) as work:
        (await work.session.get_one(Account, family.id)).disabled_at = work.now
    key = await post.notify(Channel.SMS, to=Recipient(account_id=family.id))
    await post.send_due()
    assert await post.states(key) == ("failed", ["sms failed"])
    assert not sms.requests


async def test_without_keys_what_needs_no_number_still_leaves(post: Post) -> None:
    key = await post.notify(Channel.SMS, Channel.APP, to=post.dispatcher())
    lane = Lane(post.database, Outlet(await post.senders(), None), load_policy(), is_life_safety=True)
    while await lane.look():
        await lane.settle()
    assert await post.states(key) == ("sent", ["sms failed", "app sent"])


async def test_the_same_notice_tells_each_person_once(post: Post, sms: Gateway) -> None:
    await asyncio.gather(*(post.notify(Channel.SMS, key="once") for _ in range(4)))
    await post.notify(Channel.SMS, Channel.VOICE, key="once")
    await post.notify(Channel.SMS, key="once", to=Recipient(account_id=post.world.account(Role.FAMILY).id))
    await post.send_due()
    assert len(sms.requests) == 2


async def test_recipients_named_twice_are_told_once(post: Post, sms: Gateway) -> None:
    place = post.world.here
    notice = Notice("twice", "alert_family", place.town, place.centre.id, {}, is_life_safety=True)
    async with post.database.unit_of_work(SYSTEM) as work:
        await notify(work, notice, [post.contact, post.contact], [Channel.SMS, Channel.SMS])
    await post.send_due()
    assert len(sms.requests) == 1


async def test_a_dispatcher_that_dies_before_marking_repeats_once_with_the_same_key(
    post: Post, sms: Gateway
) -> None:
    sms.behaviour = never
    key = await post.notify(Channel.SMS)
    dying = await post.lane(is_life_safety=True)
    await dying.look()
    await sms.wait_for(1)
    await dying.drop()  # as kill -9 would: sent, and nothing marked
    del sms.behaviour
    sms.behaviour = failing(0)
    post.clock.forward(seconds=load_policy().lease_seconds - 1)
    await post.send_due()
    assert len(sms.requests) == 1  # its lease is not over
    post.clock.forward(seconds=1)
    await post.send_due()
    await post.send_due()
    assert await post.states(key) == ("sent", ["sms sent"])
    first, second = (request.json["idempotency_key"] for request in sms.requests)
    assert first == second


async def test_two_dispatchers_at_once_send_each_message_once(post: Post, sms: Gateway) -> None:
    keys = [await post.notify(Channel.SMS) for _ in range(24)]
    lanes = [await post.lane(is_life_safety=True) for _ in range(2)]

    async def empty(lane: Lane) -> None:
        while await lane.look():
            await lane.settle()

    await asyncio.gather(*(empty(lane) for lane in lanes))
    sent = [request.json["idempotency_key"] for request in sms.requests]
    assert len(sent) == len(set(sent)) == len(keys)


async def test_a_slow_gateway_holds_up_no_other_channel(post: Post, sms: Gateway, voice: Gateway) -> None:
    sms.behaviour = never
    slots = load_policy().life_safety.slots
    for _ in range(slots + 3):
        await post.notify(Channel.SMS)
    lane = await post.lane(is_life_safety=True)
    await lane.look()
    await sms.wait_for(slots)
    key = await post.notify(Channel.VOICE)
    await lane.look()
    await voice.wait_for(1)
    assert len(sms.requests) == slots  # bounded
    del key


async def test_a_backlog_of_ordinary_messages_delays_no_life_safety(post: Post, sms: Gateway) -> None:
    sms.behaviour = never
    for number in range(30):
        await post.notify(Channel.SMS, life=False, to=Recipient(account_id=post.world.account(Role.FAMILY).id))
        del number
    ordinary, urgent = await post.lane(is_life_safety=False), await post.lane(is_life_safety=True)
    await ordinary.look()
    await sms.wait_for(1)
    before = len(sms.requests)
    await post.notify(Channel.SMS, template="alert_family")
    assert await urgent.look() == 1
    await sms.wait_for(before + 1)
    assert sms.requests[-1].json["is_life_safety"] is True


async def test_ordinary_messages_are_put_off_by_the_limit_and_not_lost(post: Post, sms: Gateway) -> None:
    keys = [await post.notify(Channel.SMS, life=False) for _ in range(3)]
    await post.send_due(is_life_safety=False)
    most = load_policy().limits[Channel.SMS].minute
    assert len(sms.requests) == most == 2
    _, (waiting,) = await post.of(keys[-1])
    assert (waiting.status, waiting.put_off) == ("queued", 1)
    assert waiting.next_at == post.clock.now() + timedelta(minutes=1)
    post.clock.forward(seconds=60)
    await post.send_due(is_life_safety=False)
    assert len(sms.requests) == 3


async def test_life_safety_knows_no_limit(post: Post, sms: Gateway) -> None:
    for _ in range(12):
        await post.notify(Channel.SMS, life=False)
    await post.send_due(is_life_safety=False)
    before = len(sms.requests)
    for _ in range(12):
        await post.notify(Channel.SMS)
    await post.send_due()
    assert len(sms.requests) == before + 12


async def test_two_dispatchers_at_once_keep_one_limit(post: Post, sms: Gateway) -> None:
    for _ in range(60):  # more than one claim locks, so that the second has something to count for
        await post.notify(Channel.SMS, life=False)
    await asyncio.gather(*(post.send_due(is_life_safety=False) for _ in range(3)))
    assert len(sms.requests) == load_policy().limits[Channel.SMS].minute


async def test_an_answer_that_is_no_json_or_endless_is_still_an_answer(post: Post, sms: Gateway) -> None:
    async def long(_request: Request) -> Answer:
        return 200, {"message_id": "x" * 200_000}

    sms.behaviour = long
    key = await post.notify(Channel.SMS)
    await post.send_due()
    _, (attempt,) = await post.of(key)
    assert (attempt.status, attempt.message_id) == ("sent", None)


async def test_the_file_stands_in_for_gateways_in_a_demo(post: Post) -> None:
    demo = post.settings.model_copy(
        update={"notification_outlet": "auto", "sms_gateway_url": None, "sms_gateway_secret": None}
    )
    key = await post.notify(Channel.SMS, template="alert_family")
    lane = await post.lane(is_life_safety=True, settings=demo)
    await lane.look()
    await lane.settle()
    file = post.settings.data_dir / "outgoing" / "notifications.jsonl"
    assert file.stat().st_mode & 0o777 == 0o600
    _, (attempt,) = await post.of(key)
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    (line,) = [each for each in lines if each["key"] == str(attempt.id)]
    assert line["phone"] == post.world.here.households[0].family_phone
    assert attempt.status == "sent"


async def test_the_file_takes_no_call_for_somebody_without_a_number(post: Post) -> None:
    gateways = dict.fromkeys(
        ("sms_gateway_url", "sms_gateway_secret", "voice_gateway_url", "voice_gateway_secret", "webhook_url")
    )
    demo = post.settings.model_copy(update={"notification_outlet": "auto", **gateways})
    key = await post.notify(Channel.VOICE, Channel.SMS, Channel.WEBHOOK, to=post.dispatcher())
    lane = await post.lane(is_life_safety=True, settings=demo)
    while await lane.look():
        await lane.settle()
    assert await post.states(key) == ("sent", ["voice failed", "sms failed", "webhook sent"])
    _, attempts = await post.of(key)
    assert [attempt.error_code for attempt in attempts] == ["no_number", "no_number", None]
    file = post.settings.data_dir / "outgoing" / "notifications.jsonl"
    written = {json.loads(line)["key"] for line in file.read_text().splitlines()}
    assert {str(attempt.id) for attempt in attempts} & written == {str(attempts[2].id)}


async def test_the_running_dispatcher_is_rung(post: Post, sms: Gateway) -> None:
    """The real loop on the real clock: it listens, sends and ends without leaving a connection behind."""
    settings = post.settings.model_copy(
        update={
            "database_url": post.database.url,
            "field_key": post.world.settings.field_key,
            "lookup_key": post.world.settings.lookup_key,
        }
    )
    running = asyncio.create_task(run(settings))
    try:
        await post.notify(Channel.SMS)
        await sms.wait_for(1)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert running.cancelled()


def test_a_failure_tells_whether_to_try_again() -> None:
    assert SendFailed("timeout", is_transient=True).is_transient
    with pytest.raises(ValueError, match="an account or an emergency contact"):
        Recipient()
