"""Two at once: real connections, side by side, and still one alert, one responder, nothing lost."""

from sqlmodel import select

from services.alerts import service
from services.alerts.errors import AlertTaken, NoHandover
from services.alerts.models import Alert, AlertKind, AlertOccurrence
from services.alerts.resolutions import Resolution
from services.alerts.service import AlarmFacts, RaisedAlarm
from services.alerts.states import AlertStatus
from services.core.actor import SYSTEM, Role
from services.core.errors import IllegalTransition
from tests.alerts import CHECKLIST
from tests.desk import Scene, at_once


async def occurrences(scene: Scene) -> list[AlertOccurrence]:
    async with scene.desk.unit_of_work(SYSTEM) as work:
        rows = await work.session.exec(
            select(AlertOccurrence).where(AlertOccurrence.terminal_id == scene.bound.terminal_id)
        )
        return list(rows.all())


async def test_parallel_presses_are_one_alert_and_all_are_kept(scene: Scene) -> None:
    raised = await at_once(*(scene.press() for _ in range(64)))
    assert all(isinstance(one, RaisedAlarm) for one in raised), raised
    [alert_id] = {one.alert_id for one in raised}
    assert (await scene.alert(alert_id)).occurrences == 64
    assert len(await occurrences(scene)) == 64
    names = [event.name for event in await scene.events(alert_id)]
    assert (names.count("alert.opened"), names.count("alert.repeated")) == (1, 63)
    assert (await scene.ladder(alert_id)).called_at is not None


async def test_the_same_alarm_twice_at_once_has_one_effect(scene: Scene) -> None:
    raised = await at_once(*(scene.press(alarm_id="twin") for _ in range(12)))
    [alert_id] = {one.alert_id for one in raised}
    assert len(await occurrences(scene)) == 1
    assert (await scene.alert(alert_id)).occurrences == 1


async def test_the_same_cancel_twice_at_once_is_one(scene: Scene) -> None:
    async def cancel() -> None:
        async with scene.desk.unit_of_work(SYSTEM) as work:
            facts = AlarmFacts(scene.bound, "cancel", AlertKind.FALL, work.now, work.now)
            await service.note_cancel(work, facts, AlertKind.FALL)

    assert await at_once(*(cancel() for _ in range(12))) == [None] * 12
    async with scene.desk.unit_of_work(SYSTEM) as work:
        found = await work.session.exec(select(Alert).where(Alert.resident_id == scene.bound.resident_id))
        assert [alert.status for alert in found] == [AlertStatus.CANCELLED]
    assert len(await occurrences(scene)) == 1


async def test_two_dispatchers_race_and_one_has_it(scene: Scene) -> None:
    raised = await scene.press()
    roles = (Role.DISPATCHER, Role.CENTRE_MANAGER) * 4
    answers = await at_once(*(scene.do(role, service.acknowledge, raised.alert_id) for role in roles))
    taken = {answer.responder_account_id for answer in answers if not isinstance(answer, Exception)}
    refused = [answer for answer in answers if isinstance(answer, AlertTaken)]
    assert len(taken) == 1
    assert len(refused) == 4, "the other person is refused each time, the taker's repeats are not"


async def test_presses_and_a_resolution_at_once_lose_nothing(scene: Scene) -> None:
    for _ in range(6):
        raised = await scene.press()
        arguments = (raised.alert_id, Resolution.NEEDS_CARE, CHECKLIST, "")
        answers = await at_once(
            *(scene.press() for _ in range(4)),
            scene.do(Role.DISPATCHER, service.resolve, *arguments),
            *(scene.press() for _ in range(4)),
        )
        assert not [answer for answer in answers if isinstance(answer, Exception)]
        presses = [answer for answer in answers if isinstance(answer, RaisedAlarm)]
        later = {press.alert_id for press in presses} - {raised.alert_id}
        assert len(later) <= 1, "at most one new alert after the resolved one"
        counted = [await scene.alert(alert_id) for alert_id in {raised.alert_id, *later}]
        assert sum(alert.occurrences for alert in counted) == 9
        for alert in counted:
            if alert.status is not AlertStatus.RESOLVED:
                await scene.do(Role.DISPATCHER, service.resolve, alert.id, Resolution.NEEDS_CARE, CHECKLIST, "")
    assert len(await occurrences(scene)) == 6 * 9


async def test_a_resolution_and_a_climb_at_once_end_the_ladder(scene: Scene) -> None:
    for _ in range(6):
        raised = await scene.press()
        scene.clock.forward(seconds=400)
        arguments = (raised.alert_id, Resolution.NEEDS_CARE, CHECKLIST, "")
        answers = await at_once(
            scene.climb(), scene.do(Role.DISPATCHER, service.resolve, *arguments), scene.climb()
        )
        assert not [answer for answer in answers if isinstance(answer, Exception)], answers
        await scene.climb(seconds=400)
        assert (await scene.alert(raised.alert_id)).status is AlertStatus.RESOLVED
        assert (await scene.ladder(raised.alert_id)).next_at is None
        paged = len(await scene.pages(raised.alert_id))
        await scene.climb(seconds=4000)
        assert len(await scene.pages(raised.alert_id)) == paged


async def test_a_climb_pages_once_however_many_workers_there_are(scene: Scene) -> None:
    raised = await scene.press()
    await at_once(*(scene.climb() for _ in range(8)))
    keys = [key for key, _, _ in await scene.notices(raised.alert_id)]
    assert set(keys) == {f"alert:{raised.alert_id}:0:0:0"}
    assert len(keys) == len(await scene.pages(raised.alert_id))


async def test_a_handover_and_the_end_of_the_lease_at_once(scene: Scene) -> None:
    """Whoever comes first: the manager has it, or it is nobody's and open; never somebody without knowing."""
    manager = scene.world.account(Role.CENTRE_MANAGER).id
    for _ in range(6):
        raised = await scene.press()
        await scene.do(Role.DISPATCHER, service.acknowledge, raised.alert_id)
        await scene.do(Role.DISPATCHER, service.request_handover, raised.alert_id, manager, "")
        scene.clock.forward(seconds=601)
        answers = await at_once(
            scene.do(Role.CENTRE_MANAGER, service.answer_handover, raised.alert_id, True, ""), scene.climb()
        )
        await scene.climb()
        alert = await scene.alert(raised.alert_id)
        assert alert.status is AlertStatus.OPEN, "the lease went over as it stood, and it has ended"
        assert alert.responder_account_id is None
        refused = [answer for answer in answers if isinstance(answer, Exception)]
        assert all(isinstance(answer, NoHandover | AlertTaken | IllegalTransition) for answer in refused)
        await scene.do(Role.DISPATCHER, service.resolve, raised.alert_id, Resolution.NEEDS_CARE, CHECKLIST, "")
