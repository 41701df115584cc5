"""Maintenance: rules are silent, readings stay, it expires by itself, and no call for help ever comes near it."""

from datetime import timedelta

import pytest

from services.alerts.models import AlertKind
from services.alerts.service import AlarmFacts, raise_alarm
from services.core.actor import SYSTEM, Role
from services.core.errors import NotFound
from services.rules.errors import AlreadyEnded, MaintenanceTooLong
from services.rules.maintenance import HOURS_MAX, end_maintenance, list_maintenance, start_maintenance
from services.rules.views import MaintenanceEnd, MaintenancePublic, MaintenanceStart
from tests.services.rules.wearing import Wearer

FAST = [150.0, 151.0, 152.0]


async def start(wearer: Wearer, *, hours: float = 2, of_terminal: bool = True) -> MaintenancePublic:
    actor = await wearer.world.actor(Role.DISPATCHER)
    subject = {"terminal_id": wearer.bound.terminal_id} if of_terminal else {"resident_id": wearer.resident_id}
    async with wearer.database.unit_of_work(actor) as work:
        return await start_maintenance(work, MaintenanceStart(hours=hours, reason="更换传感器", **subject))


async def listed(wearer: Wearer) -> list[MaintenancePublic]:
    async with wearer.database.unit_of_work(await wearer.world.actor(Role.DISPATCHER)) as work:
        return await list_maintenance(work, wearer.bound.centre_id, 20, None)


@pytest.mark.parametrize("of_terminal", [True, False])
async def test_rules_are_silent_and_counted_while_it_lasts(wearer: Wearer, of_terminal: bool) -> None:
    await start(wearer, of_terminal=of_terminal)
    await wearer.one_by_one("heart_rate", [*FAST, 150, 151, 152])
    assert await wearer.alerts() == []
    assert await wearer.stored() == 6
    [shown] = await listed(wearer)
    assert (shown.silenced, shown.is_running, shown.reason) == (1, True, "更换传感器")
    assert shown.started_by is not None


async def test_it_expires_by_itself_and_what_goes_on_is_raised(wearer: Wearer) -> None:
    await start(wearer, hours=1)
    wearer.clock.forward(minutes=50)
    await wearer.one_by_one("heart_rate", [*FAST, 150, 151])
    assert await wearer.alerts() == []
    wearer.clock.forward(minutes=5)
    await wearer.one_by_one("heart_rate", [152])
    [alert] = await wearer.alerts()
    assert alert["kind"] == "heart_rate"
    assert not (await listed(wearer))[0].is_running


async def test_what_was_measured_during_it_and_comes_later_raises_nothing(wearer: Wearer) -> None:
    await start(wearer, hours=1)
    during = wearer.clock.now() + timedelta(minutes=30)
    wearer.clock.forward(hours=2)
    await wearer.measure("heart_rate", FAST, until=during)
    assert await wearer.alerts() == []
    assert (await listed(wearer))[0].silenced == 1


async def test_ending_it_early_counts_at_once(wearer: Wearer) -> None:
    running = await start(wearer)
    actor = await wearer.world.actor(Role.DISPATCHER)
    async with wearer.database.unit_of_work(actor) as work:
        ended = await end_maintenance(work, running.id, MaintenanceEnd(reason="已更换"))
    assert (ended.is_running, ended.end_reason) == (False, "已更换")
    await wearer.one_by_one("heart_rate", FAST)
    assert await wearer.raised() == ["heart_rate"]
    async with wearer.database.unit_of_work(actor) as work:
        with pytest.raises(AlreadyEnded):
            await end_maintenance(work, running.id, MaintenanceEnd(reason="再次"))


@pytest.mark.parametrize("kind", [AlertKind.SOS, AlertKind.FALL, AlertKind.SMOKE, AlertKind.HELP_CORD])
async def test_a_call_for_help_is_outside_all_of_it(wearer: Wearer, kind: AlertKind) -> None:
    await start(wearer)
    await start(wearer, of_terminal=False)
    async with wearer.database.unit_of_work(SYSTEM) as work:
        now = work.now
        await raise_alarm(work, AlarmFacts(wearer.bound, "pressed", kind, pressed_at=now, received_at=now))
    assert await wearer.raised() == [kind.value]


async def test_it_cannot_last_longer_than_the_limit(wearer: Wearer) -> None:
    with pytest.raises(MaintenanceTooLong) as refusal:
        await start(wearer, hours=HOURS_MAX + 1)
    assert refusal.value.extra["hours_max"] == HOURS_MAX


async def test_nobody_silences_another_towns_terminal(wearer: Wearer) -> None:
    stranger = await wearer.world.actor(Role.DISPATCHER, wearer.world.neighbour)
    request = MaintenanceStart(terminal_id=wearer.bound.terminal_id, hours=1, reason="误操作")
    async with wearer.database.unit_of_work(stranger) as work:
        with pytest.raises(NotFound):
            await start_maintenance(work, request)
