"""Pages that nobody needs any more: what stops, what goes on, and what was on the wire already."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlmodel import col, select
from structlog.testing import capture_logs

from services.alerts import service
from services.alerts.escalation import Rung
from services.alerts.models import AlertKind
from services.alerts.paging import Person, page
from services.alerts.resolutions import CancelConfirmed, Resolution
from services.alerts.service import AlarmFacts
from services.core.actor import SYSTEM, Role
from services.core.ids import new_id
from services.core.transitions import StatusChange
from services.notifications.models import Channel, DeliveryReport, Notification, NotificationAttempt
from services.notifications.policy import load_policy
from services.notifications.progress import report
from services.notifications.reading import list_notifications, read_inbox
from services.notifications.service import Recipient
from tests.alerts import CHECKLIST
from tests.desk import Scene, at_once, bound_terminal
from tests.services.notifications.conftest import Post
from tests.services.notifications.gateway import Answer, Gateway, Request, refuse
from tests.world import Place

WATCH = load_policy().life_safety.watch_seconds


@pytest.fixture
async def scene(post: Post) -> Scene:
    """A pendant of the first resident, under the clock of the lanes. Everybody who is paged has a number."""
    async with post.database.unit_of_work(SYSTEM) as work:
        for place in (post.world.here, post.world.neighbour):
            for account in place.staff.values():
                await work.sql(
                    text(
                        "INSERT INTO staff_phone (account_id, area_code, phone_encrypted, updated_at, version)"
                        " VALUES (:id, :area, :phone, :now, 1)"
                    ),
                    {
                        "id": account.id,
                        "area": place.town,
                        "phone": post.world.vault.encrypt("13800001234", "staff.phone"),
                        "now": work.now,
                    },
                )
    return Scene(post.database, post.world, post.clock, await bound_terminal(post.world))


async def paged(
    scene: Scene,
    *people: Role,
    channels: tuple[Channel, ...] = (Channel.SMS, Channel.VOICE),
    must: bool = False,
    alert_id: UUID | None = None,
    key: str = "first",
) -> UUID:
    """An alert of which these people of the desk are paged through these channels."""
    alert_id = alert_id or (await scene.press()).alert_id
    async with scene.desk.unit_of_work(SYSTEM) as work:
        named = [Person("duty", account_id=scene.world.account(role).id) for role in people]
        alert = await service.read_alert(work, alert_id)
        await page(work, alert, named, channels, Rung(0, 0, 0), f"{key}:{alert_id}", must)
    return alert_id


async def state(scene: Scene, alert_id: UUID, recipient: Recipient, key: str = "first") -> tuple[str, list[str]]:
    """The page's status and that of its channels."""
    async with scene.desk.unit_of_work(SYSTEM) as work:
        query = select(Notification).where(
            Notification.key == f"{key}:{alert_id}",
            Notification.account_id == recipient.account_id,
            Notification.contact_id == recipient.contact_id,
        )
        row = (await work.session.exec(query)).one()
        tried = select(NotificationAttempt).where(NotificationAttempt.notification_id == row.id)
        attempts = await work.session.exec(tried.order_by(col(NotificationAttempt.position)))
        return str(row.status), [f"{each.channel} {each.status}" for each in attempts]


def whose(scene: Scene, role: Role) -> Recipient:
    return Recipient(account_id=scene.world.account(role).id)


async def late(post: Post) -> None:
    """Long after every delivery report should have come."""
    for _ in range(3):
        post.clock.forward(seconds=max(WATCH.values()))
        await post.send_due()


