"""The desk: one alert a resident and kind, taken once, a lease, every time kept, closed with a checklist."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from sqlmodel import col, select

from services.alerts import service
from services.alerts.errors import AlertOver, AlertTaken, ChecklistIncomplete, NotTakenBack
from services.alerts.models import Alert, AlertKind, AlertOccurrence
from services.alerts.resolutions import CancelConfirmed, Classification, Resolution
from services.alerts.service import AlarmFacts
from services.alerts.states import AlertStatus, Severity
from services.core.actor import SYSTEM, Role
from services.core.errors import IllegalTransition, NotFound, VersionMismatch
from services.core.ids import new_id
from services.terminals.models import Downlink, TerminalTest
from tests.alerts import CHECKLIST
from tests.desk import Scene


async def resolve(scene: Scene, alert_id: Any, how: Resolution = Resolution.NEEDS_CARE) -> Alert:
    alert: Alert = await scene.do(Role.DISPATCHER, service.resolve, alert_id, how, CHECKLIST, "")
    return alert


async def cancel_on_terminal(scene: Scene, alarm_id: str = "cancel", kind: AlertKind = AlertKind.FALL) -> None:
    async with scene.desk.unit_of_work(SYSTEM) as work:
        facts = AlarmFacts(scene.bound, alarm_id, kind, work.now, work.now, {"reason": "i_am_fine"})
        await service.note_cancel(work, facts, kind)


async def test_kinds_are_alerts_of_their_own(scene: Scene) -> None:
    first, second = await scene.press(AlertKind.SOS), await scene.press(AlertKind.SMOKE)
    assert first.alert_id != second.alert_id


async def test_the_same_alarm_sent_again_has_one_effect(scene: Scene) -> None:
    first = await scene.press(alarm_id="press-1")
    again = await scene.press(alarm_id="press-1")
    assert (again.alert_id, again.is_repeat) == (first.alert_id, True)
    assert (await scene.alert(first.alert_id)).occurrences == 1
    assert [e.name for e in await scene.events(first.alert_id)] == ["alert.opened"]


async def test_an_acknowledgement_is_a_lease(scene: Scene) -> None:
    raised = await scene.press()
    await scene.climb()
    await scene.do(Role.DISPATCHER, service.acknowledge, raised.alert_id)
    await scene.climb(seconds=599)
    assert (await scene.alert(raised.alert_id)).status is AlertStatus.ACKNOWLEDGED
    await scene.climb(seconds=2)
    alert = await scene.alert(raised.alert_id)
    assert alert.status is AlertStatus.OPEN
    assert alert.responder_account_id is None
    assert "lease_expired" in await scene.log(alert.id)
    names = [(e.name, e.payload.get("status")) for e in await scene.events(alert.id)]
    assert names[-2:] == [("alert.moved", "open"), ("alert.escalated", None)]
    assert (await scene.ladder(alert.id)).step == 0, "the first step's repeat comes before the next step"


async def test_a_response_without_arrival_escalates_again_too(scene: Scene) -> None:
    raised = await scene.press()
    await scene.do(Role.DISPATCHER, service.respond, raised.alert_id, "村医出发")
    await scene.climb(seconds=2699)
    assert (await scene.alert(raised.alert_id)).status is AlertStatus.RESPONDING
    await scene.climb(seconds=2)
    assert (await scene.alert(raised.alert_id)).status is AlertStatus.OPEN


async def test_who_stays_long_on_scene_is_asked(scene: Scene) -> None:
    raised = await scene.press()
    await scene.do(Role.DISPATCHER, service.arrive, raised.alert_id)
    await scene.climb(seconds=7201)
    assert (await scene.alert(raised.alert_id)).status is AlertStatus.ON_SCENE
    assert (await scene.log(raised.alert_id))[-1] == "still_on_scene"


async def test_what_somebody_holds_is_not_taken_without_a_handover(scene: Scene) -> None:
    raised = await scene.press()
    await scene.do(Role.DISPATCHER, service.acknowledge, raised.alert_id)
    for verb, more in ((service.acknowledge, ()), (service.respond, ("",))):
        with pytest.raises(AlertTaken):
            await scene.do(Role.CENTRE_MANAGER, verb, raised.alert_id, *more)
    holder = (await scene.alert(raised.alert_id)).responder_account_id
    await scene.do(Role.CENTRE_MANAGER, service.arrive, raised.alert_id)
    assert (await scene.alert(raised.alert_id)).responder_account_id == holder


async def test_a_press_after_resolution_is_a_new_alert(scene: Scene) -> None:
    raised = await scene.press()
    await resolve(scene, raised.alert_id)
    assert (await scene.press()).alert_id != raised.alert_id


async def test_the_terminal_is_told_of_every_step(scene: Scene) -> None:
    raised = await scene.press(alarm_id="press-7")
    await scene.do(Role.DISPATCHER, service.acknowledge, raised.alert_id)
    await scene.do(Role.DISPATCHER, service.respond, raised.alert_id, "")
    await resolve(scene, raised.alert_id)
    async with scene.desk.unit_of_work(SYSTEM) as work:
        rows = await work.session.exec(
            select(Downlink).where(Downlink.terminal_id == scene.bound.terminal_id).order_by(col(Downlink.id))
        )
        told = [(row.payload["id"], row.payload["state"]) for row in rows]
    assert told == [("press-7", "acknowledged"), ("press-7", "on_the_way"), ("press-7", "resolved")]


async def test_the_chain_of_times_is_kept(scene: Scene) -> None:
    raised = await scene.press()
    verbs = (
        (service.acknowledge, ()),
        (service.classify, (Classification.EMERGENCY, "")),
        (service.respond, ("",)),
        (service.arrive, ()),
        (service.resolve, (Resolution.TRUE_EMERGENCY, CHECKLIST, "送医")),
    )
    for verb, more in verbs:
        scene.clock.forward(seconds=30)
        await scene.do(Role.DISPATCHER, verb, raised.alert_id, *more)
    scene.clock.forward(seconds=30)
    await scene.do(Role.CENTRE_MANAGER, service.review, raised.alert_id, "")
    a = await scene.alert(raised.alert_id)
    chain = [a.received_at, a.acknowledged_at, a.classified_at, a.responding_at, a.on_scene_at, a.resolved_at]
    chain.append(a.reviewed_at)
    assert [(b - a).total_seconds() for a, b in pairwise(chain) if a and b] == [30] * 6


async def test_a_changed_judgement_keeps_the_time_of_the_first(scene: Scene) -> None:
    raised = await scene.press()
    await scene.do(Role.DISPATCHER, service.classify, raised.alert_id, Classification.UNCLEAR, "无人应答")
    first = (await scene.alert(raised.alert_id)).classified_at
    scene.clock.forward(seconds=40)
    alert = await scene.do(Role.DISPATCHER, service.classify, raised.alert_id, Classification.EMERGENCY, "")
    assert (alert.classified_at, alert.classification) == (first, Classification.EMERGENCY)
    assert alert.status is AlertStatus.OPEN


async def test_severity_rises_by_a_reading_and_falls_by_a_person_only(scene: Scene) -> None:
    raised = await scene.press(AlertKind.HEART_RATE, severity=Severity.WARNING)
    for given, then in (
        (Severity.HIGH, 3),
        (Severity.NOTICE, 3),
        (Severity.LIFE_SAFETY, 4),
        (Severity.WARNING, 4),
    ):
        await scene.press(AlertKind.HEART_RATE, severity=given)
        assert (await scene.alert(raised.alert_id)).severity == then
    alert = await scene.do(Role.DISPATCHER, service.set_severity, raised.alert_id, Severity.NOTICE, "复测正常")
    assert alert.severity == Severity.NOTICE
    assert (await scene.log(raised.alert_id))[-1] == "severity_set"


@pytest.mark.parametrize(
    ("answers", "note", "names"),
    [
        ({}, "", {"missing": list(CHECKLIST)}),
        (CHECKLIST | {"condition": "superb"}, "", {"bad_answers": ["condition"]}),
        (CHECKLIST | {"shoe_size": "yes"}, "", {"unknown_items": ["shoe_size"]}),
        (CHECKLIST | {"condition": "unknown"}, " ", {"note_needed": True}),
    ],
)
async def test_the_checklist_must_be_complete(
    scene: Scene, answers: dict[str, str], note: str, names: dict[str, object]
) -> None:
    raised = await scene.press()
    with pytest.raises(ChecklistIncomplete) as refusal:
        await scene.do(Role.DISPATCHER, service.resolve, raised.alert_id, Resolution.NEEDS_CARE, answers, note)
    assert {name: refusal.value.extra[name] for name in names} == names
    assert (await scene.alert(raised.alert_id)).status is AlertStatus.OPEN


async def test_a_fall_asks_more_and_unknown_with_a_note_is_an_answer(scene: Scene) -> None:
    raised = await scene.press(AlertKind.FALL)
    answers = CHECKLIST | {"condition": "unknown", "injured": "unknown"}
    with pytest.raises(ChecklistIncomplete):
        await scene.do(Role.DISPATCHER, service.resolve, raised.alert_id, Resolution.FALSE_OTHER, CHECKLIST, "")
    alert = await scene.do(
        Role.DISPATCHER, service.resolve, raised.alert_id, Resolution.FALSE_OTHER, answers, "电话未接，邻居看过"
    )
    assert alert.checklist == answers


async def test_a_resolved_test_is_the_terminals_test_call(scene: Scene) -> None:
    raised = await scene.press()
    await resolve(scene, raised.alert_id, Resolution.TEST)
    async with scene.desk.unit_of_work(SYSTEM) as work:
        rows = await work.session.exec(
            select(TerminalTest).where(TerminalTest.terminal_id == scene.bound.terminal_id)
        )
        assert [row.ok for row in rows] == [True]


async def test_only_what_the_resident_took_back_can_be_cancelled(scene: Scene) -> None:
    raised = await scene.press(AlertKind.FALL)
    scene.clock.forward(seconds=5)
    arguments = (CancelConfirmed.SPOKE_WITH_RESIDENT, "本人确认没摔倒")
    with pytest.raises(NotTakenBack):
        await scene.do(Role.DISPATCHER, service.cancel, raised.alert_id, *arguments)
    await cancel_on_terminal(scene)
    assert (await scene.alert(raised.alert_id)).status is AlertStatus.OPEN, "only a person closes a fall"
    assert "alert.taken_back" in [e.name for e in await scene.events(raised.alert_id)]
    scene.clock.forward(seconds=5)
    await scene.press(AlertKind.FALL)
    with pytest.raises(NotTakenBack):
        await scene.do(Role.DISPATCHER, service.cancel, raised.alert_id, *arguments)
    scene.clock.forward(seconds=5)
    await cancel_on_terminal(scene, "cancel-2")
    alert = await scene.do(Role.DISPATCHER, service.cancel, raised.alert_id, *arguments)
    assert (alert.status, alert.resolution) == (AlertStatus.CANCELLED, "taken_back_by_resident")
    assert (await scene.ladder(raised.alert_id)).next_at is None


async def test_a_fall_that_was_cancelled_in_time_is_on_record_and_pages_nobody(scene: Scene) -> None:
    for _ in range(2):
        await cancel_on_terminal(scene)
    async with scene.desk.unit_of_work(SYSTEM) as work:
        found = await work.session.exec(select(Alert).where(Alert.resident_id == scene.bound.resident_id))
        [alert] = found.all()
        presses = await work.session.exec(select(AlertOccurrence).where(AlertOccurrence.alert_id == alert.id))
        assert [press.detail for press in presses] == [{"cancelled_by": "resident", "reason": "i_am_fine"}]
    await scene.climb(seconds=60)
    assert alert.status is AlertStatus.CANCELLED
    assert await scene.pages(alert.id) == []
    assert (await scene.press(AlertKind.FALL)).status is AlertStatus.OPEN, "the alarm itself still opens one"


async def test_nothing_is_judged_after_the_end(scene: Scene) -> None:
    raised = await scene.press()
    await resolve(scene, raised.alert_id)
    with pytest.raises(AlertOver):
        await scene.do(Role.DISPATCHER, service.classify, raised.alert_id, Classification.EMERGENCY, "")
    with pytest.raises(AlertOver):
        await scene.do(Role.DISPATCHER, service.set_severity, raised.alert_id, Severity.HIGH, "再看一次")


async def test_the_county_and_the_family_read_no_words_about_her_health(scene: Scene) -> None:
    raised = await scene.press()
    words = "诉胸痛气短"
    await scene.do(Role.DISPATCHER, service.classify, raised.alert_id, Classification.EMERGENCY, words)
    await scene.do(Role.DISPATCHER, service.set_severity, raised.alert_id, Severity.LIFE_SAFETY, words)
    arguments = (raised.alert_id, Resolution.TRUE_EMERGENCY, CHECKLIST | {"condition": "needs_treatment"}, words)
    await scene.do(Role.DISPATCHER, service.resolve, *arguments)
    for role, reads in ((Role.CENTRE_MANAGER, True), (Role.COUNTY_OFFICER, False), (Role.FAMILY, False)):
        detail = (await scene.do(role, service.alert_detail, raised.alert_id)).model_dump_json()
        assert (words in detail, "needs_treatment" in detail) == (reads, reads), role


async def test_who_is_elsewhere_sees_no_alert(scene: Scene) -> None:
    raised = await scene.press()
    world = scene.world
    for verb in (service.acknowledge, service.alert_detail, service.acknowledge_page):
        with pytest.raises(NotFound):
            await scene.do(Role.DISPATCHER, verb, raised.alert_id, place=world.neighbour)
    stranger = replace(await world.actor(Role.RESIDENT), resident_ids=frozenset({new_id()}))
    async with scene.desk.unit_of_work(stranger) as work:
        with pytest.raises(NotFound):
            await service.alert_detail(work, raised.alert_id)


async def test_another_version_and_another_status_are_refused(scene: Scene) -> None:
    raised = await scene.press()
    with pytest.raises(VersionMismatch):
        await scene.do(Role.CENTRE_MANAGER, service.acknowledge, raised.alert_id, 99)
    with pytest.raises(IllegalTransition):
        await scene.do(Role.CENTRE_MANAGER, service.review, raised.alert_id, "")
