"""Handing over: asked, accepted or declined, both on record; unanswered, the responsibility stays where it was."""

import pytest

from services.alerts import handover, service
from services.alerts.errors import CannotTakeOver, HandoverPending, NoHandover, NotResponder
from services.alerts.resolutions import Resolution
from services.alerts.states import AlertStatus, HandoverStatus
from services.core.actor import SYSTEM, Role
from tests.alerts import CHECKLIST
from tests.desk import Scene


async def taken(scene: Scene) -> tuple[object, object]:
    """An alert that the dispatcher holds, and the manager's account."""
    raised = await scene.press()
    await scene.climb()
    await scene.do(Role.DISPATCHER, service.acknowledge, raised.alert_id)
    return raised.alert_id, scene.world.here.staff[Role.CENTRE_MANAGER].id


async def test_with_the_acceptance_responsibility_and_lease_go_over(scene: Scene) -> None:
    alert_id, manager = await taken(scene)
    lease = (await scene.alert(alert_id)).lease_until
    scene.clock.forward(seconds=60)
    asked = await scene.do(Role.DISPATCHER, service.request_handover, alert_id, manager, "交班")
    assert (await scene.alert(alert_id)).responder_account_id == asked.from_account_id
    scene.clock.forward(seconds=10)
    done = await scene.do(Role.CENTRE_MANAGER, service.answer_handover, alert_id, True, "收到")
    alert = await scene.alert(alert_id)
    assert (done.status, alert.responder_account_id, alert.lease_until) == (
        HandoverStatus.ACCEPTED,
        manager,
        lease,
    )
    assert (done.answered_at - done.requested_at).total_seconds() == 10
    detail = await scene.do(Role.DISPATCHER, service.alert_detail, alert_id)
    [row] = detail.handovers
    assert (row.from_account_id, row.to_account_id, row.note) == (asked.from_account_id, manager, "交班")
    statuses = [e.payload["status"] for e in await scene.events(alert_id) if e.name == "alert.handover"]
    assert statuses == ["requested", "accepted"]


async def test_who_is_asked_is_paged_while_the_answer_is_awaited(scene: Scene) -> None:
    alert_id, manager = await taken(scene)
    asked = await scene.do(Role.DISPATCHER, service.request_handover, alert_id, manager, "")
    for _ in range(2):
        async with scene.desk.unit_of_work(SYSTEM) as work:
            await handover.page_asked(work, alert_id, asked.id)
    key = f"alert:{alert_id}:handover:{asked.id}"
    assert [who for told, who, _ in await scene.notices(alert_id) if told == key] == [manager]


async def test_declined_it_stays_and_may_be_asked_again(scene: Scene) -> None:
    alert_id, manager = await taken(scene)
    await scene.do(Role.DISPATCHER, service.request_handover, alert_id, manager, "")
    with pytest.raises(HandoverPending):
        await scene.do(Role.DISPATCHER, service.request_handover, alert_id, manager, "")
    done = await scene.do(Role.CENTRE_MANAGER, service.answer_handover, alert_id, False, "在外")
    assert done.status is HandoverStatus.DECLINED
    assert (await scene.alert(alert_id)).responder_account_id == scene.world.account(Role.DISPATCHER).id
    await scene.do(Role.DISPATCHER, service.request_handover, alert_id, manager, "")


async def test_unanswered_it_lapses_with_the_lease(scene: Scene) -> None:
    alert_id, manager = await taken(scene)
    await scene.do(Role.DISPATCHER, service.request_handover, alert_id, manager, "")
    await scene.climb(seconds=601)
    alert = await scene.alert(alert_id)
    assert (alert.status, alert.responder_account_id) == (AlertStatus.OPEN, None)
    assert "handover_lapsed" in await scene.log(alert_id)
    with pytest.raises(NoHandover):
        await scene.do(Role.CENTRE_MANAGER, service.answer_handover, alert_id, True, "")


async def test_unanswered_it_lapses_with_the_alert(scene: Scene) -> None:
    alert_id, manager = await taken(scene)
    await scene.do(Role.DISPATCHER, service.request_handover, alert_id, manager, "")
    await scene.do(Role.DISPATCHER, service.resolve, alert_id, Resolution.NEEDS_CARE, CHECKLIST, "")
    assert "handover_lapsed" in await scene.log(alert_id)


async def test_only_the_responder_asks_and_only_the_asked_answers(scene: Scene) -> None:
    alert_id, manager = await taken(scene)
    with pytest.raises(NotResponder):
        await scene.do(Role.CENTRE_MANAGER, service.request_handover, alert_id, manager, "")
    await scene.do(Role.DISPATCHER, service.request_handover, alert_id, manager, "")
    for role in (Role.DISPATCHER, Role.COUNTY_OFFICER):
        with pytest.raises(NoHandover):
            await scene.do(role, service.answer_handover, alert_id, True, "")


async def test_who_cannot_take_an_alert_is_not_asked(scene: Scene) -> None:
    alert_id, _ = await taken(scene)
    world = scene.world
    strangers = (
        world.here.staff[Role.CLINICIAN].id,
        world.here.caregiver_accounts[0].id,
        world.neighbour.staff[Role.DISPATCHER].id,
        world.here.staff[Role.DISPATCHER].id,
    )
    for account_id in strangers:
        with pytest.raises(CannotTakeOver):
            await scene.do(Role.DISPATCHER, service.request_handover, alert_id, account_id, "")


async def test_the_county_takes_over_once_it_was_paged(scene: Scene) -> None:
    alert_id, _ = await taken(scene)
    county = scene.world.here.staff[Role.COUNTY_OFFICER].id
    with pytest.raises(CannotTakeOver):
        await scene.do(Role.DISPATCHER, service.request_handover, alert_id, county, "")
    for seconds in (601, 60, 120, 120):
        await scene.climb(seconds=seconds)
    await scene.do(Role.DISPATCHER, service.acknowledge, alert_id)
    await scene.do(Role.DISPATCHER, service.request_handover, alert_id, county, "")
    await scene.do(Role.COUNTY_OFFICER, service.answer_handover, alert_id, True, "")
    assert (await scene.alert(alert_id)).responder_account_id == county