async def close(scene: Scene, how: str, alert_id: UUID) -> None:
    if how == "acknowledge":
        await scene.do(Role.DISPATCHER, service.acknowledge, alert_id)
    elif how == "respond":
        await scene.do(Role.DISPATCHER, service.respond, alert_id, "")
    elif how == "arrive":
        await scene.do(Role.DISPATCHER, service.arrive, alert_id)
    elif how == "resolve":
        await scene.do(Role.DISPATCHER, service.resolve, alert_id, Resolution.NEEDS_CARE, CHECKLIST, "")
    else:
        scene.clock.forward(seconds=1)
        async with scene.desk.unit_of_work(SYSTEM) as work:
            facts = AlarmFacts(scene.bound, str(new_id()), AlertKind.SOS, work.now, work.now)
            await service.note_cancel(work, facts, AlertKind.SOS)
        await scene.do(Role.DISPATCHER, service.cancel, alert_id, next(iter(CancelConfirmed)), "误按")


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("acknowledge", "alert_acknowledged"),
        ("respond", "alert_responding"),
        ("arrive", "alert_on_scene"),
        ("resolve", "alert_resolved"),
        ("cancel", "alert_cancelled"),
    ],
)
async def test_no_further_channel_once_somebody_has_it(
    post: Post, scene: Scene, voice: Gateway, how: str, reason: str
) -> None:
    alert_id = await paged(scene, Role.CENTRE_MANAGER)
    await post.send_due()
    post.clock.forward(seconds=5)
    await close(scene, how, alert_id)
    await late(post)
    assert not voice.requests
    assert await state(scene, alert_id, whose(scene, Role.CENTRE_MANAGER)) == ("withdrawn", ["sms sent"])
    async with scene.desk.unit_of_work(await scene.actor(Role.DISPATCHER)) as work:
        (shown,) = await list_notifications(work, alert_id, 20, None)
    assert (str(shown.status), shown.withdrawn_reason) == ("withdrawn", reason)
    assert shown.withdrawn_at is not None
    async with scene.desk.unit_of_work(SYSTEM) as work:
        query = (
            select(StatusChange).where(StatusChange.entity_id == shown.id).order_by(col(StatusChange.id).desc())
        )
        line = (await work.session.exec(query.limit(1))).one()
    assert (line.from_status, line.to_status, line.reason) == ("sent", "withdrawn", reason)
    assert line.account_id == scene.world.account(Role.DISPATCHER).id


async def test_what_has_not_left_stays(post: Post, scene: Scene, sms: Gateway) -> None:
    alert_id = await paged(scene, Role.CENTRE_MANAGER)
    await close(scene, "acknowledge", alert_id)
    await late(post)
    assert not sms.requests
    assert await state(scene, alert_id, whose(scene, Role.CENTRE_MANAGER)) == ("withdrawn", ["sms withdrawn"])


async def test_no_further_try_where_a_gateway_was_away(
    post: Post, scene: Scene, sms: Gateway, voice: Gateway
) -> None:
    sms.behaviour = voice.behaviour = refuse(503)
    alert_id = await paged(scene, Role.CENTRE_MANAGER)
    await post.send_due()
    tried = len(sms.requests), len(voice.requests)
    assert tried == (1, 1)
    await close(scene, "acknowledge", alert_id)
    await late(post)
    assert (len(sms.requests), len(voice.requests)) == tried


async def test_who_must_acknowledge_and_has_not_is_paged_on(post: Post, scene: Scene, voice: Gateway) -> None:
    roles = (Role.DISPATCHER, Role.CENTRE_MANAGER, Role.COUNTY_OFFICER)
    alert_id = await paged(scene, *roles, must=True)
    await post.send_due()
    await scene.do(Role.COUNTY_OFFICER, service.acknowledge_page, alert_id)
    await close(scene, "acknowledge", alert_id)
    await late(post)
    assert len(voice.requests) == 1
    assert await state(scene, alert_id, whose(scene, Role.CENTRE_MANAGER)) == ("sent", ["sms sent", "voice sent"])
    for role in (Role.DISPATCHER, Role.COUNTY_OFFICER):
        assert await state(scene, alert_id, whose(scene, role)) == ("read", ["sms sent"])


async def test_who_must_acknowledge_is_left_in_peace_when_it_is_over(
    post: Post, scene: Scene, voice: Gateway
) -> None:
    alert_id = await paged(scene, Role.CENTRE_MANAGER, must=True)
    await post.send_due()
    await close(scene, "resolve", alert_id)
    await late(post)
    assert not voice.requests


