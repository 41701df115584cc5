"""Delivery reports, what never arrives, and reading."""

import asyncio

import pytest

from services.core.actor import SYSTEM, Role
from services.core.errors import NotFound
from services.core.ids import new_id
from services.notifications.models import Channel, DeliveryReport
from services.notifications.policy import load_policy
from services.notifications.progress import report
from services.notifications.reading import list_notifications, mark_read, read_inbox
from services.notifications.service import Recipient
from tests.services.notifications.conftest import Post
from tests.services.notifications.gateway import Answer, Gateway, Request, refuse


async def say(post: Post, key: str, status: str, position: int = 0, code: str = "") -> None:
    """A gateway's report about one channel of a notification."""
    _, attempts = await post.of(key)
    said = DeliveryReport.model_validate({"attempt_id": attempts[position].id, "status": status, "code": code})
    async with post.database.unit_of_work(SYSTEM) as work:
        await report(work, attempts[position].channel, said)


async def test_delivered_twice_is_delivered_once(post: Post) -> None:
    key = await post.notify(Channel.SMS, Channel.VOICE)
    await post.send_due()
    await say(post, key, "delivered")
    first, (attempt,) = await post.of(key)
    post.clock.forward(seconds=5)
    await asyncio.gather(*(say(post, key, "delivered") for _ in range(3)))
    again, (after,) = await post.of(key)
    assert (first.status, attempt.status) == ("delivered", "delivered")
    assert (again.version, after.delivered_at) == (first.version, attempt.delivered_at)


@pytest.mark.parametrize(
    ("reports", "expected"),
    [
        (["failed"], ("sent", ["sms failed", "voice queued"])),
        (["failed", "failed"], ("sent", ["sms failed", "voice queued"])),
        (["delivered", "failed"], ("delivered", ["sms delivered"])),
        (["failed", "delivered"], ("delivered", ["sms delivered", "voice needless"])),
        (["read"], ("read", ["sms read"])),
        (["read", "delivered", "failed"], ("read", ["sms read"])),
        (["delivered", "read", "read"], ("read", ["sms read"])),
    ],
)
async def test_reports(post: Post, reports: list[str], expected: tuple[str, list[str]]) -> None:
    key = await post.notify(Channel.SMS, Channel.VOICE)
    await post.send_due()
    for status in reports:
        await say(post, key, status, code="DELIVRD")
    assert await post.states(key) == expected


async def test_a_report_may_come_before_the_answer(post: Post, sms: Gateway) -> None:
    key = await post.notify(Channel.SMS)

    async def report_first(_request: Request) -> Answer:
        await say(post, key, "delivered")
        return 200, {"message_id": "m-2"}

    sms.behaviour = report_first
    await post.send_due()
    _, (attempt,) = await post.of(key)
    assert (attempt.status, attempt.message_id) == ("delivered", "m-2")


async def test_a_report_for_another_channels_message_is_not_found(post: Post) -> None:
    key = await post.notify(Channel.SMS)
    await post.send_due()
    _, (attempt,) = await post.of(key)
    for attempt_id, channel in ((attempt.id, Channel.VOICE), (new_id(), Channel.SMS)):
        said = DeliveryReport(attempt_id=attempt_id, status="delivered", code="")
        with pytest.raises(NotFound):
            async with post.database.unit_of_work(SYSTEM) as work:
                await report(work, channel, said)


async def test_life_safety_waits_for_delivery_so_long_and_no_longer(post: Post, voice: Gateway) -> None:
    key = await post.notify(Channel.SMS, Channel.VOICE)
    await post.send_due()
    post.clock.forward(seconds=load_policy().life_safety.watch_seconds[Channel.SMS] - 1)
    await post.send_due()
    assert not voice.requests
    post.clock.forward(seconds=1)
    await post.send_due()
    assert await post.states(key) == ("sent", ["sms sent", "voice sent"])
    post.clock.forward(seconds=3600)
    await post.send_due()
    assert len(voice.requests) == 1


