"""Alerts: one a resident and kind under parallel presses, taken once, escalated until somebody comes."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import pairwise
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from services.alerts import service
from services.alerts.errors import AlertTaken
from services.alerts.models import Alert, AlertKind, AlertLog, AlertOccurrence, Escalation
from services.alerts.service import AlarmFacts, RaisedAlarm
from services.alerts.states import AlertStatus
from services.core.actor import SYSTEM, Role
from services.core.database import Database
from services.core.errors import IllegalTransition, NotFound, VersionMismatch
from services.core.ids import new_id
from services.core.outbox import OutboxEvent
from services.core.settings import Settings
from services.terminals.models import Downlink
from services.terminals.repository import Bound
from tests.clock import ManualClock
from tests.world import Place, World, build_world


@pytest.fixture
async def world(database: Database, settings: Settings, world: World) -> World:
    """A world of its own for every test: alerts are counted."""
    return await build_world(database, settings, world.vault)


@pytest.fixture
async def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def desk(settings: Settings, clock: ManualClock) -> AsyncIterator[Database]:
    """The database with a clock that the test moves."""
    assert settings.database_url is not None
    database = Database(settings.database_url, 20, clock)
    yield database
    await database.close()


async def bound_terminal(world: World, place: Place | None = None) -> Bound:
    """A pendant of the first resident."""
    place = place or world.here
    resident = place.households[0].resident
    terminal_id = new_id()
    async with world.database.unit_of_work(SYSTEM) as work:
        await work.sql(
            text(
                "INSERT INTO terminal (id, serial, kind, status, area_code, centre_id, resident_id, room, version)"
                " VALUES (:id, :serial, 'pendant', 'bound', :area, :centre, :resident, '', 1)"
            ),
            {
                "id": terminal_id,
                "serial": str(terminal_id),
                "area": resident.area_code,
                "centre": place.centre.id,
                "resident": resident.id,
            },
        )
    return Bound(terminal_id, resident.id, place.centre.id, resident.area_code, 1)


async def press(
    database: Database, bound: Bound, kind: AlertKind = AlertKind.SOS, alarm_id: str | None = None
) -> RaisedAlarm:
    """One press in a transaction of its own."""
    async with database.unit_of_work(SYSTEM) as work:
        facts = AlarmFacts(bound, alarm_id or str(new_id()), kind, work.now, work.now)
        return await service.raise_alarm(work, facts)


async def alerts_of(database: Database, resident_id: UUID | None) -> list[Alert]:
    async with database.unit_of_work(SYSTEM) as work:
        return list((await work.session.exec(select(Alert).where(Alert.resident_id == resident_id))).all())


async def events_of(database: Database, alert_id: UUID) -> list[str]:
    async with database.unit_of_work(SYSTEM) as work:
        rows = await work.session.exec(
            select(OutboxEvent)
            .where(OutboxEvent.payload["alert_id"].astext == str(alert_id))  # type: ignore[index]
            .order_by(col(OutboxEvent.id))
        )
        return [row.name for row in rows]


async def log_of(database: Database, alert_id: UUID) -> list[str]:
    async with database.unit_of_work(SYSTEM) as work:
        rows = await work.session.exec(
            select(AlertLog).where(AlertLog.alert_id == alert_id).order_by(col(AlertLog.id))
        )
        return [row.what for row in rows]


async def test_parallel_presses_are_one_alert_and_all_are_kept(desk: Database, world: World) -> None:
    bound = await bound_terminal(world)
    raised = await asyncio.gather(*(press(desk, bound) for _ in range(32)))
    assert len({r.alert_id for r in raised}) == 1
    [alert] = await alerts_of(desk, bound.resident_id)
    assert alert.occurrences == 32
    names = await events_of(desk, alert.id)
    assert names.count("alert.opened") == 1
    assert names.count("alert.repeated") == 31


async def test_the_same_alarm_sent_again_has_one_effect(desk: Database, world: World) -> None:
    bound = await bound_terminal(world)
    first = await press(desk, bound, alarm_id="press-1")
    again = await asyncio.gather(*(press(desk, bound, alarm_id="press-1") for _ in range(8)))
    assert {r.alert_id for r in again} == {first.alert_id}
    assert all(r.is_repeat for r in again)
    [alert] = await alerts_of(desk, bound.resident_id)
    assert alert.occurrences == 1
    assert await events_of(desk, alert.id) == ["alert.opened"]


async def test_the_same_alarm_twice_at_once_has_one_effect(desk: Database, world: World) -> None:
    bound = await bound_terminal(world)
    raised = await asyncio.gather(*(press(desk, bound, alarm_id="twin") for _ in range(12)))
    assert len({r.alert_id for r in raised}) == 1
    async with desk.unit_of_work(SYSTEM) as work:
        rows = await work.session.exec(
            select(AlertOccurrence).where(AlertOccurrence.terminal_id == bound.terminal_id)
        )
        assert len(rows.all()) == 1
    [alert] = await alerts_of(desk, bound.resident_id)
    assert alert.occurrences == 1


async def test_kinds_are_alerts_of_their_own(desk: Database, world: World) -> None:
    bound = await bound_terminal(world)
    await press(desk, bound, AlertKind.SOS)
    await press(desk, bound, AlertKind.SMOKE)
    assert {a.kind for a in await alerts_of(desk, bound.resident_id)} == {AlertKind.SOS, AlertKind.SMOKE}


async def test_two_dispatchers_race_and_one_has_it(desk: Database, world: World) -> None:
    bound = await bound_terminal(world)
    raised = await press(desk, bound)
    dispatcher = await world.actor(Role.DISPATCHER)
    manager = await world.actor(Role.CENTRE_MANAGER)

    async def take(actor: object) -> str:
        async with desk.unit_of_work(actor) as work:  # type: ignore[arg-type]
            alert = await service.acknowledge(work, raised.alert_id)
        return str(alert.responder_account_id)

    answers = await asyncio.gather(*(take(actor) for actor in (dispatcher, manager) * 4), return_exceptions=True)
    taken = {answer for answer in answers if isinstance(answer, str)}
    refused = [answer for answer in answers if isinstance(answer, AlertTaken)]
    assert len(taken) == 1
    assert len(refused) == 4, "the other person is refused each time, the taker's repeats are not"


async def test_an_acknowledgement_is_a_lease(desk: Database, world: World, clock: ManualClock) -> None:
    bound = await bound_terminal(world)
    raised = await press(desk, bound)
    async with desk.unit_of_work(await world.actor(Role.DISPATCHER)) as work:
        await service.acknowledge(work, raised.alert_id)
    clock.forward(seconds=599)
    await climb(desk)
    [alert] = await alerts_of(desk, bound.resident_id)
    assert alert.status is AlertStatus.ACKNOWLEDGED
    clock.forward(seconds=2)
    await climb(desk)
    [alert] = await alerts_of(desk, bound.resident_id)
    assert alert.status is AlertStatus.OPEN
    assert alert.responder_account_id is None
    assert "lease_expired" in await log_of(desk, alert.id)
    assert (await events_of(desk, alert.id))[-2:] == ["alert.moved", "alert.escalated"]


async def climb(desk: Database) -> None:
    """What the worker does, until nothing is due."""
    while True:
        async with desk.unit_of_work(SYSTEM) as work:
            if not await service.climb_due(work):
                return


async def test_the_ladder_climbs_and_repeats(desk: Database, world: World, clock: ManualClock) -> None:
    bound = await bound_terminal(world)
    raised = await press(desk, bound)
    steps = []
    for seconds in (59, 2, 121, 121, 121):
        clock.forward(seconds=seconds)
        await climb(desk)
        async with desk.unit_of_work(SYSTEM) as work:
            ladder = await work.session.get_one(Escalation, raised.alert_id)
            steps.append((ladder.step, ladder.loops))
    assert steps == [(0, 0), (1, 0), (2, 0), (2, 1), (2, 2)]


async def test_nobody_on_duty_is_written_down_and_skipped(
    desk: Database, world: World, clock: ManualClock
) -> None:
    bound = await bound_terminal(world)
    async with desk.unit_of_work(SYSTEM) as work:
        await work.sql(
            text("UPDATE account SET disabled_at = now() WHERE id = :id"),
            {"id": world.account(Role.CENTRE_MANAGER).id},
        )
    raised = await press(desk, bound)
    clock.forward(seconds=61)
    await climb(desk)
    assert await log_of(desk, raised.alert_id) == ["nobody_on_duty", "paged"]
    async with desk.unit_of_work(SYSTEM) as work:
        assert (await work.session.get_one(Escalation, raised.alert_id)).step == 2


async def test_a_press_after_acknowledgement_pages_again(desk: Database, world: World) -> None:
    bound = await bound_terminal(world)
    raised = await press(desk, bound)
    async with desk.unit_of_work(await world.actor(Role.DISPATCHER)) as work:
        await service.acknowledge(work, raised.alert_id)
    again = await press(desk, bound)
    assert again.alert_id == raised.alert_id
    assert (await events_of(desk, raised.alert_id))[-1] == "alert.repeated"


async def test_a_press_after_resolution_is_a_new_alert(desk: Database, world: World) -> None:
    bound = await bound_terminal(world)
    raised = await press(desk, bound)
    async with desk.unit_of_work(await world.actor(Role.DISPATCHER)) as work:
        await service.resolve(work, raised.alert_id, "test", "")
    assert (await press(desk, bound)).alert_id != raised.alert_id


async def test_the_terminal_is_told_of_every_step(desk: Database, world: World) -> None:
    bound = await bound_terminal(world)
    raised = await press(desk, bound, alarm_id="press-7")
    actor = await world.actor(Role.DISPATCHER)
    async with desk.unit_of_work(actor) as work:
        await service.acknowledge(work, raised.alert_id)
    async with desk.unit_of_work(actor) as work:
        await service.respond(work, raised.alert_id, "")
    async with desk.unit_of_work(actor) as work:
        await service.resolve(work, raised.alert_id, "needs_care", "")
    async with desk.unit_of_work(SYSTEM) as work:
        rows = await work.session.exec(
            select(Downlink).where(Downlink.terminal_id == bound.terminal_id).order_by(col(Downlink.id))
        )
        told = [(row.payload["id"], row.payload["state"]) for row in rows]
    assert told == [("press-7", "acknowledged"), ("press-7", "on_the_way"), ("press-7", "resolved")]


async def test_the_chain_of_times_is_kept(desk: Database, world: World, clock: ManualClock) -> None:
    bound = await bound_terminal(world)
    raised = await press(desk, bound)
    actor = await world.actor(Role.DISPATCHER)
    for verb in (service.acknowledge, service.arrive):
        clock.forward(seconds=30)
        async with desk.unit_of_work(actor) as work:
            await verb(work, raised.alert_id)
    clock.forward(seconds=30)
    async with desk.unit_of_work(actor) as work:
        await service.resolve(work, raised.alert_id, "true_emergency", "送医")
    [alert] = await alerts_of(desk, bound.resident_id)
    assert alert.acknowledged_at is not None
    assert alert.on_scene_at is not None
    assert alert.resolved_at is not None
    chain = [alert.received_at, alert.acknowledged_at, alert.on_scene_at, alert.resolved_at]
    assert [(b - a).total_seconds() for a, b in pairwise(chain)] == [30, 30, 30]


async def test_who_is_elsewhere_sees_no_alert(desk: Database, world: World) -> None:
    bound = await bound_terminal(world)
    raised = await press(desk, bound)
    neighbour = await world.actor(Role.DISPATCHER, world.neighbour)
    async with desk.unit_of_work(neighbour) as work:
        with pytest.raises(NotFound):
            await service.acknowledge(work, raised.alert_id)
        with pytest.raises(NotFound):
            await service.alert_detail(work, raised.alert_id)
    stranger = replace(await world.actor(Role.RESIDENT), resident_ids=frozenset({new_id()}))
    async with desk.unit_of_work(stranger) as work:
        with pytest.raises(NotFound):
            await service.alert_detail(work, raised.alert_id)


async def test_another_version_and_another_status_are_refused(desk: Database, world: World) -> None:
    bound = await bound_terminal(world)
    raised = await press(desk, bound)
    async with desk.unit_of_work(await world.actor(Role.CENTRE_MANAGER)) as work:
        with pytest.raises(VersionMismatch):
            await service.acknowledge(work, raised.alert_id, if_match=99)
        with pytest.raises(IllegalTransition):
            await service.review(work, raised.alert_id, "")