@pytest.mark.parametrize(
    ("how", "has_left", "goes_on"),
    [
        ("acknowledge", False, True),
        ("resolve", False, True),
        ("cancel", True, True),
        ("cancel", False, False),
    ],
)
async def test_family_want_to_know(
    post: Post, scene: Scene, sms: Gateway, voice: Gateway, how: str, has_left: bool, goes_on: bool
) -> None:
    alert_id = (await scene.press()).alert_id
    async with scene.desk.unit_of_work(SYSTEM) as work:
        alert = await service.read_alert(work, alert_id)
        named = [Person("contact", contact_id=post.contact.contact_id, is_desk=False)]
        channels = (Channel.SMS, Channel.VOICE)
        await page(work, alert, named, channels, Rung(0, 0, 0), f"first:{alert_id}")
    if has_left:
        await post.send_due()
    await close(scene, how, alert_id)
    await late(post)
    assert (len(sms.requests), len(voice.requests)) == ((1, 1) if goes_on else (0, 0))
    expected = ("sent", ["sms sent", "voice sent"]) if goes_on else ("withdrawn", ["sms withdrawn"])
    assert await state(scene, alert_id, post.contact) == expected


async def test_an_alert_that_falls_open_pages_anew_and_nothing_comes_back(
    post: Post, scene: Scene, sms: Gateway
) -> None:
    raised = await scene.press()
    await scene.climb()
    await close(scene, "acknowledge", raised.alert_id)
    before = {key for key, _, _ in await scene.notices(raised.alert_id)}
    await scene.climb(seconds=601)
    await post.send_due()
    async with scene.desk.unit_of_work(SYSTEM) as work:
        rows = (
            await work.session.exec(select(Notification).where(Notification.alert_id == raised.alert_id))
        ).all()
    old = {str(row.status) for row in rows if row.key in before and row.template == "alert_page"}
    new = {str(row.status) for row in rows if row.key not in before}
    assert old <= {"withdrawn", "read"}
    assert new
    assert not new & {"withdrawn", "queued"}
    assert str((await scene.alert(raised.alert_id)).status) == "open"


async def test_another_alerts_pages_go_on(post: Post, scene: Scene, voice: Gateway) -> None:
    alert_id = await paged(scene, Role.CENTRE_MANAGER)
    other = await bound_terminal(scene.world, scene.world.neighbour)
    elsewhere = Scene(scene.desk, scene.world, scene.clock, other)
    other_id = await paged(elsewhere, Role.CENTRE_MANAGER)
    await post.send_due()
    await close(scene, "acknowledge", alert_id)
    await late(post)
    assert await state(scene, other_id, whose(scene, Role.CENTRE_MANAGER)) == ("sent", ["sms sent", "voice sent"])
    assert len(voice.requests) == 1


async def test_who_is_asked_to_take_over_is_still_paged(post: Post, scene: Scene, voice: Gateway) -> None:
    alert_id = (await scene.press()).alert_id
    await close(scene, "acknowledge", alert_id)
    manager = scene.world.account(Role.CENTRE_MANAGER).id
    await scene.do(Role.DISPATCHER, service.request_handover, alert_id, manager, "")
    await paged(scene, Role.CENTRE_MANAGER, alert_id=alert_id)
    await post.send_due()
    await close(scene, "respond", alert_id)
    await late(post)
    assert len(voice.requests) == 1