async def test_what_was_delivered_goes_no_further(post: Post, voice: Gateway) -> None:
    key = await post.notify(Channel.SMS, Channel.VOICE)
    await post.send_due()
    await say(post, key, "delivered")
    post.clock.forward(seconds=3600)
    await post.send_due()
    assert await post.states(key) == ("delivered", ["sms delivered"])
    assert not voice.requests


async def test_ordinary_messages_rest_when_sent(post: Post, voice: Gateway) -> None:
    key = await post.notify(Channel.SMS, Channel.VOICE, life=False)
    await post.send_due(is_life_safety=False)
    post.clock.forward(seconds=3600)
    await post.send_due(is_life_safety=False)
    assert await post.states(key) == ("sent", ["sms sent"])


async def test_delivery_elsewhere_ends_the_tries(post: Post, sms: Gateway) -> None:
    sms.behaviour = refuse(503)
    key = await post.notify(Channel.SMS, Channel.VOICE)
    await post.send_due()
    await say(post, key, "delivered", position=1)
    assert await post.states(key) == ("delivered", ["sms needless", "voice delivered"])
    tries = len(sms.requests)
    post.clock.forward(seconds=3600)
    await post.send_due()
    assert len(sms.requests) == tries


async def test_the_app_is_reached_when_it_fetches_and_read_when_the_person_says_so(post: Post) -> None:
    key = await post.notify(Channel.APP, Channel.WECOM, to=post.dispatcher())
    await post.send_due()
    assert await post.states(key) == ("sent", ["app sent"])
    actor = await post.world.actor(Role.DISPATCHER)
    async with post.database.unit_of_work(actor) as work:
        (item,) = await read_inbox(work, 20, None)
    assert "紧急呼叫" in item.text_zh
    assert await post.states(key) == ("delivered", ["app delivered"])
    for _ in range(2):
        async with post.database.unit_of_work(actor) as work:
            await mark_read(work, item.id)
    assert await post.states(key) == ("read", ["app read"])
    row, _ = await post.of(key)
    assert row.version == 4  # queued, sent, delivered, read: the second reading changed nothing


async def test_a_page_that_no_app_fetches_goes_on(post: Post) -> None:
    key = await post.notify(Channel.APP, Channel.WECOM, to=post.dispatcher())
    await post.send_due()
    post.clock.forward(seconds=load_policy().life_safety.watch_seconds[Channel.APP])
    await post.send_due()
    assert await post.states(key) == ("sent", ["app sent", "wecom failed"])


async def test_who_stands_in_from_the_next_town_reads_the_page(post: Post) -> None:
    """The alert lies outside the reader's area; the page is to the reader."""
    stranger = post.world.account(Role.DISPATCHER, post.world.neighbour)
    key = await post.notify(Channel.APP, to=Recipient(account_id=stranger.id))
    await post.send_due()
    actor = await post.world.actor(Role.DISPATCHER, post.world.neighbour)
    async with post.database.unit_of_work(actor) as work:
        (item,) = await read_inbox(work, 20, None)
        await mark_read(work, item.id)
        assert await list_notifications(work, None, 20, None) == []
    assert await post.states(key) == ("read", ["app read"])


async def test_nobody_reads_anothers_mail(post: Post) -> None:
    key = await post.notify(Channel.APP, to=post.dispatcher())
    row, _ = await post.of(key)
    for role in (Role.CENTRE_MANAGER, Role.FAMILY, Role.CAREGIVER):
        async with post.database.unit_of_work(await post.world.actor(role)) as work:
            assert await read_inbox(work, 20, None) == []
            with pytest.raises(NotFound):
                await mark_read(work, row.id)


async def test_the_desk_sees_who_was_reached_and_through_what(post: Post, sms: Gateway) -> None:
    sms.behaviour = refuse(400, code="BAD_NUMBER")
    key = await post.notify(Channel.SMS, Channel.VOICE, template="alert_family")
    await post.send_due()
    row, _ = await post.of(key)
    async with post.database.unit_of_work(await post.world.actor(Role.DISPATCHER)) as work:
        (shown,) = await list_notifications(work, row.alert_id, 20, None)
    assert [(each.channel, each.status, each.error_code) for each in shown.attempts] == [
        (Channel.SMS, "failed", "BAD_NUMBER"),
        (Channel.VOICE, "sent", None),
    ]
