"""Terminals that fall silent, come back, flap; ingest that was away; two workers; the desk."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from services.core.actor import SYSTEM, Role
from services.core.errors import NotFound, VersionMismatch
from services.supervision import service
from services.supervision.errors import FaultEnded
from services.supervision.figures import FIGURES
from services.supervision.paging import escalate_faults, tell_faults
from services.supervision.repository import untold
from services.supervision.states import FaultStatus
from services.terminals.models import TerminalKind
from tests.services.supervision.conftest import Fleet

MINUTE = timedelta(minutes=1)


async def test_five_hundred_terminals_and_ingest_away_for_an_hour(fleet: Fleet) -> None:
    terminals = await fleet.add(500)
    await fleet.beat(terminals)
    await fleet.check()
    # The broker or the platform is gone for an hour: nothing is stored, nobody says that it listens.
    for _ in range(12):
        fleet.clock.forward(minutes=5)
        await fleet.check()
    assert await fleet.faults() == [], "nobody listened, so nobody was late"
    # Back: the broker's last wills come first, and then the terminals, all but one.
    await fleet.listen(fleet.clock.now())
    await fleet.beat(terminals, is_online=False)
    await fleet.check()
    fleet.clock.forward(seconds=15)
    await fleet.beat(terminals[1:])
    back = fleet.clock.now()
    while fleet.clock.now() < back + timedelta(minutes=40):
        fleet.clock.forward(minutes=5)
        await fleet.listen(back - timedelta(seconds=15))
        await fleet.beat(terminals[1:])
        await fleet.check()
        gone = [fault.terminal_id for fault in await fleet.faults()]
        assert gone == [] or fleet.clock.now() >= back + timedelta(minutes=29), "a full time-out for everybody"
    [fault] = await fleet.faults()
    assert (fault.terminal_id, fault.kind) == (terminals[0], "offline")
    assert fault.opened_at <= back + timedelta(minutes=35)


async def test_a_silent_life_safety_terminal_is_work_that_is_shown_taken_and_ends(fleet: Fleet) -> None:
    [terminal] = await fleet.add()
    await fleet.beat([terminal])
    heard = fleet.clock.now()
    await fleet.run(35 * MINUTE, 5 * MINUTE)
    [fault] = await fleet.faults()
    assert (fault.status, fault.is_life_safety, fault.last_heard_at) == ("open", True, heard)
    async with fleet.database.unit_of_work(await fleet.world.actor(Role.DISPATCHER)) as work:
        [shown] = await service.list_faults(work, fleet.world.here.centre.id, [], 20, None)
        assert shown.id == fault.id
        taken = await service.assign_fault(work, fault.id, None, fault.version)
        assert taken.assigned_account_id == fleet.account(Role.DISPATCHER)
    await fleet.beat([terminal])
    await fleet.run(5 * MINUTE, MINUTE, [terminal])
    assert await fleet.shown() == [("offline", "", "assigned")], "not steady yet"
    await fleet.run(10 * MINUTE, MINUTE, [terminal])
    [fault] = await fleet.faults()
    assert (fault.status, fault.cleared_by) == ("cleared", "recovered")
    assert await fleet.events() == [("offline", "open"), ("offline", "assigned"), ("offline", "cleared")]


async def test_who_was_heard_since_a_restart_and_vanishes_is_missed_at_once(fleet: Fleet) -> None:
    came, was_there = terminals = await fleet.add(2)
    await fleet.beat(terminals)
    await fleet.check()
    fleet.clock.forward(minutes=1)
    restart = fleet.clock.now()
    await fleet.listen(restart)
    fleet.clock.forward(seconds=5)
    await fleet.beat([came])
    fleet.clock.forward(seconds=5)
    await fleet.beat(terminals, is_online=False)
    await fleet.check()
    fleet.clock.forward(seconds=91)
    await fleet.listen(restart)
    await fleet.check()
    assert [(fault.terminal_id, fault.kind) for fault in await fleet.faults()] == [(came, "offline")]
    fleet.clock.forward(minutes=29)
    await fleet.listen(restart)
    await fleet.check()
    assert {fault.terminal_id for fault in await fleet.faults()} == {came, was_there}


async def test_a_last_will_is_a_hint_and_no_fault(fleet: Fleet) -> None:
    [brief, gone] = await fleet.add(2)
    await fleet.beat([brief, gone])
    await fleet.check()
    fleet.clock.forward(seconds=30)
    await fleet.beat([brief, gone], is_online=False)
    await fleet.run(timedelta(seconds=60), timedelta(seconds=10))
    assert await fleet.faults() == []
    await fleet.beat([brief])
    await fleet.run(timedelta(seconds=60), timedelta(seconds=10))
    [fault] = await fleet.faults()
    assert fault.terminal_id == gone, "a minute and a half after its will, not after half an hour"


async def test_a_terminal_that_comes_and_goes_is_one_fault(fleet: Fleet) -> None:
    [terminal] = await fleet.add()
    await fleet.beat([terminal])
    for _ in range(20):
        await fleet.beat([terminal], is_online=False)
        await fleet.run(3 * MINUTE, MINUTE)
        await fleet.beat([terminal])
        await fleet.run(3 * MINUTE, MINUTE, [terminal])
    assert await fleet.shown() == [("offline", "", "open")]
    await fleet.run(15 * MINUTE, MINUTE, [terminal])
    assert await fleet.shown() == [("offline", "", "cleared")]


async def test_each_is_held_against_its_own_rhythm(fleet: Fleet) -> None:
    [fast, slow, cuff] = await fleet.add(3, TerminalKind.BEDSIDE_MONITOR)
    start = fleet.clock.now()
    fleet.clock.forward(hours=8)
    now = fleet.clock.now()
    await fleet.listen(start)
    await fleet.measure(fast, "heart_rate", [now - timedelta(seconds=10 * n) for n in range(100)])
    await fleet.measure(slow, "heart_rate", [now - timedelta(minutes=15 * n) for n in range(30)])
    morning = [now - timedelta(hours=n, minutes=m) for n in (0, 3, 6) for m in range(3)]
    await fleet.measure(cuff, "systolic_bp", morning)
    await fleet.run(5 * MINUTE, timedelta(seconds=30))
    assert [fault.terminal_id for fault in await fleet.faults()] == [fast]
    await fleet.run(30 * MINUTE, MINUTE)
    assert {fault.terminal_id for fault in await fleet.faults()} == {fast, cuff}, "the profile's half hour"


async def test_what_the_wearer_before_was_used_to_is_forgotten(fleet: Fleet) -> None:
    [terminal] = await fleet.add(1, TerminalKind.BEDSIDE_MONITOR)
    fleet.clock.forward(hours=1)
    await fleet.listen(fleet.clock.now() - timedelta(hours=1))
    times = [fleet.clock.now() - timedelta(seconds=10 * n) for n in range(100)]
    await fleet.measure(terminal, "heart_rate", times)
    await fleet.beat([terminal])
    await fleet.check()
    async with fleet.database.unit_of_work(SYSTEM) as work:
        await work.sql(
            text("UPDATE terminal_binding SET bound_at = :now WHERE terminal_id = :id"),
            {"now": work.now + timedelta(seconds=1), "id": terminal},
        )
    await fleet.run(25 * MINUTE, MINUTE, [terminal])
    assert await fleet.faults() == [], "the next one may wear it for the night only"


async def test_a_sensor_that_came_off(fleet: Fleet) -> None:
    [terminal] = await fleet.add(1, TerminalKind.BEDSIDE_MONITOR)
    fleet.clock.forward(hours=1)
    await fleet.listen(fleet.clock.now() - timedelta(hours=1))
    for kind in ("heart_rate", "spo2"):
        times = [fleet.clock.now() - timedelta(seconds=10 * n) for n in range(100)]
        await fleet.measure(terminal, kind, times)
    await fleet.check()
    for _ in range(30):  # five minutes: the pulse is there, of the oxygen only "no data"
        fleet.clock.forward(seconds=10)
        await fleet.listen(fleet.clock.now() - timedelta(hours=1))
        await fleet.measure(terminal, "heart_rate", [fleet.clock.now()])
        await fleet.measure(terminal, "spo2", [fleet.clock.now()], "no_data")
        await fleet.check()
    assert await fleet.shown() == [("sensor_off", "spo2", "open")]
    for _ in range(90):
        fleet.clock.forward(seconds=10)
        await fleet.listen(fleet.clock.now() - timedelta(hours=1))
        await fleet.measure(terminal, "heart_rate", [fleet.clock.now()])
        await fleet.measure(terminal, "spo2", [fleet.clock.now()])
        await fleet.check()
    assert await fleet.shown() == [("sensor_off", "spo2", "cleared")]


async def test_battery_signal_tamper_and_a_switched_off_sensor_as_it_says(fleet: Fleet) -> None:
    [terminal] = await fleet.add()
    await fleet.beat([terminal], battery_percent=60, signal_dbm=-70)
    await fleet.check()
    await fleet.beat([terminal], battery_percent=15, tamper=True, sensors={"spo2": "off"})
    await fleet.check()
    assert await fleet.shown() == [("low_battery", "", "open"), ("tamper", "", "open")]
    await fleet.run(3 * MINUTE, MINUTE, [terminal])
    assert ("sensor_off", "spo2", "open") in await fleet.shown()
    await fleet.beat([terminal], battery_percent=100, tamper=False, sensors={"spo2": "on"})
    await fleet.run(60 * MINUTE, 5 * MINUTE, [terminal])
    assert {status for _, _, status in await fleet.shown()} == {"cleared"}


async def test_two_workers_at_once_open_one_fault_each(fleet: Fleet) -> None:
    terminals = await fleet.add(60)
    await fleet.beat(terminals)
    await fleet.check()
    fleet.clock.forward(minutes=31)
    await fleet.listen(fleet.clock.now() - timedelta(days=1))

    async def work_off() -> None:
        for _ in range(12):
            async with fleet.database.unit_of_work(SYSTEM) as work:
                await service.check_terminals(work, 7)
            await asyncio.sleep(0)

    await asyncio.gather(*(work_off() for _ in range(6)))
    await fleet.check()
    faults = await fleet.faults()
    assert len(faults) == len({fault.terminal_id for fault in faults}) == 60
    assert len(await fleet.events()) == 60


async def test_one_that_is_taken_out_of_service_has_no_fault(fleet: Fleet) -> None:
    [terminal] = await fleet.add()
    await fleet.run(35 * MINUTE, 5 * MINUTE)
    async with fleet.database.unit_of_work(SYSTEM) as work:
        await work.sql(text("UPDATE terminal SET status = 'suspended' WHERE id = :id"), {"id": terminal})
    await fleet.run(40 * MINUTE, 10 * MINUTE)
    [fault] = await fleet.faults()
    assert (fault.status, fault.cleared_by) == ("cleared", "out_of_service")
    async with fleet.database.unit_of_work(SYSTEM) as work:
        left = await work.sql(
            text("SELECT count(*) FROM terminal_watch WHERE terminal_id = :id"), {"id": terminal}
        )
        assert left.scalar_one() == 0


async def test_what_a_person_cleared_stays_cleared_until_it_was_well(fleet: Fleet) -> None:
    [terminal] = await fleet.add()
    await fleet.run(35 * MINUTE, 5 * MINUTE)
    [fault] = await fleet.faults()
    async with fleet.database.unit_of_work(await fleet.world.actor(Role.DISPATCHER)) as work:
        with pytest.raises(VersionMismatch):
            await service.clear_fault(work, fault.id, "住院", fault.version + 1)
    async with fleet.database.unit_of_work(await fleet.world.actor(Role.DISPATCHER)) as work:
        await service.clear_fault(work, fault.id, "长者住院", fault.version)
    async with fleet.database.unit_of_work(await fleet.world.actor(Role.DISPATCHER)) as work:
        with pytest.raises(FaultEnded):
            await service.assign_fault(work, fault.id, None, None)
    await fleet.run(300 * MINUTE, 30 * MINUTE)
    assert await fleet.shown() == [("offline", "", "cleared")]
    await fleet.run(10 * MINUTE, 5 * MINUTE, [terminal])
    await fleet.run(40 * MINUTE, 10 * MINUTE)
    assert await fleet.shown() == [("offline", "", "cleared"), ("offline", "", "open")]


async def test_faults_of_another_town_are_not_found(fleet: Fleet) -> None:
    await fleet.add()
    await fleet.run(35 * MINUTE, 5 * MINUTE)
    [fault] = await fleet.faults()
    stranger = await fleet.world.actor(Role.DISPATCHER, fleet.world.neighbour)
    async with fleet.database.unit_of_work(stranger) as work:
        for attempt in (
            service.assign_fault(work, fault.id, None, None),
            service.clear_fault(work, fault.id, "没看见", None),
            service.list_faults(work, fleet.world.here.centre.id, [], 20, None),
        ):
            with pytest.raises(NotFound):
                await attempt
    async with fleet.database.unit_of_work(await fleet.world.actor(Role.DISPATCHER)) as work:
        with pytest.raises(NotFound):
            await service.assign_fault(work, fault.id, stranger.account_id, None)


async def test_those_on_duty_are_told_once_and_the_manager_when_nobody_takes_it(fleet: Fleet) -> None:
    terminals = await fleet.add(3)
    await fleet.run(35 * MINUTE, 5 * MINUTE)

    async def tell() -> None:
        async with fleet.database.unit_of_work(SYSTEM) as work:
            await tell_faults(work)
            await escalate_faults(work)

    await asyncio.gather(tell(), tell())
    await tell()
    [(account, said)] = await fleet.notices()
    assert account == fleet.account(Role.DISPATCHER)
    assert (said["fault"], said["count"]) == ("offline", "3"), "one notice for what went together"
    faults = await fleet.faults()
    async with fleet.database.unit_of_work(await fleet.world.actor(Role.DISPATCHER)) as work:
        await service.assign_fault(work, faults[0].id, None, None)
    fleet.clock.forward(minutes=31)
    await tell()
    await tell()
    assert len(terminals) == 3
    [_, (account, said)] = await fleet.notices()
    assert account == fleet.account(Role.CENTRE_MANAGER)
    assert said["count"] == "2", "the one that was taken is not passed on"


async def test_what_is_no_matter_of_life_pages_nobody(fleet: Fleet) -> None:
    await fleet.add(1, TerminalKind.BEDSIDE_MONITOR)
    await fleet.run(35 * MINUTE, 5 * MINUTE)
    assert await fleet.shown() == [("offline", "", "open")]
    async with fleet.database.unit_of_work(SYSTEM) as work:
        await tell_faults(work)
    assert await fleet.notices() == []
    async with fleet.database.unit_of_work(await fleet.world.actor(Role.CENTRE_MANAGER)) as work:
        shown = await service.list_faults(work, fleet.world.here.centre.id, [FaultStatus.CLEARED], 20, None)
        assert shown == []


async def test_a_centre_with_nobody_on_duty_does_not_stand_before_the_others(fleet: Fleet) -> None:
    here, neighbour = fleet.world.here, fleet.world.neighbour
    await fleet.add(3, place=neighbour)
    await fleet.run(31 * MINUTE, MINUTE)
    await fleet.add(1, place=here)
    await fleet.run(31 * MINUTE, MINUTE)
    async with fleet.database.unit_of_work(SYSTEM) as work:
        centres = [fault.centre_id for fault in await untold(work, FIGURES.told_kinds, 1)]
    assert centres.count(neighbour.centre.id) == 1
    assert centres.count(here.centre.id) == 1, "found although older ones of another centre wait"