async def test_who_has_seen_it_has_read_it_and_nobody_else(post: Post, scene: Scene) -> None:
    alert_id = await paged(scene, Role.CENTRE_MANAGER, Role.COUNTY_OFFICER, channels=(Channel.APP, Channel.SMS))
    await post.send_due()
    await scene.do(Role.CENTRE_MANAGER, service.acknowledge_page, alert_id)
    assert await state(scene, alert_id, whose(scene, Role.CENTRE_MANAGER)) == ("read", ["app read"])
    assert await state(scene, alert_id, whose(scene, Role.COUNTY_OFFICER)) == ("sent", ["app sent"])
    post.clock.forward(seconds=WATCH[Channel.APP])
    await post.send_due()
    assert await state(scene, alert_id, whose(scene, Role.CENTRE_MANAGER)) == ("read", ["app read"])
    assert (await state(scene, alert_id, whose(scene, Role.COUNTY_OFFICER)))[1] == ["app sent", "sms sent"]


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ((200, {"message_id": "m"}), ("withdrawn", ["sms sent"])),
        ((503, {}), ("withdrawn", ["sms withdrawn"])),
        ((400, {"code": "BAD_NUMBER"}), ("withdrawn", ["sms withdrawn"])),
    ],
)
async def test_what_is_on_the_wire_is_written_down_and_is_the_last(
    post: Post, scene: Scene, sms: Gateway, voice: Gateway, answers: Answer, expected: tuple[str, list[str]]
) -> None:
    """The alert is taken while the gateway still has the message in its hands."""
    alert_id = await paged(scene, Role.CENTRE_MANAGER)

    async def taken_meanwhile(_request: Request) -> Answer:
        if len(sms.requests) == 1:
            await close(scene, "acknowledge", alert_id)
        return answers

    sms.behaviour = taken_meanwhile
    await post.send_due()
    await late(post)
    assert await state(scene, alert_id, whose(scene, Role.CENTRE_MANAGER)) == expected
    assert (len(sms.requests), len(voice.requests)) == (1, 0)
    if expected[1] == ["sms withdrawn"]:
        async with scene.desk.unit_of_work(SYSTEM) as work:
            (shown,) = await list_notifications(work, alert_id, 20, None)
        assert shown.attempts[0].error_code


@pytest.mark.parametrize(("said", "ends"), [("failed", "withdrawn"), ("delivered", "delivered"), ("read", "read")])
async def test_reports_after_the_withdrawal(
    post: Post, scene: Scene, voice: Gateway, said: Any, ends: str
) -> None:
    alert_id = await paged(scene, Role.CENTRE_MANAGER)
    await post.send_due()
    await close(scene, "acknowledge", alert_id)
    async with scene.desk.unit_of_work(SYSTEM) as work:
        attempt = (await work.session.exec(select(NotificationAttempt))).one()
        await report(work, Channel.SMS, DeliveryReport(attempt_id=attempt.id, status=said, code=""))
    await late(post)
    assert await state(scene, alert_id, whose(scene, Role.CENTRE_MANAGER)) == (ends, [f"sms {said}"])
    assert not voice.requests


async def test_a_helper_of_the_next_town_withdraws_the_pages_of_those_who_are_helped(
    post: Post, scene: Scene, voice: Gateway
) -> None:
    alert_id = await paged(scene, Role.CENTRE_MANAGER)
    await post.send_due()
    neighbour: Place = scene.world.neighbour
    async with scene.desk.unit_of_work(SYSTEM) as work:
        await work.sql(
            text(
                "INSERT INTO alert_aid (id, alert_id, resident_id, centre_id, area_code, granted_at)"
                " SELECT :id, id, resident_id, :centre, area_code, :now FROM alert WHERE id = :alert"
            ),
            {"id": new_id(), "centre": neighbour.centre.id, "alert": alert_id, "now": work.now},
        )
    await scene.do(Role.DISPATCHER, service.acknowledge, alert_id, place=neighbour)
    await late(post)
    assert not voice.requests
    assert (await state(scene, alert_id, whose(scene, Role.CENTRE_MANAGER)))[0] == "withdrawn"


async def test_taking_it_while_dispatchers_claim(post: Post, scene: Scene, sms: Gateway, voice: Gateway) -> None:
    """Whoever is first: one text message at the most, and never a call."""
    lanes = [await post.lane(is_life_safety=True) for _ in range(2)]
    people = (Role.CENTRE_MANAGER, Role.COUNTY_OFFICER)
    for number in range(8):
        alert_id = await paged(scene, *people)
        before = len(sms.requests)
        answers = await at_once(lanes[0].look(), close(scene, "acknowledge", alert_id), lanes[1].look())
        assert not [each for each in answers if isinstance(each, Exception)], answers
        for lane in lanes:
            await lane.settle()
        sent = len(sms.requests) - before
        await late(post)
        states = [await state(scene, alert_id, whose(scene, role)) for role in people]
        assert {status for status, _ in states} == {"withdrawn"}, (number, states)
        assert sum(channels == ["sms sent"] for _, channels in states) == sent
        assert len(sms.requests) - before == sent, "nothing leaves after the alert was taken"
        assert not voice.requests
        await close(scene, "resolve", alert_id)


async def waits_or_ends(scene: Scene, task: asyncio.Task[None]) -> None:
    """Until a task has come to a lock that another holds, or to its end."""
    async with asyncio.timeout(10):
        while not task.done():
            async with scene.desk.unit_of_work(SYSTEM) as work:
                if (await work.sql(text("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"))).scalar_one():
                    return


async def test_taking_it_while_a_failure_is_being_marked(post: Post, scene: Scene, voice: Gateway) -> None:
    """The next channel has just begun, unseen as yet: it is withdrawn as well."""
    alert_id = await paged(scene, Role.CENTRE_MANAGER)
    await post.send_due()
    async with scene.desk.unit_of_work(SYSTEM) as work:
        attempt = (await work.session.exec(select(NotificationAttempt))).one()
        failed = DeliveryReport(attempt_id=attempt.id, status="failed", code="")
        await report(work, Channel.SMS, failed)
        await work.session.flush()
        taking = asyncio.create_task(close(scene, "acknowledge", alert_id))
        await waits_or_ends(scene, taking)
    await taking
    await late(post)
    expected = ("withdrawn", ["sms failed", "voice withdrawn"])
    assert await state(scene, alert_id, whose(scene, Role.CENTRE_MANAGER)) == expected
    assert not voice.requests


async def test_taking_it_while_others_open_their_inbox(post: Post, scene: Scene) -> None:
    """Both lock the same pages: nobody waits crosswise, and each page is either delivered or withdrawn."""
    for _ in range(4):
        alert_id = (await scene.press()).alert_id
        for number in range(12):
            await paged(scene, Role.CENTRE_MANAGER, alert_id=alert_id, key=str(number), channels=(Channel.APP,))
        await post.send_due()

        async def fetch() -> None:
            async with scene.desk.unit_of_work(await scene.actor(Role.CENTRE_MANAGER)) as work:
                await read_inbox(work, 50, None)

        with capture_logs() as said:
            answers = await at_once(fetch(), close(scene, "acknowledge", alert_id), fetch())
        assert not [each for each in answers if isinstance(each, Exception)], answers
        assert not [line for line in said if line["event"] == "pages_left_as_they_were"]
        manager = whose(scene, Role.CENTRE_MANAGER)
        ends = {(await state(scene, alert_id, manager, str(number)))[0] for number in range(12)}
        assert ends <= {"delivered", "withdrawn"}
        await close(scene, "resolve", alert_id)


async def test_a_page_that_is_held_too_long_costs_the_page_and_not_the_alert(
    post: Post, scene: Scene, voice: Gateway
) -> None:
    """Something hangs with the page in its hands: the alert is taken all the same, and the page goes on."""
    alert_id = await paged(scene, Role.CENTRE_MANAGER)
    await post.send_due()
    async with scene.desk.unit_of_work(SYSTEM) as work:
        await work.sql(text("SELECT id FROM notification WHERE alert_id = :id FOR UPDATE"), {"id": alert_id})
        async with asyncio.timeout(8):
            with capture_logs() as said:
                await close(scene, "acknowledge", alert_id)
    assert "pages_left_as_they_were" in {line["event"] for line in said}
    assert str((await scene.alert(alert_id)).status) == "acknowledged"
    await late(post)
    assert len(voice.requests) == 1
